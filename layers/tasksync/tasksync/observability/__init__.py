"""Log lines, metrics and usage counters, and what CloudWatch says of them."""

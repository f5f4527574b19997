"""The metrics of all functions, for Prometheus."""

"""The rate limits table."""

"""Repositories of the rate limits table."""

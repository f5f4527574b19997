"""The sessions table."""

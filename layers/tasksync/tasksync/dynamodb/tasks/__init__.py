"""The tasks table."""

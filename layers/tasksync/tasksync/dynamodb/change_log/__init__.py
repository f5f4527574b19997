"""The repository of change logs."""

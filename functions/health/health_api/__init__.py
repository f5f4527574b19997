"""Whether the service and its dependencies respond."""

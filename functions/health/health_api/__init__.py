"""Whether the service and what it depends on answer."""

"""The numbers of all functions, for Prometheus."""

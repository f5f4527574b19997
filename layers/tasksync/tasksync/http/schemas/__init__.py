"""Shapes of requests and responses, and how a request is bound to its shape."""

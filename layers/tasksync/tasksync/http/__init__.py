"""The HTTP adapter: parses requests, and renders responses and errors."""

"""CORS preflight requests."""

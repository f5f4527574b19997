"""Request and response schemas, and the validation of requests."""

"""What concerns every route: rate limits, idempotency, CORS."""

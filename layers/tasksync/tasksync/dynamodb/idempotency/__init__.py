"""The idempotency table."""

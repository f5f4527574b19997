"""Repositories of the idempotency table."""

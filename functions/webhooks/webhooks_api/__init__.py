"""Webhooks of rooms, and their deliveries."""

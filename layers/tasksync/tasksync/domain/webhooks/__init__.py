"""Webhooks: subscriptions, dispatch, deliveries."""

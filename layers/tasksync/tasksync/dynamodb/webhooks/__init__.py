"""The webhooks table: webhooks, their deliveries, and what is due."""

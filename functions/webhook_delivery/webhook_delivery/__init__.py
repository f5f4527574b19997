"""The webhook delivery function: sends events to receivers."""

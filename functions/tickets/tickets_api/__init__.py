"""Tickets of live updates."""

"""Repositories of the activity table: audit trails of rooms."""

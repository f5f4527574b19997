"""The activity table: audit trails of rooms."""

"""Tasks in rooms, and personal ones."""

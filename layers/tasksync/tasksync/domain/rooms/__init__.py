"""Rooms, their members and their audit trails."""

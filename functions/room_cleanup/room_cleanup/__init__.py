"""Deletes rooms without members, and unassigns tasks of former members."""

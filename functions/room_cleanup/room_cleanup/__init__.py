"""Deletes rooms without members."""

"""Rooms, their codes and their members."""

"""Passwords, and the tokens of access, refresh and recovery."""

"""Checks the invariants of all stored data. Read-only."""

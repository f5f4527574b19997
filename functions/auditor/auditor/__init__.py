"""Checks the invariants over everything that is stored, and changes nothing."""

"""Snapshots of all tables, for the auditor."""

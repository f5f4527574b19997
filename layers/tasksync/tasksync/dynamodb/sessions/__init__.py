"""Repositories of the sessions table."""

"""Repositories of the live table: tickets and connections."""

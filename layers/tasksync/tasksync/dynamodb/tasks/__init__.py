"""Repositories of the tasks table."""

"""Repositories of the users table: users and the claims on their names."""

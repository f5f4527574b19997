"""The users table: users and the claims on their names."""

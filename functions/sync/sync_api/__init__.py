"""Changes of rooms and of the caller's own account, and copies that are kept up to date."""

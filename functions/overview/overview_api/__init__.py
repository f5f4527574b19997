"""Users, rooms and tasks of the caller in one response."""

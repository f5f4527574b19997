"""What one caller sees across users, rooms and tasks."""

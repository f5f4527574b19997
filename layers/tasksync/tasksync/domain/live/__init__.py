"""Live updates: who may connect, and who gets a hint of a change."""

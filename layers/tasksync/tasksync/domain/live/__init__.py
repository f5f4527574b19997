"""Live updates: who may connect, and who is told of a change."""

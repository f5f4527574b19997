"""Live updates: tells clients that are connected what the streams say, and closes connections that ended."""

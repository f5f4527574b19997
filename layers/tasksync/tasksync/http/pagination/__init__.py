"""Pages of lists: cursors, and how much one response holds."""

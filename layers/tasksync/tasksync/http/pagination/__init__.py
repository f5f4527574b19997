"""Pagination: pages of lists, cursors and the maximum size of a response."""

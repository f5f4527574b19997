"""Answers browsers that ask whether a page of another origin may send a request."""

"""Finishes removals whose stream record was lost, expired or failed repeatedly."""

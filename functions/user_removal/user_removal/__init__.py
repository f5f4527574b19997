"""Finishes the removal of a user whose deletion was accepted."""

"""Finishes removals whose stream record was lost, came too late or kept failing."""

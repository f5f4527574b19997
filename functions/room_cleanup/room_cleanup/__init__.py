"""Deletes what is left of a room once its membership is empty."""

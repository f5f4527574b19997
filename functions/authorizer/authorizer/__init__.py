"""Decides for the gateway whether an access token is good and its session still lives."""

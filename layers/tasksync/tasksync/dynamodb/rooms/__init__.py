"""Repositories of the rooms table: rooms, memberships, codes, former members."""

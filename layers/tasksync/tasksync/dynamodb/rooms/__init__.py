"""The rooms table: rooms, memberships, codes, former members."""

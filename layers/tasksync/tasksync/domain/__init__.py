"""The rules: who may do what. Plain Python; the tables are handed in."""

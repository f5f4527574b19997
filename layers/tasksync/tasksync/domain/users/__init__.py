"""Accounts, sessions, profiles and exports of users."""

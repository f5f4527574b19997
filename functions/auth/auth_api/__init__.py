"""Registration, sign-in, sessions, public keys."""

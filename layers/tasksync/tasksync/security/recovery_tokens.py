"""Recovery tokens: with one, a user who has forgotten the password sets a new one.

``make reset-password`` issues them (``infrastructure/reset_password.py``): the user's id, a point, and 256 random bits.
"""

import hashlib
import re

_FORM = re.compile(r"(?P<user>usr_[0-9a-f]{32})\.[\w-]{43}", re.ASCII)


def user_of(token: str) -> str | None:
    """The user whom a token claims to be for; None if it has not the form of one."""
    match = _FORM.fullmatch(token)
    return match["user"] if match else None


def token_hash(token: str) -> str:
    """A plain digest is enough: the token has 256 secret bits, so there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()

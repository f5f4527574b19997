"""Recovery tokens: a user who has forgotten the password sets a new one with such a token.

``make reset-password`` issues them (``infrastructure/reset_password.py``): the user's id, a point, and 256 random bits.
"""

import hashlib
import re

_FORM = re.compile(r"(?P<user>usr_[0-9a-f]{32})\.[\w-]{43}", re.ASCII)


def user_of(token: str) -> str | None:
    """The user id in a recovery token; None if the text is no recovery token."""
    match = _FORM.fullmatch(token)
    return match["user"] if match else None


def token_hash(token: str) -> str:
    """The digest that is stored. A plain digest is enough: the token has 256 secret bits and cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()

"""Room codes: what people type or paste to join a room."""

import re
import secrets

CODE_LENGTH = 9
CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

CODE_SEPARATORS = (
    r"\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # spaces, line breaks, and characters without width
    r"\-\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d"  # hyphens, dashes, minus signs
)
"""Characters that are ignored in a pasted code, as part of a character class of a regular expression."""

_BETWEEN_LETTERS = re.compile(f"[{CODE_SEPARATORS}]+")


def new_code() -> str:
    """A random room code, of 36^9 = 101,559,956,668,416."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def code_as_pasted(text: str) -> str:
    """A pasted room code in capitals, without spaces, hyphens and line breaks."""
    return _BETWEEN_LETTERS.sub("", text).upper()

"""Ranks: texts that sort tasks in the manual order of a board's column.

They are order keys as the package ``fractional-indexing`` makes and reads them: the first letter says how many digits
follow before the fraction (``a``: one, ``b``: two, …), and digits are of base 62, in the order of ASCII.
"""

from datetime import datetime

from fractional_indexing import generate_key_between

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 8
"""Of a time in milliseconds, until the year 8888."""
MOST_CHARACTERS = 200
"""Of a rank. Some thousand tasks moved to the same place, one before the other, make a longer one."""
_HEAD = "abcdefghijklmnopqrstuvwxyz"[_LENGTH - 1]


def rank_of(created_at: datetime) -> str:
    """The rank of a new task: behind all that were made before. Nothing needs to be read for it."""
    left = max(0, round(created_at.timestamp() * 1000))
    digits = ""
    for _ in range(_LENGTH):
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return _HEAD + digits


def rank_between(low: str | None, high: str | None) -> str:
    """A rank after ``low`` and before ``high``; None: there is none on that side."""
    return str(generate_key_between(low, high))

"""Ranks: texts that sort tasks in the manual order of a board's column.

They are order keys as the package ``fractional-indexing`` makes and reads them: the first letter says how many digits
follow before the fraction (``a``: one, ``b``: two, …), and digits are of base 62, in the order of ASCII.
"""

from datetime import datetime

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 8
"""Of a time in milliseconds, until the year 8888."""
_HEAD = "abcdefghijklmnopqrstuvwxyz"[_LENGTH - 1]


def rank_of(created_at: datetime) -> str:
    """The rank of a new task: behind all that were made before. Nothing needs to be read for it."""
    left = max(0, round(created_at.timestamp() * 1000))
    digits = ""
    for _ in range(_LENGTH):
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return _HEAD + digits

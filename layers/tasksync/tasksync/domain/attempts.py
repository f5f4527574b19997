"""Decide, write, and decide anew when what was decided on has changed meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from tasksync.errors import Stale

Result = TypeVar("Result")

_ATTEMPTS = 8


def until_settled(attempt: Callable[[], Result]) -> Result:
    """Run ``attempt``, which reads, decides and writes, again for as long as its write finds itself ``Stale``.

    Raises ``Stale`` after 8 attempts.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except Stale:
            continue
    return attempt()

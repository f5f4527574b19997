"""How much time the function has left. What takes long asks before each step whether to begin it."""

from collections.abc import Callable
from contextvars import ContextVar

KeepGoing = Callable[[], bool]
"""``has_time``, or a test's own: False once the function's time is nearly over."""

RESERVE_MILLISECONDS = 5_000
"""Enough for one more request to DynamoDB that is answered at its last attempt, and for the function's own answer."""

_remaining: ContextVar[Callable[[], float] | None] = ContextVar("remaining", default=None)


def begin(remaining_milliseconds: Callable[[], float]) -> None:
    """Called once per invocation, with Lambda's own clock."""
    _remaining.set(remaining_milliseconds)


def has_time() -> bool:
    """Whether there is time to begin something more. Always, where nobody has set a deadline."""
    remaining = _remaining.get()
    return remaining is None or remaining() > RESERVE_MILLISECONDS

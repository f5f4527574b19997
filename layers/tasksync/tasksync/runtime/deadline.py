"""How much time the function has left. What takes long asks before each step whether to begin it.

Beside those who ask, every request to AWS is bounded by it (``aws/client.py``): it waits no longer than the function
may, and none is begun once the time is over. So whatever a function does, it is the function that says that it had too
little time, in its answer and its log line, and not Lambda.
"""

import math
from collections.abc import Callable
from contextvars import ContextVar

KeepGoing = Callable[[], bool]
"""``has_time``, or a test's own: False once the function's time is nearly over."""

RESERVE_MILLISECONDS = 5_000
"""Enough for one more request to DynamoDB that is answered at its last attempt, and for the function's own answer."""

_ANSWER_SECONDS = 0.5
"""Enough for the function's own answer and its log line."""

_remaining: ContextVar[Callable[[], float] | None] = ContextVar("remaining", default=None)


def begin(remaining_milliseconds: Callable[[], float]) -> None:
    """Called once per invocation, with Lambda's own clock."""
    _remaining.set(remaining_milliseconds)


def has_time() -> bool:
    """Whether there is time to begin something more. Always, where nobody has set a deadline."""
    remaining = _remaining.get()
    return remaining is None or remaining() > RESERVE_MILLISECONDS


def seconds_left() -> float:
    """How long something may take that is begun now. Infinite, where nobody has set a deadline."""
    remaining = _remaining.get()
    return math.inf if remaining is None else remaining() / 1000 - _ANSWER_SECONDS

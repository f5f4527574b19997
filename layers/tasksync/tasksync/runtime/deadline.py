"""The deadline of an invocation. Long operations check before each step whether there is time left.

Every request to AWS is limited by the deadline too (``aws/client.py``): its timeout is never longer than the time left,
and no request starts after the deadline. So the function itself reports that it ran out of time, in its response and
its log line, before Lambda stops it.
"""

import math
from collections.abc import Callable
from contextvars import ContextVar

KeepGoing = Callable[[], bool]
"""``has_time``, or a test's own: False once the function's time is nearly over."""

RESERVE_MILLISECONDS = 5_000
"""Enough for one more request to DynamoDB that succeeds at its last attempt, and for the function's own response."""

_RESPONSE_SECONDS = 0.5
"""Enough for the function's own response and its log line."""

_remaining: ContextVar[Callable[[], float] | None] = ContextVar("remaining", default=None)


def begin(remaining_milliseconds: Callable[[], float]) -> None:
    """Set the deadline. Call it once per invocation, with the method of Lambda's context."""
    _remaining.set(remaining_milliseconds)


def has_time() -> bool:
    """Whether there is time for another step. Always True without a deadline."""
    remaining = _remaining.get()
    return remaining is None or remaining() > RESERVE_MILLISECONDS


def seconds_left() -> float:
    """The maximum duration of a step that starts now. Infinite without a deadline."""
    remaining = _remaining.get()
    return math.inf if remaining is None else remaining() / 1000 - _RESPONSE_SECONDS

"""The deadline of an invocation. Long operations check before each step whether there is time left.

Every request to AWS is limited by the deadline too (``seconds_left`` of ``aws/client.py``): its timeout is never longer
than the time left, and no request starts after the deadline. So the function itself reports that it ran out of time, in
its response and its log line, before Lambda stops it.
"""

import math
from collections.abc import Callable
from contextvars import ContextVar

KeepGoing = Callable[[], bool]
"""``has_time``, or a test's own: False once the function's time is nearly over."""

RESERVE_MILLISECONDS = 5_000
"""Enough for one more request to DynamoDB that succeeds at its last attempt, and for the function's own response."""

remaining: ContextVar[Callable[[], float]] = ContextVar("remaining", default=lambda: math.inf)
"""The time left in milliseconds, as the method of Lambda's context says it. Infinite without a deadline."""

begin = remaining.set
"""Set the deadline. Call it once per invocation, with the method of Lambda's context."""


def has_time() -> bool:
    """Whether there is time for another step. Always True without a deadline."""
    return remaining.get()() > RESERVE_MILLISECONDS

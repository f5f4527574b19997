"""Optimistic concurrency: reads, decides and writes again after a write conflict."""

from collections.abc import Callable
from typing import TypeVar

from tasksync.model.errors import WriteConflict
from tasksync.runtime import deadline, randomness

Result = TypeVar("Result")

_ATTEMPTS = 30
_LONGEST_PAUSE_SECONDS = 0.2


def retry_on_conflict(attempt: Callable[[], Result]) -> Result:
    """Run ``attempt``, which reads, decides and writes, until it raises no ``WriteConflict``.

    The pauses are random and grow, so that concurrent changes of one item succeed one after the other. Raises
    ``WriteConflict`` after 30 attempts (about 3 s), or when the function's time is nearly over.
    """
    for number in range(1, _ATTEMPTS):
        try:
            return attempt()
        except WriteConflict:
            if not deadline.has_time():
                raise
            randomness.pause(min(0.01 * number, _LONGEST_PAUSE_SECONDS))
    return attempt()

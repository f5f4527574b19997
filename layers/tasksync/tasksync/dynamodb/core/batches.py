"""Batch reads and writes of DynamoDB, repeated until everything is processed.

A batch succeeds even if DynamoDB processed only a part of it, or nothing. The unprocessed part must be sent again: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.BatchOperations
"""

from collections.abc import Callable, Mapping
from typing import Any

from tasksync.model.errors import DependencyFailed
from tasksync.runtime import deadline, randomness

LEFT = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
"""Of each batch operation, what its response calls the part that was not processed."""

ATTEMPTS = 10
"""The maximum number of consecutive calls without progress."""

_FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

Json = dict[str, Any]
Send = Callable[[str, Json], Json]


def run_batch(operation: str, request: Mapping[str, Any], send: Send) -> Json:
    """Send a batch until all of it is processed. Returns one response, with the items of all parts.

    ``send`` makes one call. The unprocessed part is sent again, with exponential back-off and jitter, while there is
    time. Raises ``DependencyFailed`` after ten consecutive calls without progress (about 3 s), or
    when time is nearly over; then a part may have been processed.
    """
    return completed(operation, request, send(operation, {**request}), send)


def completed(operation: str, request: Mapping[str, Any], response: Json, send: Send) -> Json:
    """``run_batch`` after the first call, which got this response."""
    left = request["RequestItems"]
    found: dict[str, list[Json]] = {table: [] for table in left}
    without_progress, pause = 0, _FIRST_PAUSE_SECONDS
    while True:
        for table, items in response.get("Responses", {}).items():
            found[table] += items
        before, left = left, response.get(LEFT[operation])
        if not left:
            return {**response, "Responses": found, LEFT[operation]: {}}
        if _size(left) < _size(before):
            without_progress, pause = 0, _FIRST_PAUSE_SECONDS
        else:
            without_progress, pause = without_progress + 1, min(2 * pause, LONGEST_PAUSE_SECONDS)
        if without_progress == ATTEMPTS or not deadline.has_time():
            raise DependencyFailed
        randomness.pause(pause)
        response = send(operation, {**request, "RequestItems": left})


def _size(requests: Mapping[str, Any]) -> int:
    """The number of keys or writes, in all tables."""
    return sum(len(part["Keys"]) if isinstance(part, dict) else len(part) for part in requests.values())

"""Batch reads and writes of DynamoDB, carried out to the end.

DynamoDB answers a batch with success even if it read or wrote only a part of it, or nothing; what is left is to be sent
again: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.BatchOperations
"""

from collections.abc import Callable, Mapping
from typing import Any

from tasksync.model.errors import DependencyFailed
from tasksync.runtime import deadline, randomness

LEFT = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
"""Of each batch operation, what its response calls the part that was not processed."""

ATTEMPTS = 10
"""So many in a row may get nothing done."""

_FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

Json = dict[str, Any]
Send = Callable[[str, Json], Json]


def run_batch(operation: str, request: Mapping[str, Any], send: Send) -> Json:
    """The answer to a batch that was processed whole: with the items of all its parts, and with nothing left.

    ``send`` makes one call. What is left is sent again with jittered back-off, for as long as the function has time.
    Raises ``DependencyFailed`` when ten calls in a row got nothing done (about 3 s) or time is nearly over; then a part
    may have been carried out.
    """
    left = request["RequestItems"]
    found: dict[str, list[Json]] = {table: [] for table in left}
    fruitless, pause = 0, _FIRST_PAUSE_SECONDS
    while True:
        answer = send(operation, {**request, "RequestItems": left})
        for table, items in answer.get("Responses", {}).items():
            found[table] += items
        before, left = left, answer.get(LEFT[operation])
        if not left:
            return {**answer, "Responses": found, LEFT[operation]: {}}
        if _size(left) < _size(before):
            fruitless, pause = 0, _FIRST_PAUSE_SECONDS
        else:
            fruitless, pause = fruitless + 1, min(2 * pause, LONGEST_PAUSE_SECONDS)
        if fruitless == ATTEMPTS or not deadline.has_time():
            raise DependencyFailed
        randomness.pause(pause)


def _size(requests: Mapping[str, Any]) -> int:
    """How many keys or writes there are, in all tables."""
    return sum(len(part["Keys"]) if isinstance(part, dict) else len(part) for part in requests.values())

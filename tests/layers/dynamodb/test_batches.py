"""Batches are carried out to their end, or given up in time."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tasksync.dynamodb.core import batches
from tasksync.model.errors import DependencyFailed
from tasksync.runtime import deadline

Json = dict[str, Any]
KEYS = [{"id": {"S": str(number)}} for number in range(4)]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Those made between attempts, in seconds; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


class Table:
    """Processes ``sizes[n]`` of the keys or writes of the n-th call; when that is used up, none."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = iter(sizes)
        self.calls = 0

    def send(self, operation: str, request: Json) -> Json:
        self.calls += 1
        size = next(self._sizes, 0)
        (table, part), *_ = request["RequestItems"].items()
        if operation == "BatchWriteItem":
            left = part[size:]
            return {"UnprocessedItems": {table: left} if left else {}}
        left = part["Keys"][size:]
        return {
            "Responses": {table: part["Keys"][:size]},
            "UnprocessedKeys": {table: {**part, "Keys": left}} if left else {},
        }


def read(send: Callable[[str, Json], Json]) -> Json:
    return batches.run_batch("BatchGetItem", {"RequestItems": {"t": {"Keys": KEYS, "ConsistentRead": True}}}, send)


def write(send: Callable[[str, Json], Json]) -> Json:
    return batches.run_batch("BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": each} for each in KEYS]}}, send)


def test_unprocessed_keys_are_requested_until_all_are_read(pauses: list[float]) -> None:
    table = Table(1, 0, 0, 2, 1)

    assert read(table.send) == {"Responses": {"t": KEYS}, "UnprocessedKeys": {}}

    assert table.calls == 5
    assert len(pauses) == 4
    assert max(pauses) <= batches.LONGEST_PAUSE_SECONDS


def test_unprocessed_items_are_written_again(pauses: list[float]) -> None:
    table = Table(0, 0, 0, 0, 3, 1)

    assert write(table.send)["UnprocessedItems"] == {}

    assert table.calls == 6
    assert len(pauses) == 5


@pytest.mark.parametrize("batch", [read, write])
def test_a_batch_without_progress_raises_an_error(batch: Callable[..., Json], pauses: list[float]) -> None:
    table = Table(1)

    with pytest.raises(DependencyFailed):
        batch(table.send)

    assert table.calls == 1 + batches.ATTEMPTS
    assert sum(pauses) < batches.ATTEMPTS * batches.LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("batch", [read, write])
def test_a_batch_stops_when_time_is_nearly_over(batch: Callable[..., Json]) -> None:
    table = Table(1, 1)
    deadline.begin(lambda: 60_000 if table.calls < 2 else 0)

    with pytest.raises(DependencyFailed):
        batch(table.send)

    assert table.calls == 2
    deadline.begin(lambda: 60_000)

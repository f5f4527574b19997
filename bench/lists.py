"""P4: what lists of tasks cost as a room grows: items read for each returned, capacity units, queries and CPU.

``python -m bench.lists OUTPUT [ROUNDS]``: a process of its own. The product runs in process; its queries of the
tasks table are answered by ``tests/support/tasks_table.py``, which holds all tasks and looks at none but those that a
query reads. CPU is that of a whole request, the gateway and the table of the tests included, against the same list in a
room of 1,000 tasks; rooms of all sizes are asked in turns.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support import aws as aws_in_process

aws_in_process.prepare_environment()

from bench.measuring import in_turns, ratio  # noqa: E402  # after the environment is set
from tests.support.aws import LOCK, Aws, environment, mocked  # noqa: E402  # after the environment is set
from tests.support.client import Person, Response  # noqa: E402  # after the environment is set
from tests.support.product import Product  # noqa: E402  # after the environment is set
from tests.support.random_tasks import random_tasks, stored_items  # noqa: E402  # after the environment is set
from tests.support.tasks_table import TasksTable  # noqa: E402  # after the environment is set

SIZES = (100, 1_000, 10_000, 100_000)
BASE = 1_000
LIMIT = 50
_ROUNDS, _TIMES = 15, 3

_DUE = {"deadline_from": "2027-01-10T00:00:00Z", "deadline_to": "2027-01-25T00:00:00Z"}
CASES: dict[str, dict[str, Any]] = {
    "all": {},
    "sort=deadline": {"sort": "deadline"},
    "sort=-deadline": {"sort": "-deadline"},
    "sort=priority": {"sort": "priority"},
    "status": {"status": ["pending"]},
    "two statuses": {"status": ["pending", "in progress"]},
    "priority": {"priority": ["high"]},
    "deadlines": _DUE,
    "status, priority": {"status": ["pending"], "priority": ["high"]},
    "status, sort=deadline": {"status": ["pending"], "sort": "deadline"},
    "status, sort=priority": {"status": ["pending"], "sort": "priority"},
    "priority, sort=deadline": {"priority": ["high"], "sort": "deadline"},
    "status, deadlines": {"status": ["pending"], **_DUE},
    "deadlines, sort=priority": {**_DUE, "sort": "priority"},
    "two statuses, two priorities, deadlines": {
        "status": ["pending", "in progress"],
        "priority": ["high", "low"],
        **_DUE,
    },
    "deadlines, sort=created_at": {**_DUE, "sort": "created_at"},
}
_OF_PERSON = ("all", "sort=deadline", "status", "status, priority", "deadlines")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Room:
    id: str
    ann: Person
    """Of whose tasks are half."""


def measure(sizes: Sequence[int] = SIZES, rounds: int = _ROUNDS, times: int = _TIMES) -> dict[str, dict[str, Row]]:
    """By list and by number of tasks in the room, ``cpu`` against that of ``BASE``, or of the least number."""
    base = str(BASE if BASE in sizes else min(sizes))
    found: dict[str, dict[str, Row]] = {}
    with _rooms(sizes) as (rooms, table):
        for name, path, parameters in _asked():
            asking = {size: _request(room, path, parameters) for size, room in rooms.items()}
            rows = found[name] = {size: _counted(request, table) for size, request in asking.items()}
            taken = in_turns(asking, rounds, times, lambda _: None)
            for size, row in rows.items():
                row["cpu"] = asdict(ratio(taken, size, base))
    return found


@contextmanager
def _rooms(sizes: Sequence[int]) -> Iterator[tuple[dict[str, _Room], TasksTable]]:
    """By size, rooms with so many tasks at random: half of them Ann's, who is in it, the others Bob's or nobody's.

    Each has an Ann of its own, and all are in one table at the same time: none is measured with less in memory.
    """
    account = Aws()
    with environment(account.stack.all_variables()):
        product = Product(account)
        rooms, items = {}, list[dict[str, Any]]()
        for size in sizes:
            ann = product.register("ann")
            room = rooms[str(size)] = _Room(ann.open_room()["id"], ann)
            tasks = random_tasks(size, room.id, ann.id, [ann.id, ann.id, "usr_" + "b" * 32, None], seed=size)
            items += stored_items(tasks)
        table = TasksTable(account.stack.of_type("AWS::DynamoDB::Table")["TasksTableV2"], items, account.dynamodb)
        # What stays is not looked through for garbage at each turn.
        gc.collect()
        gc.freeze()
        try:
            with LOCK, table.in_place():
                yield rooms, table
        finally:
            gc.unfreeze()


def _request(room: _Room, path: str, parameters: Mapping[str, Any]) -> Callable[[], Response]:
    asked = {**parameters, "limit": LIMIT}
    if asked.get("user_id"):
        asked["user_id"] = room.ann.id
    return lambda: room.ann.get(path.format(room_id=room.id), params=asked)


def _asked() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    path = "/rooms/{room_id}/tasks"
    for name, parameters in CASES.items():
        yield name, path, parameters
    for name in _OF_PERSON:
        yield f"user_id, {name}" if name != "all" else "user_id", path, {**CASES[name], "user_id": "Ann's"}
    for name in _OF_PERSON:
        yield f"GET /tasks: {name}", "/tasks", CASES[name]


def _counted(request: Callable[[], Response], table: TasksTable) -> Row:
    table.measured()
    response = request()
    read = table.measured()
    if response.status != 200:
        raise RuntimeError(str(response))
    returned = len(response.json()["items"])
    return {"returned": returned, "items": read.items, "units": read.units, "queries": read.queries}


if __name__ == "__main__":
    with mocked():
        measured = measure(SIZES, *map(int, sys.argv[2:]))
    Path(sys.argv[1]).write_text(json.dumps(measured), encoding="utf-8")

"""P4: what lists of tasks cost as a room grows: items read for each returned, capacity units, queries and CPU.

``python -m bench.lists OUTPUT [ROUNDS]``: a process of its own. The product runs in process; its queries of the
tasks table are answered by ``tests/support/tasks_table.py``, which holds 100,000 tasks and looks at none but those that
a query reads. CPU is that of a whole request, the gateway and the table of the tests included, against the same list in
a room of 1,000 tasks.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.support import aws as aws_in_process

aws_in_process.prepare_environment()

from tests.support.aws import LOCK, Aws, environment, mocked  # noqa: E402  # after the environment is set
from tests.support.client import Person  # noqa: E402  # after the environment is set
from tests.support.product import Product  # noqa: E402  # after the environment is set
from tests.support.random_tasks import random_tasks, stored  # noqa: E402  # after the environment is set
from tests.support.tasks_table import TasksTable  # noqa: E402  # after the environment is set

SIZES = (100, 1_000, 10_000, 100_000)
BASE = 1_000
LIMIT = 50
_ROUNDS = 15

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


def measure(sizes: Sequence[int] = SIZES, rounds: int = _ROUNDS) -> dict[str, dict[str, Row]]:
    """By list and by number of tasks in the room, ``cpu`` against that of ``BASE``, or of the least number."""
    found: dict[str, dict[str, Row]] = {}
    for size in sizes:
        with _room(size) as (ann, room_id, table):
            for name, path, parameters in _asked(ann, room_id):
                found.setdefault(name, {})[str(size)] = _measured(ann, path, parameters, table, rounds)
    for rows in found.values():
        base = rows[str(BASE if BASE in sizes else min(sizes))]["seconds"]
        for row in rows.values():
            row["cpu"] = round(row.pop("seconds") / base, 2)
    return found


@contextmanager
def _room(size: int) -> Iterator[tuple[Person, str, TasksTable]]:
    """A room with so many tasks at random: half of them Ann's, who is in it, the others Bob's or nobody's."""
    account = Aws()
    with environment(account.stack.all_variables()):
        ann = Product(account).register("ann")
        room_id: str = ann.open_room()["id"]
        tasks = random_tasks(size, room_id, ann.id, [ann.id, ann.id, "usr_" + "b" * 32, None], seed=size)
        table = TasksTable(account.stack.of_type("AWS::DynamoDB::Table")["TasksTable"], map(stored, tasks))
        with LOCK, table.in_place():
            yield ann, room_id, table


def _asked(ann: Person, room_id: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    path = f"/rooms/{room_id}/tasks"
    for name, parameters in CASES.items():
        yield name, path, parameters
    for name in _OF_PERSON:
        yield f"user_id, {name}" if name != "all" else "user_id", path, {**CASES[name], "user_id": ann.id}
    for name in _OF_PERSON:
        yield f"GET /tasks: {name}", "/tasks", CASES[name]


def _measured(ann: Person, path: str, parameters: Mapping[str, Any], table: TasksTable, rounds: int) -> Row:
    asked = {**parameters, "limit": LIMIT}
    table.measured()
    answer = ann.get(path, params=asked)
    read = table.measured()
    if answer.status != 200:
        raise RuntimeError(str(answer))
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        ann.get(path, params=asked)
        seconds.append(time.process_time() - started)
    return {
        "returned": len(answer.json()["items"]),
        "items": read.items,
        "units": read.units,
        "queries": read.queries,
        "seconds": median(seconds),
    }


if __name__ == "__main__":
    with mocked():
        measured = measure(SIZES, *map(int, sys.argv[2:]))
    Path(sys.argv[1]).write_text(json.dumps(measured), encoding="utf-8")

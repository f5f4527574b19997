"""P4: what lists of tasks cost as a room grows: items read for each returned, capacity units, queries and CPU.

Each room has as many tasks in its trash as in its lists, and so has a person of theirs.

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
from tests.support.random_tasks import random_tasks, stored_items, trashed  # noqa: E402  # after the environment is set
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
    "sort=rank": {"sort": "rank"},
    "status, sort=rank": {"status": ["pending"], "sort": "rank"},
}
_OF_PERSON = ("all", "sort=deadline", "sort=priority", "status", "status, priority", "deadlines")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Room:
    id: str
    ann: Person
    """Of whose tasks are half."""
    cleo: Person
    """Has as many personal tasks."""


@dataclass(frozen=True, slots=True)
class _List:
    path: str
    parameters: Mapping[str, Any]
    personal: bool = False
    """Cleo asks, not Ann."""

    def request(self, room: _Room) -> Callable[[], Response]:
        person = room.cleo if self.personal else room.ann
        path, asked = self.path.format(room_id=room.id), {**self.parameters, "limit": LIMIT}
        return lambda: person.get(path, params=asked)


def measure(sizes: Sequence[int] = SIZES, rounds: int = _ROUNDS, times: int = _TIMES) -> dict[str, dict[str, Row]]:
    """By list and by number of tasks in the room, ``cpu`` against that of ``BASE``, or of the least number."""
    base = str(BASE if BASE in sizes else min(sizes))
    found: dict[str, dict[str, Row]] = {}
    with _rooms(sizes) as (rooms, table):
        for name, asked in _lists().items():
            asking = {size: asked.request(room) for size, room in rooms.items()}
            rows = found[name] = {size: _counted(request, table) for size, request in asking.items()}
            taken = in_turns(asking, rounds, times, lambda _: None)
            for size, row in rows.items():
                row["cpu"] = asdict(ratio(taken, size, base))
    return found


@contextmanager
def _rooms(sizes: Sequence[int]) -> Iterator[tuple[dict[str, _Room], TasksTable]]:
    """By size, rooms with so many tasks at random: half of them Ann's, who is in it, the others Bob's or nobody's.

    Each has an Ann and a Cleo of its own, and all are in one table at the same time: none is measured with less in
    memory.
    """
    account = Aws()
    with environment(account.stack.all_variables()):
        # On a busy machine, filling the rooms takes longer than a token lasts otherwise.
        account.deploy(AccessTokenSeconds="3600")
        product = Product(account)
        rooms, items = {}, list[dict[str, Any]]()
        for size in sizes:
            ann, cleo = product.register("ann"), product.register("cleo")
            room = rooms[str(size)] = _Room(ann.open_room()["id"], ann, cleo)
            people = [ann.id, ann.id, "usr_" + "b" * 32, None]
            items += stored_items(random_tasks(size, room.id, ann.id, people, seed=size))
            items += stored_items(trashed(random_tasks(size, room.id, ann.id, people, seed=size)))
            items += stored_items(random_tasks(size, cleo.id, cleo.id, [cleo.id], seed=size))
            items += stored_items(trashed(random_tasks(size, cleo.id, cleo.id, [cleo.id], seed=size)))
        table = TasksTable(account.stack.of_type("AWS::DynamoDB::Table")["TasksTableV2"], items, account.dynamodb)
        # What stays is not looked through for garbage at each turn.
        gc.collect()
        gc.freeze()
        try:
            with LOCK, table.in_place():
                yield rooms, table
        finally:
            gc.unfreeze()


def _lists() -> dict[str, _List]:
    path = "/rooms/{room_id}/tasks"
    found = {name: _List(path, parameters) for name, parameters in CASES.items()}
    for label, person in (("user_id", "me"), ("user_id=none", "none")):
        for name in _OF_PERSON:
            found[label if name == "all" else f"{label}, {name}"] = _List(path, {**CASES[name], "user_id": person})
    found |= {f"GET /tasks: {name}": _List("/tasks", CASES[name]) for name in _OF_PERSON}
    found |= {f"personal tasks: {name}": _List("/tasks", CASES[name], personal=True) for name in ("all", "sort=rank")}
    found["trash of a room"] = _List("/rooms/{room_id}/trash", {})
    found["trash of a person"] = _List("/users/me/trash", {}, personal=True)
    return found


def _counted(request: Callable[[], Response], table: TasksTable) -> Row:
    table.measured()
    response = request()
    read = table.measured()
    if response.status != 200:
        raise RuntimeError(str(response))
    returned = len(response.json()["items"])
    return {
        "returned": returned,
        "items": read.items,
        "tasks": read.tasks,
        "units": read.units,
        "queries": read.queries,
    }


if __name__ == "__main__":
    with mocked():
        measured = measure(SIZES, *map(int, sys.argv[2:]))
    Path(sys.argv[1]).write_text(json.dumps(measured), encoding="utf-8")

"""The local stack is killed under load, at any moment: what was acknowledged two seconds before is there again.

``KILLS`` says how often (2 in each run of the tests), ``KILL_SEED`` with which dice.
"""

import contextlib
import itertools
import os
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from infrastructure import audit
from tests.conftest import Figures
from tests.journeys.service import Service, eventually
from tests.support.client import Client, Person

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("KILL_SEED", "1"))

_PEOPLE = 4
_SECONDS_OF_LOAD = (1.0, 5.0)
_BUSY_SECONDS = 120
_SECONDS_LOST_AT_MOST = 2.0
_QUIET_SECONDS = 60


class Worker:
    """Opens rooms, plans tasks in them and closes every other room, until the service is gone."""

    def __init__(self, url: str, person: Person) -> None:
        self._person = person
        self._person.connection = Client.over_http(url).connection
        # When each was acknowledged.
        self.tasks: dict[str, tuple[float, Any]] = {}
        self.closed: dict[str, float] = {}

    def run(self) -> None:
        # What was not acknowledged any more may be there or not.
        with self._person.connection, contextlib.suppress(httpx.TransportError):
            for turn in itertools.count():
                self._use_a_room(close=turn % 2 == 0)

    def _use_a_room(self, close: bool) -> None:
        room = self._person.open_room()
        tasks = [self._plan(room, close) for _ in range(3)]
        if close:
            assert self._person.delete(f"/rooms/{room['id']}").status == 204
            self.closed[room["id"]] = time.monotonic()
        else:
            completed = self._person.patch(f"/tasks/{tasks[0]['id']}", json={"status": "completed"})
            assert completed.status == 200, completed
            self.tasks[tasks[0]["id"]] = (time.monotonic(), completed.json())

    def _plan(self, room: Mapping[str, Any], close: bool) -> Any:
        task = self._person.plan(room_id=room["id"])
        if not close:
            self.tasks[task["id"]] = (time.monotonic(), task)
        return task


def test_data_acknowledged_two_seconds_before_a_kill_is_restored_at_the_next_start(
    fresh: Service, figures: Figures
) -> None:
    dice = random.Random(SEED)  # to be repeatable, not secret
    names = [fresh.register(f"person{number}").username for number in range(_PEOPLE)]
    tasks: dict[str, tuple[str, Any]] = {}
    closed: set[str] = set()
    time.sleep(_SECONDS_LOST_AT_MOST)
    for kill in range(KILLS):
        workers = [Worker(fresh.addresses.api_url, fresh.anonymous.sign_in(name)) for name in names]
        with ThreadPoolExecutor(_PEOPLE) as threads:
            running = [threads.submit(worker.run) for worker in workers]
            # Something is acknowledged, on a slow machine too; from then on at any moment.
            assert eventually(partial(_has_acknowledged, workers), _BUSY_SECONDS)
            time.sleep(dice.uniform(*_SECONDS_OF_LOAD))
            killed_at = fresh.kill()
            for each in running:
                each.result()

        fresh.start()

        acknowledged = {task: at for worker in workers for task, (at, _) in worker.tasks.items()}
        stored = {item["item"] for item in fresh.items("TasksTableV2") if "title" in item}
        lost = [killed_at - at for task, at in acknowledged.items() if task not in stored]
        figures(
            f"Kill {kill + 1}: {len(acknowledged)} tasks acknowledged since the start, {len(lost)} of them lost, "
            f"the oldest {max(lost, default=0.0):.2f} s before the kill"
        )
        before = killed_at - _SECONDS_LOST_AT_MOST
        for name, worker in zip(names, workers, strict=True):
            tasks |= {task: (name, body) for task, (at, body) in worker.tasks.items() if at < before}
            closed.update(room for room, at in worker.closed.items() if at < before)
        people = {name: fresh.anonymous.sign_in(name) for name in names}
        assert {task: people[name].get(f"/tasks/{task}").json() for task, (name, _) in tasks.items()} == {
            task: body for task, (_, body) in tasks.items()
        }
        # The streams go on from where they were: no sweep makes up for a record.
        assert eventually(lambda: closed.isdisjoint(_rooms_with_items(fresh)), _QUIET_SECONDS)
        assert eventually(lambda: audit.clean(_audit(fresh)), _QUIET_SECONDS), list(audit.lines(_audit(fresh)))
    assert tasks
    assert closed


def _has_acknowledged(workers: Sequence[Worker]) -> bool:
    return all(worker.tasks and worker.closed for worker in workers)


def _rooms_with_items(service: Service) -> set[str]:
    tasks = {item["owner_id"] for item in service.items("TasksTableV2")}
    return tasks | {item["room_id"] for item in service.items("RoomsTable")}


def _audit(service: Service) -> audit.Report:
    functions = service.addresses.client("lambda")
    return audit.audit(functions, service.addresses.outputs["AuditorFunction"], {"older_than_seconds": 0})

"""16 clients do everything to four rooms while workers are killed: nothing acknowledged is lost, nothing stays broken.

``STORM_SECONDS`` says for how long (60), ``STORM_SEED`` with which dice. On a machine that has much else to do it goes
on until each action has been carried out often enough, but no more than four times as long.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from infrastructure import audit
from infrastructure.local.stack import LocalStack
from tests.storm.storm import Board, Participant
from tests.storm.workers import workers

CLIENTS = 16
ROOMS = 4
SECONDS = float(os.environ.get("STORM_SECONDS", "60"))
SEED = int(os.environ.get("STORM_SEED", "1"))

_SECONDS_BETWEEN_KILLS = 3.0
_SECONDS_BETWEEN_STARTS = 0.75
_QUIET_SECONDS = 120
# ministack takes the death of a worker that is still starting for a broken function, and ends all its other workers.
_STARTED_SECONDS = 15
# How often each is carried out at least: a third of what was seen in a minute on two cores with much else to do.
LEAST = {
    "create task": 10,
    "update task": 10,
    "assign": 5,
    "delete task": 2,
    "join": 20,
    "leave": 3,
    "kick": 2,
    "change role": 3,
    "close room": 1,
    "delete user": 2,
    "open": 4,
}
ANSWERS = {"200", "201", "204", "401", "403", "404", "409", "422", "503", "none"}


class Weather:
    """A stack of its own, a storm in it, and the faults that strike meanwhile."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stack = LocalStack(0, data, {"BcryptCost": "10"})
        self._addresses = self._stack.start()
        self.board = Board(ROOMS)
        self.kills: Counter[str] = Counter()
        self._over = threading.Event()

    def blow(self) -> None:
        url = self._addresses.api_url
        dice = random.Random(SEED)  # to be repeatable, not secret
        participants = [Participant(url, self.board, ROOMS, random.Random(dice.random())) for _ in range(CLIENTS)]
        for place in range(ROOMS):
            participants[place].open(place)
        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            struck = threads.submit(self._strike, dice)
            running = []
            for each in participants:
                # One after the other: sixteen workers that start at once would take the first half minute.
                running.append(threads.submit(each.run, self._over.is_set))
                time.sleep(_SECONDS_BETWEEN_STARTS)
            self._last(time.monotonic() + SECONDS - CLIENTS * _SECONDS_BETWEEN_STARTS)
            self._over.set()
            for future in [struck, *running]:
                future.result()

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """The response of a function called by hand."""
        return audit.audit(self._addresses.client("lambda"), self._addresses.outputs[function], event)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, by its name in the template."""
        read = TypeDeserializer().deserialize
        scan = self._addresses.client("dynamodb").get_paginator("scan")
        pages = scan.paginate(TableName=self._addresses.outputs[table])
        return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def stop(self) -> None:
        self._stack.stop()

    def _last(self, until: float) -> None:
        latest = until + 3 * SECONDS
        while time.monotonic() < (until if self.board.lacks(LEAST) == {} else latest):
            time.sleep(1)

    def _strike(self, dice: random.Random) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_KILLS):
            running = [worker for worker in workers(self._data) if worker.age >= _STARTED_SECONDS]
            if running:
                worker = dice.choice(running)
                self.kills[worker.function] += worker.kill()


@pytest.fixture
def weather(tmp_path: Path) -> Iterator[Weather]:
    weather = Weather(tmp_path)
    yield weather
    weather.stop()


def test_a_storm_with_killed_workers_loses_nothing(weather: Weather, capsys: pytest.CaptureFixture[str]) -> None:
    weather.blow()

    report = _settled(weather)

    board = weather.board
    with capsys.disabled():
        _print_figures(weather, report)
    assert audit.clean(report), "\n".join(audit.lines(report))
    assert board.statuses.keys() <= ANSWERS
    assert board.unanswered == []
    assert board.back_by_code == []
    assert weather.kills.total() > 0
    assert _lost(weather) == []
    assert board.lacks(LEAST) == {}, board.done


def _settled(weather: Weather) -> Any:
    """The audit once nothing is under way. The sweeper makes up for records that were lost with a killed worker."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while True:
        weather.call("SweeperFunction", {"older_than_seconds": 0})
        report = weather.call("AuditorFunction", {"older_than_seconds": 0})
        if audit.clean(report) or time.monotonic() > deadline:
            return report


def _lost(weather: Weather) -> list[str]:
    """What the tables hold otherwise than it was acknowledged."""
    rooms = {item["room_id"] for item in weather.items("RoomsTable") if item["item"] == "ROOM"}
    stored = {item["item"]: item for item in weather.items("TasksTableV2") if "title" in item}
    lost = []
    for task_id, history in weather.board.tasks.items():
        item = stored.get(task_id)
        last = max(history.titles)
        lost += [f"{task_id}: {contradiction}" for contradiction in history.contradictions]
        if history.deleted or history.room_id not in rooms:
            lost += [f"{task_id} is there, and was deleted"] if item is not None else []
        elif item is None:
            lost.append(f"{task_id} is gone, at version {last}")
        elif item["version"] < last or item["title"] != history.titles[last]:
            lost.append(f"{task_id} is {item['title']!r} at {item['version']}, not {history.titles[last]!r} at {last}")
    return lost


def _print_figures(weather: Weather, report: Any) -> None:
    board = weather.board
    figures = {
        "seconds": SECONDS,
        "seed": SEED,
        "clients": CLIENTS,
        "requests": board.statuses.total(),
        "by status": dict(sorted(board.statuses.items())),
        "503 by cause": dict(sorted(board.unavailable.items())),
        "acknowledged": dict(sorted(board.done.items())),
        "retried": board.retried,
        "replayed": board.replayed,
        "tasks followed": len(board.tasks),
        "workers killed": dict(sorted(weather.kills.items())),
    }
    sys.stdout.write("\n".join(["", f"Storm: {json.dumps(figures, indent=2)}", *audit.lines(report), ""]))

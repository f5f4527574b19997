"""16 clients do everything to four rooms while workers are killed: nothing acknowledged is lost, nothing stays broken.

Sixteen more keep copies of what each of them sees, by ``/sync``, and have the same as the server in the end. Sixteen
listen to hints, and get none of what happens in a room after they have lost it.

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
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from infrastructure import audit
from infrastructure.local.stack import LocalStack
from tests.storm.followers import Follower, Probe, percentiles
from tests.storm.listeners import Hint, Listener, Logs
from tests.storm.storm import Board, Participant, TaskHistory
from tests.storm.workers import workers
from tests.support.client import Client, Person

CLIENTS = 16
ROOMS = 4
SECONDS = float(os.environ.get("STORM_SECONDS", "60"))
SEED = int(os.environ.get("STORM_SEED", "1"))

_SECONDS_BETWEEN_KILLS = 3.0
_SECONDS_BETWEEN_STARTS = 0.75
_QUIET_SECONDS = 240
# How often each is carried out at least: a third of what was seen in a minute on two cores with much else to do.
LEAST = {
    "create task": 10,
    "update task": 10,
    "assign": 5,
    "move": 5,
    "trash": 4,
    "restore": 2,
    "purge": 1,
    "join": 20,
    "leave": 3,
    "kick": 2,
    "change role": 3,
    "close room": 1,
    "delete user": 2,
    "open": 4,
}
# Of changes of others, over WebSockets.
LEAST_HINTS = 50
ANSWERS = {"200", "201", "204", "401", "403", "404", "409", "412", "422", "503", "none"}
COLUMNS = ["pending", "in progress", "completed"]


class Weather:
    """A stack of its own, a storm in it, and the faults that strike meanwhile."""

    def __init__(self, data: Path) -> None:
        self._data = data
        # Nobody signs in again, however long the storm takes.
        self._stack = LocalStack(0, data, {"BcryptCost": "10", "AccessTokenSeconds": "3600"})
        self._addresses = self._stack.start()
        self._dynamodb = self._addresses.client("dynamodb")
        self.board = Board(ROOMS)
        self.kills: Counter[str] = Counter()
        self._over = threading.Event()
        self._participants: list[Participant] = []
        self.followers: list[Follower] = []
        self.listeners: list[Listener] = []
        self._listening = ThreadPoolExecutor(CLIENTS)
        self._hung_up = threading.Event()
        self.ended_at = 0.0
        """When the storm was over, in seconds since 1970."""
        self._anonymous = Client.over_http(self._addresses.api_url, seconds=40)
        self.probe = Probe(self._anonymous, self._head)

    def blow(self) -> None:
        url = self._addresses.api_url
        dice = random.Random(SEED)  # to be repeatable, not secret
        participants = [Participant(url, self.board, ROOMS, random.Random(dice.random())) for _ in range(CLIENTS)]
        self._participants = participants
        self.followers = [
            Follower(number, partial(getattr, each, "person"), random.Random(dice.random()))
            for number, each in enumerate(participants)
        ]
        self.listeners = [Listener(partial(getattr, each, "person")) for each in participants]
        for place in range(ROOMS):
            participants[place].open(place)
        with ThreadPoolExecutor(2 * CLIENTS + 2) as threads:
            struck = threads.submit(self._strike, dice)
            running = [threads.submit(self.probe.run, self._over.is_set)]
            for each, follower, listener in zip(participants, self.followers, self.listeners, strict=True):
                # One after the other: sixteen workers that start at once would take the first half minute.
                running.append(threads.submit(each.run, self._over.is_set))
                running.append(threads.submit(follower.run, self._over.is_set))
                self._listening.submit(listener.run, self._hung_up.is_set)
                time.sleep(_SECONDS_BETWEEN_STARTS)
            self._last(time.monotonic() + SECONDS - CLIENTS * _SECONDS_BETWEEN_STARTS)
            self._over.set()
            self.ended_at = time.time()
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

    def rooms(self) -> dict[str, Person]:
        """By the id of each room that somebody sees: one of those who do."""
        return {room["id"]: person for person in self.people() for room in person.list("/rooms")}

    def people(self) -> list[Person]:
        return [each.person for each in self._participants if each.person is not None]

    def copies(self) -> list[str]:
        """How the followers' copies are otherwise than what the routes show."""
        return [unlike for each in self.followers if (unlike := each.difference())]

    def hang_up(self) -> None:
        self._hung_up.set()
        self._listening.shutdown()

    def hints(self) -> list[Hint]:
        """All that listeners got."""
        return [hint for each in self.listeners for hint in each.hints]

    def stop(self) -> None:
        self.probe.hooks.close()
        self.hang_up()
        self._anonymous.connection.close()
        for each in self._participants:
            each.close()
        self._stack.stop()

    def _head(self, log_id: str) -> int:
        """The number of the last entry of a log."""
        key = {"owner_id": {"S": log_id}, "item": {"S": "head"}}
        name = self._addresses.outputs["LogTable"]
        item = self._dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True).get("Item")
        return int(item["seq"]["N"]) if item else 0

    def _last(self, until: float) -> None:
        latest = until + 3 * SECONDS
        while time.monotonic() < (until if self.board.lacks(LEAST) == {} else latest):
            time.sleep(1)

    def _strike(self, dice: random.Random) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_KILLS):
            running = [worker for worker in workers(self._data) if worker.started]
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
    weather.hang_up()

    board, logs = weather.board, Logs(weather.items("LogTable"))
    with capsys.disabled():
        _print_figures(weather, logs, report)
    assert audit.clean(report), "\n".join(audit.lines(report))
    assert board.statuses.keys() <= ANSWERS
    assert board.unanswered == []
    assert board.back_by_code == []
    assert weather.kills.total() > 0
    lost = _lost(weather) + _misplaced(weather)
    assert lost == [], "\n".join(lost)
    assert board.lacks(LEAST) == {}, board.done
    # Whoever got no hint of the last change of a room finds it with the next page.
    unlike = weather.copies()
    assert unlike == [], "\n".join(unlike)
    assert len(logs.latencies(hint for hint in weather.hints() if hint.at < weather.ended_at)) >= LEAST_HINTS
    assert logs.hints_after_removal(weather.hints()) == []
    assert weather.probe.hooks.lacking() == []
    assert [*weather.probe.hooks.faults()] == []
    assert [gap for each in weather.followers for gap in each.gaps] == []


def _settled(weather: Weather) -> Any:
    """The audit once nothing is under way. The sweeper makes up for records that were lost with a killed worker."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while True:
        weather.call("SweeperFunction", {"older_than_seconds": 0})
        report = weather.call("AuditorFunction", {"older_than_seconds": 0})
        if (audit.clean(report) and not weather.probe.hooks.lacking()) or time.monotonic() > deadline:
            return report


def _lost(weather: Weather) -> list[str]:
    """What the tables hold otherwise than it was acknowledged."""
    rooms = {item["room_id"] for item in weather.items("RoomsTable") if item["item"] == "ROOM"}
    stored = {item["item"]: item for item in weather.items("TasksTableV2") if "title" in item}
    lost = []
    for task_id, history in weather.board.tasks.items():
        item = stored.get(task_id)
        lost += [f"{task_id}: {contradiction}" for contradiction in history.contradictions]
        if history.purged or history.room_id not in rooms:
            lost += [f"{task_id} is there, and was deleted"] if item is not None else []
        elif item is None:
            lost.append(f"{task_id} is gone, at version {history.last}")
        elif item["version"] < history.last:
            lost.append(f"{task_id} is at version {item['version']}, not {history.last}")
    return lost


def _misplaced(weather: Weather) -> list[str]:
    """What the lists of the rooms show otherwise than it was acknowledged."""
    visible = weather.rooms()
    misplaced = []
    for room_id, person in visible.items():
        known = {task_id: each for task_id, each in weather.board.tasks.items() if each.room_id == room_id}
        tasks = f"/rooms/{room_id}/tasks"
        listed, ranked, trash = (
            person.list(tasks),
            person.list(tasks, sort="rank"),
            person.list(f"/rooms/{room_id}/trash"),
        )
        live = sorted(task_id for task_id, each in known.items() if not each.trashed and not each.purged)
        thrown = sorted(task_id for task_id, each in known.items() if each.trashed and not each.purged)
        for name, found, expected in [("list", listed, live), ("order", ranked, live), ("trash", trash, thrown)]:
            ids = sorted(task["id"] for task in found)
            misplaced += [] if ids == expected else [f"{room_id}: the {name} has {ids}, not {expected}"]
        for user_id in {None, *(user_id for task in listed for user_id in task["assignee_ids"])}:
            found = person.list(tasks, user_id=user_id or "none")
            expected = [each for each in listed if user_id in (each["assignee_ids"] or [None])]
            misplaced += [] if found == expected else [f"{room_id}: the list of {user_id} has {found}, not {expected}"]
        misplaced += [fault for task in [*listed, *trash] if (fault := _changed(task, known[task["id"]]))]
        misplaced += _disordered(ranked, known)
    return misplaced


def _changed(task: dict[str, Any], history: TaskHistory) -> str | None:
    """How a task is otherwise than its last version was said to be. Assignees who have left make versions, too."""
    number = max(version for version, each in history.versions.items() if each is not None)
    told = history.versions[number]
    assert told is not None
    shown = {name: task[name] for name in told}
    if task["version"] > number + history.trashed:
        told = told | {"assignee_ids": [each for each in told["assignee_ids"] if each in task["assignee_ids"]]}
    return None if shown == told else f"{task['id']} at {task['version']} is {shown}, not {told} at {number}"


def _disordered(ranked: list[dict[str, Any]], known: dict[str, TaskHistory]) -> Iterable[str]:
    """Who is not in the place that their last move gave them, of the tasks that have not come after it."""
    columns = [COLUMNS.index(task["status"]) for task in ranked]
    if columns != sorted(columns):
        yield f"the statuses are mixed: {columns}"
    for number, task in enumerate(ranked):
        placements = known[task["id"]].placements
        last = placements[max(placements)] if placements else None
        for other_number, other in enumerate(ranked):
            if last is None or other["status"] != task["status"] or known[other["id"]].arrived >= last.sent:
                continue
            if last.behind is None and other_number < number:
                yield f"{other['id']} is before {task['id']}, which was put before all"
            if last.behind == other["id"] and number < other_number:
                yield f"{task['id']} is before {other['id']}, behind which it was put"


def _print_figures(weather: Weather, logs: Logs, report: Any) -> None:
    board, hints = weather.board, weather.hints()
    seen = [(person.id, room["id"]) for person in weather.people() for room in person.list("/rooms")]
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
        "copies": len(weather.followers),
        "pages of copies": dict(sorted(sum((each.pages for each in weather.followers), Counter()).items())),
        "events at webhooks": weather.probe.hooks.arrived(),
        "commit to log, p50 / p99": percentiles(weather.probe.in_log),
        "commit to copy, p50 / p99": percentiles(weather.probe.in_copy),
        "commit to hint of another, p50 / p99": percentiles(
            logs.latencies(hint for hint in hints if hint.at < weather.ended_at)
        ),
        "last changes of rooms hinted": f"{sum(logs.last_change_hinted(hints, *each) for each in seen)} of {len(seen)}",
        "sockets": dict(sorted(sum((each.happened for each in weather.listeners), Counter()).items())),
        "changes that came later than 10 s": weather.probe.lost,
    }
    sys.stdout.write("\n".join(["", f"Storm: {json.dumps(figures, indent=2)}", *audit.lines(report), ""]))

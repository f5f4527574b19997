"""Many clients who do everything at once to few rooms, and what they were told of each task.

Every write carries an idempotency key. A response of 503, or none, is followed by the same request with the same key,
until there is another answer: so every client knows of every write of its own whether it was done. A task is deleted on
condition of its version: so the versions say, too, in which order tasks went to the trash and came back.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.client import Client, Person, Response

Json = dict[str, Any]

_ATTEMPTS = 12
_ROLES = ["admin", "admin", "member", "viewer"]

Done = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Placement:
    """A task was put behind another in the manual order (None: before all others), between these two moments."""

    behind: str | None
    sent: float
    received: float


@dataclass
class TaskHistory:
    """What was acknowledged of one task."""

    room_id: str
    versions: dict[int, Json | None] = field(default_factory=dict)
    """What it was said to be at a version; None: in the trash."""
    placements: dict[int, Placement] = field(default_factory=dict)
    """By the version that each made."""
    arrived: float = 0.0
    """When it was last acknowledged as moved or restored. In the trash it keeps its place in the order."""
    purged: bool = False
    contradictions: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The latest version that was acknowledged."""
        return max(self.versions)

    @property
    def trashed(self) -> bool:
        """Nothing but a client moves a task to the trash or out of it, and each was acknowledged with the version."""
        return self.versions[self.last] is None

    def acknowledged(self, version: int, task: Json | None) -> None:
        told = task and {name: task[name] for name in ("title", "status", "assignee_ids")}
        known = self.versions.setdefault(version, told)
        if known != told:
            self.contradictions.append(f"version {version} is {known} and {told}")


class Board:
    """What all clients know together: the rooms, the tasks, and the figures. Used by all threads at once."""

    def __init__(self, rooms: int) -> None:
        self._lock = threading.Lock()
        self._rooms: list[Json | None] = [None] * rooms
        self.tasks: dict[str, TaskHistory] = {}
        self.statuses: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        """Answers of 503, by what was asked and the code of the response."""
        self.done: Counter[str] = Counter()
        self.unanswered: list[str] = []
        self.retried = 0
        self.replayed = 0
        self._removed: set[tuple[str, str]] = set()
        """Rooms, and people whom an admin has removed from them and nobody has begun to add again."""
        self.back_by_code: list[str] = []
        """Who joined a room by its code after an admin had removed them (I16)."""

    def lacks(self, least: Mapping[str, int]) -> dict[str, int]:
        """By action that has not been acknowledged as often as it must be at least: that number."""
        return {action: number for action, number in least.items() if self.done[action] < number}

    def room(self, place: int) -> Json | None:
        return self._rooms[place]

    def put_room(self, place: int, room: Json) -> None:
        with self._lock:
            self._rooms[place] = room

    def removed(self, room_id: str, user_id: str) -> None:
        with self._lock:
            self._removed.add((room_id, user_id))

    def is_removed(self, room_id: str, user_id: str) -> bool:
        with self._lock:
            return (room_id, user_id) in self._removed

    def readmit(self, room_id: str) -> str | None:
        """Somebody who was removed from this room and is about to be added to it."""
        with self._lock:
            found = next((each for each in self._removed if each[0] == room_id), None)
            if found is not None:
                self._removed.remove(found)
            return None if found is None else found[1]

    def gone(self, room_id: str) -> None:
        with self._lock:
            self._rooms = [None if room is not None and room["id"] == room_id else room for room in self._rooms]

    def some_tasks(self, dice: random.Random, room_id: str, number: int = 1, *, trashed: bool = False) -> list[str]:
        """Ids of late tasks of a room, those in the trash or those that are not; fewer than ``number`` if there are."""
        with self._lock:
            known = [
                task_id
                for task_id, task in self.tasks.items()
                if task.room_id == room_id and not task.purged and task.trashed is trashed
            ][-12:]
        return dice.sample(known, min(number, len(known)))

    def written(self, task: Json) -> None:
        """It was acknowledged that the task is this now."""
        with self._lock:
            self.tasks.setdefault(task["id"], TaskHistory(task["room_id"])).acknowledged(task["version"], task)

    def moved(self, task: Json, placement: Placement) -> None:
        with self._lock:
            history = self.tasks[task["id"]]
            history.acknowledged(task["version"], task)
            history.placements[task["version"]] = placement
            history.arrived = max(history.arrived, placement.received)

    def restored(self, task: Json) -> None:
        with self._lock:
            history = self.tasks[task["id"]]
            history.acknowledged(task["version"], task)
            history.arrived = time.monotonic()

    def trashed(self, task_id: str, version: int) -> None:
        with self._lock:
            self.tasks[task_id].acknowledged(version, None)

    def purged(self, task_id: str) -> None:
        with self._lock:
            self.tasks[task_id].purged = True

    def answered(self, response: Response | None, action: str) -> None:
        with self._lock:
            self.statuses[str(response.status) if response else "none"] += 1
            if response is not None and response.status == 503:
                self.unavailable[f"{action}: {_cause(response)}"] += 1
            if response is not None and response.status < 300:
                self.done[action] += 1
                self.replayed += "Idempotency-Replayed" in response.headers

    def retry(self) -> None:
        with self._lock:
            self.retried += 1


def _cause(response: Response) -> str:
    """The code of a 503. The gateway words its own like the functions: no response, or no worker."""
    return str(response.json()["code"])


class Participant:
    """One client with a person of its own; a new person after that one's account was deleted."""

    def __init__(self, url: str, board: Board, places: int, dice: random.Random) -> None:
        self._anonymous = Client.over_http(url, seconds=40)
        self._board = board
        self._places = places
        self._dice = dice
        self.person: Person | None = self._anonymous.register("storm")
        self._actions: list[tuple[Callable[[Json], None], int]] = [
            (self._create, 20),
            (self._update, 16),
            (self._assign, 16),
            (self._move, 16),
            (self._trash, 12),
            (self._restore, 10),
            (self._purge, 3),
            (self._join, 18),
            (self._leave, 5),
            (self._kick, 10),
            (self._readmit, 8),
            (self._promote, 12),
            (self._close, 2),
            (self._delete_user, 2),
        ]

    def run(self, over: Done) -> None:
        actions, weights = zip(*self._actions, strict=True)
        while not over():
            if self.person is None:
                self._register()
                continue
            place = self._dice.randrange(self._places)
            room = self._board.room(place)
            if room is None:
                self.open(place)
            else:
                self._dice.choices(actions, weights)[0](room)

    def close(self) -> None:
        self._anonymous.connection.close()

    def _send(
        self, action: str, method: str, path: str, body: Json | None = None, *, version: int | None = None
    ) -> Response:
        """The response to a write, however often it must be sent for one. ``version``: what it is to be written to."""
        person = self.person or self._anonymous
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        options: dict[str, Any] = {"headers": headers} if body is None else {"headers": headers, "json": body}
        for number in range(_ATTEMPTS):
            try:
                response: Response | None = person.request(method, path, **options)
            except httpx.TransportError:
                response = None
            self._board.answered(response, action)
            if response is not None and response.status != 503:
                return response
            self._board.retry()
            time.sleep(self._dice.uniform(0.1, 0.3 * (number + 1)))
        self._board.unanswered.append(f"{method} {path}")
        raise AssertionError(f"{method} {path} had no answer after {_ATTEMPTS} attempts")

    def _register(self) -> None:
        """Public, so without a key: whoever got no response takes another name."""
        name = f"storm-{uuid.uuid4().hex[:12]}"
        body = {"username": name, "password": "quiet harbour lantern moss 61"}
        try:
            response: Response | None = self._anonymous.post("/auth/register", json=body)
        except httpx.TransportError:
            response = None
        self._board.answered(response, "register")
        if response is not None and response.status == 201:
            self.person = Person(self._anonymous.connection, response.json(), body["password"])

    def open(self, place: int) -> None:
        """A new room in this place, unless it cannot be had."""
        response = self._send("open", "POST", "/rooms", {"name": f"Room {place}"})
        if response.status == 201:
            self._board.put_room(place, response.json())

    def _join(self, room: Json) -> None:
        assert self.person is not None
        room_id, me = room["id"], self.person.id
        removed = self._board.is_removed(room_id, me)
        response = self._send("join", "POST", "/rooms/join", {"code": room["code"]})
        if response.status == 404 and not removed:
            self._board.gone(room_id)
        if response.status == 200 and removed and self._board.is_removed(room_id, me):
            self._board.back_by_code.append(f"{me} in {room_id}")

    def _leave(self, room: Json) -> None:
        assert self.person is not None
        self._send("leave", "DELETE", f"/rooms/{room['id']}/users/{self.person.id}")

    def _kick(self, room: Json) -> None:
        mine = self._administered(room)
        if mine is not None:
            other = self._dice.choice(mine["user_ids"])
            assert self.person is not None
            kicked = self._send("kick", "DELETE", f"/rooms/{mine['id']}/users/{other}").status == 204
            if kicked and other != self.person.id:
                self._board.removed(mine["id"], other)

    def _readmit(self, room: Json) -> None:
        mine = self._administered(room)
        other = self._board.readmit(mine["id"]) if mine is not None else None
        if mine is not None and other is not None:
            self._send("readmit", "POST", f"/rooms/{mine['id']}/users", {"user_id": other})

    def _promote(self, room: Json) -> None:
        mine = self._administered(room)
        if mine is not None:
            path = f"/rooms/{mine['id']}/users/{self._dice.choice(mine['user_ids'])}"
            self._send("change role", "PATCH", path, {"role": self._dice.choice(_ROLES)})

    def _create(self, room: Json) -> None:
        body = {"title": uuid.uuid4().hex, "room_id": room["id"], "priority": self._dice.choice(["low", "high"])}
        response = self._send("create task", "POST", "/tasks", body)
        if response.status == 201:
            self._board.written(response.json())
        elif response.status == 404:
            self._join(room)

    def _update(self, room: Json) -> None:
        for task_id in self._board.some_tasks(self._dice, room["id"]):
            response = self._send("update task", "PATCH", f"/tasks/{task_id}", {"title": uuid.uuid4().hex})
            if response.status == 200:
                self._board.written(response.json())

    def _assign(self, room: Json) -> None:
        """To some of those who were in the room a moment ago, or to nobody."""
        for task_id in self._board.some_tasks(self._dice, room["id"]):
            seen = self._send("look", "GET", f"/rooms/{room['id']}")
            if seen.status == 200:
                people = seen.json()["user_ids"]
                chosen = self._dice.sample(people, self._dice.randint(0, min(4, len(people))))
                response = self._send("assign", "PATCH", f"/tasks/{task_id}", {"assignee_ids": chosen})
                if response.status == 200:
                    self._board.written(response.json())

    def _move(self, room: Json) -> None:
        """Behind another task or before all, within the status or into another."""
        tasks = self._board.some_tasks(self._dice, room["id"], self._dice.choice([1, 2, 2]))
        if tasks:
            task_id, behind = tasks[0], next(iter(tasks[1:]), None)
            status = self._dice.choice([None, None, "pending", "completed"])
            sent = time.monotonic()
            response = self._send("move", "POST", f"/tasks/{task_id}/move", {"after": behind, "status": status})
            if response.status == 200:
                self._board.moved(response.json(), Placement(behind, sent, time.monotonic()))

    def _trash(self, room: Json) -> None:
        for task_id in self._board.some_tasks(self._dice, room["id"]):
            seen = self._send("look", "GET", f"/tasks/{task_id}")
            if seen.status == 200:
                version = seen.json()["version"]
                if self._send("trash", "DELETE", f"/tasks/{task_id}", version=version).status == 204:
                    self._board.trashed(task_id, version + 1)

    def _restore(self, room: Json) -> None:
        for task_id in self._board.some_tasks(self._dice, room["id"], trashed=True):
            response = self._send("restore", "POST", f"/tasks/{task_id}/restore", {})
            if response.status == 200:
                self._board.restored(response.json())

    def _purge(self, room: Json) -> None:
        for task_id in self._board.some_tasks(self._dice, room["id"], trashed=True):
            if self._send("purge", "DELETE", f"/rooms/{room['id']}/trash/{task_id}").status == 204:
                self._board.purged(task_id)

    def _close(self, room: Json) -> None:
        mine = self._administered(room)
        if mine is not None and self._send("close room", "DELETE", f"/rooms/{mine['id']}").status == 204:
            self._board.gone(mine["id"])

    def _delete_user(self, _: Json) -> None:
        self._send("delete user", "DELETE", "/users/me")
        self.person = None

    def _administered(self, room: Json) -> Json | None:
        """A room of which one is admin, as far as one can see: this one, or the first other one."""
        others = [self._board.room(place) for place in range(self._places)]
        for each in [room, *(other for other in others if other is not None and other["id"] != room["id"])]:
            response = self._send("look", "GET", f"/rooms/{each['id']}")
            if response.status == 200 and response.json()["role"] == "admin":
                seen: Json = response.json()
                return seen
        return None

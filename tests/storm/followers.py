"""Clients that keep copies while a storm blows, and how long a change takes to reach the log and a copy.

They apply pages with the code of docs/guides/sync.md. At the end each copy is what the routes show its person (I14).
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import httpx

from tests.storm.hooks import Hooks
from tests.support.client import Client, Person, Response
from tests.support.copies import GUIDE, difference, held_for

Json = dict[str, Any]
Done = Callable[[], bool]

_LIMITS = [3, 20, 200]
_SECONDS_BETWEEN_PULLS = 1.5
_MOST_PAGES = 1000
_RARE = 4
"""Every fourth follower reads the changes of a room, too."""


class Follower:
    """The client of whoever a participant is at the moment. A new person has a new copy."""

    def __init__(self, number: int, person: Callable[[], Person | None], dice: random.Random) -> None:
        self.pages: Counter[str] = Counter()
        self._person_now = person
        self._person: Person | None = None
        self._dice = dice
        self._copy: Json = GUIDE["empty"]()
        self._reads_changes = number % _RARE == 0
        self._cursors: dict[str, tuple[str, int]] = {}
        """Of rooms whose changes it reads: the cursor, and the number of the last change."""
        self.gaps: list[str] = []

    def run(self, over: Done) -> None:
        while not over():
            self._begin()
            if self._person is not None:
                self._next_page(self._person, self._dice.choice(_LIMITS))
                if self._reads_changes:
                    self._changes(self._person)
            time.sleep(self._dice.uniform(0, 2 * _SECONDS_BETWEEN_PULLS))

    def difference(self) -> str:
        """How the copy is otherwise than the routes, once nobody writes; empty if it is not."""
        self._begin()
        if self._person is None:
            return ""
        for _ in range(_MOST_PAGES):
            if self._next_page(self._person, 200) is False:
                return difference(self._copy, held_for(self._person))
        return "there is always more"

    def _begin(self) -> None:
        person = self._person_now()
        if person is not self._person:
            self._person, self._copy, self._cursors = person, GUIDE["empty"](), {}

    def _next_page(self, person: Person, limit: int) -> bool | None:
        """Whether there is more; None: there was no page."""
        body = {"cursor": self._copy["cursor"], "limit": limit}
        response = self._answer(partial(person.post, "/sync", json=body))
        self._count("sync", response)
        if response is None or response.status != 200:
            return None
        page = response.json()
        self.pages["reset"] += page["reset"]
        GUIDE["apply"](self._copy, page)
        return bool(page["more"])

    def _changes(self, person: Person) -> None:
        """Of one room, from where it was: no number may be missing."""
        for room_id in [*self._copy["rooms"]][:1]:
            cursor, last = self._cursors.get(room_id, (None, 0))
            query = {} if cursor is None else {"cursor": cursor}
            response = self._answer(partial(person.get, f"/rooms/{room_id}/changes", params=query))
            self._count("changes", response)
            if response is None or response.status != 200:
                continue
            page = response.json()
            numbers = [change["seq"] for change in page["changes"]]
            if cursor is not None and numbers != [*range(last + 1, last + 1 + len(numbers))]:
                self.gaps.append(f"{room_id}: {numbers} after {last}")
            known = numbers[-1] if numbers else last
            self._cursors[room_id] = page["next_cursor"], page["head"] if cursor is None else known

    def _answer(self, request: Callable[[], Response]) -> Response | None:
        try:
            return request()
        except httpx.TransportError:
            return None

    def _count(self, route: str, response: Response | None) -> None:
        self.pages[f"{route}: {'none' if response is None else response.status}"] += 1


class Probe:
    """Somebody who changes a task of a room of their own again and again, and looks when it arrives where.

    ``in_log`` and ``in_copy`` are in seconds from the response to the change. ``lost``: changes that arrived nowhere in
    time, as a function that was killed had their records.
    """

    def __init__(self, client: Client, head: Callable[[str], int]) -> None:
        """``head``: reads the number of the last entry of a log."""
        self.in_log: list[float] = []
        self.in_copy: list[float] = []
        self.lost = 0
        self._client = client
        self._head = head
        self._person = client.register("probe")
        self._room = self._person.open_room()
        self._task = self._person.plan(room_id=self._room["id"])
        self.hooks = Hooks(self._person, self._room, head)

    def run(self, over: Done) -> None:
        copy: Json = GUIDE["empty"]()
        number = 0
        while not over():
            number += 1
            before = self._head(self._room["id"])
            changed = self._sent(partial(self._change, f"Probe {number}"))
            if changed is None:
                continue
            done = time.monotonic()
            if not self._waited(partial(self._is_beyond, before)):
                self.lost += 1
                continue
            self.in_log.append(time.monotonic() - done)
            if self._waited(partial(self._has, copy, changed["version"])):
                self.in_copy.append(time.monotonic() - done)
            time.sleep(0.3)

    def _change(self, title: str) -> Response:
        return self._person.patch(f"/tasks/{self._task['id']}", json={"title": title})

    def _is_beyond(self, number: int) -> bool:
        return self._head(self._room["id"]) > number

    def _has(self, copy: Json, version: int) -> bool:
        """After another page."""
        body = {"cursor": copy["cursor"], "limit": 200}
        page = self._sent(partial(self._person.post, "/sync", json=body))
        if page is not None:
            GUIDE["apply"](copy, page)
        task = copy["tasks"].get(self._task["id"])
        return task is not None and bool(task["version"] >= version)

    def _sent(self, request: Callable[[], Response]) -> Json | None:
        try:
            response = request()
        except httpx.TransportError:
            return None
        return cast("Json", response.json()) if response.status == 200 else None

    def _waited(self, holds: Callable[[], bool]) -> bool:
        latest = time.monotonic() + 10
        while not holds():
            if time.monotonic() > latest:
                return False
            time.sleep(0.01)
        return True


def percentiles(seconds: list[float]) -> str:
    """The median and the 99th percentile, in milliseconds."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    chosen = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99)]
    return " / ".join(f"{value * 1000:.0f} ms" for value in chosen) + f" ({len(ordered)})"

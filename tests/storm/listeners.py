"""Clients with an open WebSocket while a storm blows: which hints each gets, and how long after the change.

A listener is connected as whoever its participant is at the moment, and connects again whenever the server closes it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from infrastructure.smoke.websocket import HandshakeRefused, WebSocket
from tasksync.model import times
from tests.support.client import Person

Json = dict[str, Any]
Done = Callable[[], bool]

_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Hint:
    """That the log of a room goes up to an entry, as a user's WebSocket said. Times are in seconds since 1970."""

    user_id: str
    room_id: str
    seq: int
    at: float
    connected_at: float


@dataclass
class Listener:
    """The WebSocket of whoever a participant is at the moment."""

    person: Callable[[], Person | None]
    hints: list[Hint] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def run(self, over: Done) -> None:
        while not over():
            person = self.person()
            socket = None if person is None else self._connect(person)
            if person is None or socket is None:
                time.sleep(_WAIT_SECONDS)
                continue
            with socket:
                self._listen(person, socket, over)

    def _connect(self, person: Person) -> WebSocket | None:
        try:
            ticket = person.post("/live/tickets")
            if ticket.status == 201:
                self.happened["connected"] += 1
                return WebSocket(ticket.json()["url"])
            self.happened[f"ticket: {ticket.status}"] += 1
        except (httpx.TransportError, OSError):
            self.happened["not connected"] += 1
        except HandshakeRefused as refused:
            self.happened[f"handshake: {refused.status}"] += 1
        return None

    def _listen(self, person: Person, socket: WebSocket, over: Done) -> None:
        connected_at = time.time()
        while not over() and person is self.person():
            try:
                message = socket.message(_WAIT_SECONDS)
            except TimeoutError:
                continue
            except OSError:
                message = None
            if message is None:
                self.happened["closed by the server"] += 1
                return
            self.happened[message["type"]] += 1
            if message["type"] == "changed" and message["room_id"] is not None:
                hint = Hint(person.id, message["room_id"], message["seq"], time.time(), connected_at)
                self.hints.append(hint)


class Logs:
    """The change logs of rooms as they are stored in the end, and what they say of hints."""

    def __init__(self, items: Iterable[Json]) -> None:
        self._entries: dict[str, dict[int, Json]] = defaultdict(dict)
        for item in items:
            if item["owner_id"].startswith("room_") and item["item"].startswith("c#"):
                self._entries[item["owner_id"]][int(item["item"].removeprefix("c#"))] = item

    def latencies(self, hints: Iterable[Hint]) -> list[float]:
        """Seconds from each change of somebody else until a listener had a hint of it who was connected and in the room
        before it."""
        received: dict[tuple[str, str, float], list[Hint]] = defaultdict(list)
        for hint in hints:
            received[hint.user_id, hint.room_id, hint.connected_at].append(hint)
        found = []
        for (user_id, room_id, connected_at), those in received.items():
            known = 0
            for hint in those:
                joined = self._joined(hint)
                for seq in range(max(known, joined) + 1, hint.seq + 1):
                    entry = self._entries[room_id][seq]
                    if entry.get("actor_id") != user_id and _at(entry) > connected_at:
                        found.append(hint.at - _at(entry))
                known = max(known, hint.seq)
        return found

    def last_change_hinted(self, hints: Iterable[Hint], user_id: str, room_id: str) -> bool:
        """Whether there was a hint of the last change of a room."""
        last = max(self._entries[room_id])
        return any(hint.seq == last for hint in hints if (hint.user_id, hint.room_id) == (user_id, room_id))

    def hints_after_removal(self, hints: Iterable[Hint]) -> list[str]:
        """Hints of changes to somebody who had lost the room before, and was not let in again until the hint came."""
        return [
            f"{hint.user_id} had a hint of {hint.room_id} up to {hint.seq}, having left with {left}"
            for hint in hints
            if (left := self._left(hint)) is not None
        ]

    def _left(self, hint: Hint) -> int | None:
        """The entry by which the user had left when the hint was sent."""
        left = None
        for seq, entry in sorted(self._entries[hint.room_id].items()):
            if entry["resource"] == "membership" and entry["resource_id"] == hint.user_id:
                if entry["action"] == "deleted" and seq <= hint.seq:
                    left = seq
                elif entry["action"] == "created" and _at(entry) <= hint.at:
                    left = None
            elif hint.user_id in entry.get("lost_by", ()) and seq <= hint.seq:
                left = seq
        return left

    def _joined(self, hint: Hint) -> int:
        """The entry by which the user came into the room, if they were in it with the hint's entry; otherwise that one.

        Who gets a hint is read later than the log: somebody may get one of what was before their own entry.
        """
        joined = None
        for seq, entry in sorted(self._entries[hint.room_id].items()):
            if seq > hint.seq:
                break
            user_id = entry.get("actor_id") if entry["resource"] == "room" else entry["resource_id"]
            if user_id == hint.user_id and entry["resource"] != "task" and entry["action"] in ("created", "deleted"):
                joined = seq if entry["action"] == "created" else None
        return hint.seq if joined is None else joined


def _at(entry: Json) -> float:
    return times.parse(entry["at"]).timestamp()

"""Hints: who is notified that a change log has grown, or that they gained or lost a room.

A hint has no content but the name of the room and the position in its log: whoever gets it asks for the changes. A hint
that is lost, repeated or out of order is harmless, because clients also ask from time to time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import msgspec

from tasksync.domain.live.connections import ChangedConnections, forget_connection
from tasksync.model import times
from tasksync.model.errors import DependencyFailed, WriteConflict
from tasksync.model.live import Connection, Connections

OPENING_SECONDS = 10
"""A connection is stored before it is open: so long it may not be there yet."""


class Rooms(Protocol):
    """The part of the rooms repository that ``Hints`` uses."""

    def member_ids(self, room_ids: Iterable[str]) -> Mapping[str, Iterable[str]]: ...


class StoredConnections(ChangedConnections, Protocol):
    """``dynamodb/live/repository.py``, which says what each does."""

    def find_many(self, user_ids: Iterable[str]) -> list[Connections]: ...


class Sockets(Protocol):
    """``aws/websockets.py``, which says what each raises."""

    def send(self, connection_id: str, message: bytes) -> bool: ...
    def close(self, connection_id: str) -> bool: ...


Gather = Callable[..., list[Any]]
"""``dynamodb/core/gather.py``: runs jobs at the same time."""


class Growth(msgspec.Struct, frozen=True):
    """What a batch of stream records says of change logs."""

    heads: Mapping[str, int]
    """By room or user, the last position in the log."""
    gained_or_lost: frozenset[str] = frozenset()
    """Users who gained or lost a room."""
    oldest_change_at: datetime | None = None
    """When the oldest of the changes was made, as far as that is known."""


class Outcome(StrEnum):
    """What became of the hints for a connection."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class Hints:
    """Tells those who are connected."""

    def __init__(self, rooms: Rooms, connections: StoredConnections, sockets: Sockets, gather: Gather) -> None:
        self._rooms = rooms
        self._connections = connections
        self._sockets = sockets
        self._gather = gather

    def tell(self, growth: Growth) -> list[Outcome]:
        """Tell each member of each room that is connected, and return what became of it, by connection.

        Who is a member is read now, consistently: nobody who was removed gets a hint of a change that was
        committed afterwards. Raises ``DependencyFailed`` if that cannot be read: then no hint was sent.
        """
        messages = self._messages(growth)
        at = times.now()
        jobs = [
            partial(self._tell, found.user_id, connection, messages[found.user_id])
            for found in (self._connections.find_many(sorted(messages)) if messages else [])
            for connection in found.connections
            if connection.expires_at > at
        ]
        return self._gather(*jobs) if jobs else []

    def _messages(self, growth: Growth) -> Mapping[str, Sequence[bytes]]:
        """The messages for each user, by user."""
        messages: dict[str, list[bytes]] = {}
        rooms = [owner for owner in growth.heads if owner.startswith("room_")]
        members = self._rooms.member_ids(rooms) if rooms else {}
        for owner, seq in growth.heads.items():
            room_id = owner if owner in members else None
            recipients = members[owner] if room_id else [owner] if owner not in rooms else []
            message = _encoded({"type": "changed", "room_id": room_id, "seq": seq})
            for user_id in recipients:
                messages.setdefault(user_id, []).append(message)
        for user_id in growth.gained_or_lost:
            messages.setdefault(user_id, []).append(_encoded({"type": "rooms"}))
        return messages

    def _tell(self, user_id: str, connection: Connection, messages: Sequence[bytes]) -> Outcome:
        try:
            if all(self._sockets.send(connection.id, message) for message in messages):
                return Outcome.SENT
            if times.now() - connection.opened_at >= timedelta(seconds=OPENING_SECONDS):
                forget_connection(user_id, connection.id, self._connections)
            return Outcome.GONE
        except (DependencyFailed, WriteConflict):
            return Outcome.FAILED


def close_ended(before: Connections, after: Connections | None, left: str | None, sockets: Sockets) -> bool:
    """Close the connections of a user that are stored no more. False if that has to be tried again.

    ``left``: the one that ended by itself. Raises ``DependencyFailed``.
    """
    stored = {connection.id for connection in after.connections} if after else set()
    done = True
    for connection in before.connections:
        if connection.id in stored or connection.id == left:
            continue
        opening = times.now() - connection.opened_at < timedelta(seconds=OPENING_SECONDS)
        if not sockets.close(connection.id) and opening:
            done = False
    return done


def _encoded(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()

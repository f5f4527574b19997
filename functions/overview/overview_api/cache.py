"""Overviews that were given a moment ago, kept in the memory of the container.

What is kept is given to nobody but the caller it was made for, in the role they had, and only while they are in the
same rooms by the same memberships: that is asked of DynamoDB each time, in one consistent round trip. So whoever is
removed from a room does not see it at their next request, whichever container answers that.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tasksync.model.entities import Caller, Membership, UserRole
from tasksync.runtime import clock

# At 10 KB for an overview as people have it, 2 MB. One can reach 4 MB.
_MOST_KEPT = 200
_MOST_KEPT_BYTES = 60_000_000


class Memberships(Protocol):
    """``dynamodb/rooms/repository.py``."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str, /) -> dict[str, Membership]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An overview as it was answered, in JSON, and when."""

    body: bytes
    tag: str
    made_at: datetime

    @property
    def age_seconds(self) -> int:
        """Whole seconds, as the Age header has them (RFC 9111 §5.1)."""
        return max(0, int((clock.now() - self.made_at).total_seconds()))


class OverviewCache:
    """At most 200, and 60 MB; what was kept first goes first."""

    def __init__(self, memberships: Memberships) -> None:
        self._memberships = memberships
        self._kept: OrderedDict[tuple[str, UserRole], tuple[Answer, dict[str, Membership]]] = OrderedDict()
        self._bytes = 0

    def keep(self, caller: Caller, answer: Answer, memberships: Iterable[Membership]) -> None:
        """``memberships``: the caller's, in the rooms that the answer shows."""
        if _key(caller) in self._kept:
            self._drop(_key(caller))
        self._kept[_key(caller)] = answer, {membership.room_id: membership for membership in memberships}
        self._bytes += len(answer.body)
        while len(self._kept) > _MOST_KEPT or self._bytes > _MOST_KEPT_BYTES:
            self._drop(next(iter(self._kept)))

    def find(self, caller: Caller, seconds: int) -> Answer | None:
        """What this caller was answered no more than ``seconds`` ago, if they may still see all of it."""
        kept = self._kept.get(_key(caller))
        if kept is None:
            return None
        answer, memberships = kept
        if clock.now() - answer.made_at > timedelta(seconds=seconds):
            return None
        current = self._memberships.memberships_in(memberships, caller.user_id)
        return answer if current == memberships else None

    def _drop(self, key: tuple[str, UserRole]) -> None:
        answer, _ = self._kept.pop(key)
        self._bytes -= len(answer.body)


def _key(caller: Caller) -> tuple[str, UserRole]:
    return caller.user_id, caller.role

"""A cache of recent overviews, in the memory of the container.

A cached overview is used only for the same caller with the same role, and only while the caller has the same
memberships: they are read each time, in one consistent round trip. So a user who is removed from a room does not see it
in their next request, whichever container handles it.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tasksync.model import times
from tasksync.model.entities import Caller, Membership, UserRole

# With typical overviews of 10 KB, that is 2 MB. An overview has 4 MB at most.
_MAX_ENTRIES = 200
_MAX_BYTES = 60_000_000


class Memberships(Protocol):
    """``dynamodb/rooms/repository.py``."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str, /) -> dict[str, Membership]: ...


@dataclass(frozen=True, slots=True)
class CachedOverview:
    """An encoded overview (JSON), its entity tag and when it was built."""

    body: bytes
    tag: str
    built_at: datetime

    @property
    def age_seconds(self) -> int:
        """Whole seconds, as the Age header has them (RFC 9111 §5.1)."""
        return max(0, int((times.now() - self.built_at).total_seconds()))


class OverviewCache:
    """A cache of at most 200 overviews and 60 MB. The oldest entries are dropped first."""

    def __init__(self, memberships: Memberships) -> None:
        self._memberships = memberships
        self._entries: OrderedDict[tuple[str, UserRole], tuple[CachedOverview, dict[str, Membership]]] = OrderedDict()
        self._bytes = 0

    def store(self, caller: Caller, overview: CachedOverview, memberships: Iterable[Membership]) -> None:
        """``memberships``: the caller's memberships in the rooms of the overview."""
        if _key(caller) in self._entries:
            self._drop(_key(caller))
        self._entries[_key(caller)] = overview, {membership.room_id: membership for membership in memberships}
        self._bytes += len(overview.body)
        while len(self._entries) > _MAX_ENTRIES or self._bytes > _MAX_BYTES:
            self._drop(next(iter(self._entries)))

    def find(self, caller: Caller, seconds: int) -> CachedOverview | None:
        """The caller's overview, if it is at most ``seconds`` old and the caller may still see all of it."""
        entry = self._entries.get(_key(caller))
        if entry is None:
            return None
        overview, memberships = entry
        if times.now() - overview.built_at > timedelta(seconds=seconds):
            return None
        current = self._memberships.memberships_in(memberships, caller.user_id)
        return overview if current == memberships else None

    def _drop(self, key: tuple[str, UserRole]) -> None:
        overview, _ = self._entries.pop(key)
        self._bytes -= len(overview.body)


def _key(caller: Caller) -> tuple[str, UserRole]:
    return caller.user_id, caller.role

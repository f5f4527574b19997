"""The sequencer: appends commits to change logs, each revision of each thing once and in order.

Streams deliver a record at least once, and records of different streams in any order, to several invocations at the
same time. So an append depends on nothing but what is stored: it reads the head of the log and the marker of each thing
that changed, leaves out what the log holds already, and writes entries, head and markers in one transaction that
commits only if all of them still are what was read. What is not after the head is complete.

A revision that is skipped was in a record that got lost. An entry that says so goes first.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.change_log.entries import refetch_entry, repair_of
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.change_log import Commit, Counted, Head, LogState, Marker
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.errors import WriteConflict
from tasksync.model.times import is_room_id
from tasksync.runtime.unit_of_work import retry_on_conflict

MOST_ENTRIES = 49
"""Of one transaction, which DynamoDB limits to 100 items: with the head and a marker for each entry they are 99."""

MOST_BYTES = 3_000_000
"""The most that the texts of these entries take. DynamoDB limits a transaction to 4 MB."""

RECORDS_END = timedelta(hours=48)
"""After this time no record of a thing comes any more: streams keep records for 24 hours."""


class Log(Protocol):
    """``dynamodb/change_log/repository.py``."""

    def state(self, log_id: str, thing_ids: Iterable[str]) -> LogState: ...
    def append(
        self, log_id: str, before: LogState, after: LogState, entries: Sequence[tuple[ActivityEntry, datetime]]
    ) -> None: ...


class OldTrails(Protocol):
    """``dynamodb/activity/repository.py``: the audit trails that the version before wrote."""

    def commits(self, room_id: str, after: str | None) -> Iterator[tuple[str, Commit]]: ...


class Sequencer:
    """Appends to change logs. Its methods raise ``WriteConflict`` if others keep appending to the same log."""

    def __init__(self, log: Log, old_trails: OldTrails, retention: timedelta) -> None:
        """``retention``: how long entries are kept."""
        self._log = log
        self._old_trails = old_trails
        self._retention = retention

    def append(self, log_id: str, commits: Sequence[Commit]) -> list[ActivityEntry]:
        """Append what the log does not hold yet. Commits of one thing are in the order of their revisions.

        Returns the new entries. If it raises, some of the commits may be appended: append all of them again.
        """
        appended: list[ActivityEntry] = []
        while commits:
            entries, commits = self._append_some(log_id, commits)
            appended += entries
        return appended

    def complete(self, version: Version) -> bool:
        """Append that the log lacks what led to this version of a room or task, if it does; whether it did.

        Only for what cannot be in a record any more: a record that comes later would be left out.
        """
        repair = repair_of(version)
        marker = self._state(version.owner_id, [repair]).markers.get(version.thing_id)
        if marker is not None and _is_logged(repair, marker):
            return False
        self.append(version.owner_id, [repair])
        return True

    def adopt(self, room_id: str) -> bool:
        """Begin the log of a room with what the version before wrote of it, oldest first.

        False: there is nothing of it, or the log has begun already.
        """
        adopted = False
        while self._adopt_some(room_id):
            adopted = True
        return adopted

    @retry_on_conflict
    def _append_some(self, log_id: str, commits: Sequence[Commit]) -> tuple[list[ActivityEntry], Sequence[Commit]]:
        """Returns the new entries, and the commits that are left."""
        state = self._state(log_id, commits)
        if is_room_id(log_id) and not _is_begun(state.head) and self.adopt(log_id):
            state = self._state(log_id, commits)
        draft = _Draft(log_id, state, self._retention)
        rest = draft.take(commits)
        if draft.after != state:
            self._log.append(log_id, state, draft.after, draft.entries)
        return draft.new_entries, rest

    @retry_on_conflict
    def _adopt_some(self, room_id: str) -> bool:
        """Whether something was left to adopt."""
        head = self._log.state(room_id, ()).head
        if _is_begun(head):
            return False
        found = list(islice(self._old_trails.commits(room_id, head.adopted), MOST_ENTRIES + 1))
        if not found and head.adopted is None:
            return False
        old = [commit for _, commit in found[:MOST_ENTRIES]]
        state = self._state(room_id, old)
        if state.head != head:
            raise WriteConflict
        draft = _Draft(room_id, state, self._retention)
        taken = len(old) - len(draft.take(old))
        draft.head = replace(draft.head, adopted=found[taken - 1][0] if taken < len(found) else None)
        self._log.append(room_id, state, draft.after, draft.entries)
        return True

    def _state(self, log_id: str, commits: Sequence[Commit]) -> LogState:
        return self._log.state(log_id, {commit.thing_id for commit in commits[:MOST_ENTRIES]})


def _is_begun(head: Head) -> bool:
    """Whether the log has all that the version before wrote."""
    return head.seq > 0 and head.adopted is None


class _Draft:
    """What one transaction is to append."""

    def __init__(self, log_id: str, state: LogState, retention: timedelta) -> None:
        self.head = state.head
        self.markers = dict(state.markers)
        self.entries: list[tuple[ActivityEntry, datetime]] = []
        """Each with the time at which it expires."""
        self._log_id = log_id
        self._retention = retention
        self._now = times.now()
        self._bytes = 0

    @property
    def after(self) -> LogState:
        return LogState(self.head, self.markers)

    @property
    def new_entries(self) -> list[ActivityEntry]:
        return [entry for entry, _ in self.entries]

    def take(self, commits: Sequence[Commit]) -> Sequence[Commit]:
        """Add as many of the commits as one transaction can hold. Returns the others."""
        for taken, commit in enumerate(commits[:MOST_ENTRIES]):
            marker = self.markers.get(commit.thing_id)
            if marker is not None and _is_logged(commit, marker):
                continue
            if marker is not None and commit.revision == marker.revision:
                entries = []  # a repair of the count
            else:
                entries = [*_gap(self._log_id, commit, marker), *commit.entries]
            if self.entries and not self._has_space(entries):
                return commits[taken:]
            self._add(commit, marker or Marker(0), entries)
        return commits[MOST_ENTRIES:]

    def _has_space(self, entries: Sequence[ActivityEntry]) -> bool:
        size = self._bytes + sum(map(_size, entries))
        return len(self.entries) + len(entries) <= MOST_ENTRIES and size <= MOST_BYTES

    def _add(self, commit: Commit, marker: Marker, entries: Sequence[ActivityEntry]) -> None:
        expires_at = (commit.kept_from or self._now) + self._retention
        for entry in entries:
            self._count_up(seq=1)
            self.entries.append((replace(entry, seq=self.head.seq), expires_at))
            self._bytes += _size(entry)
        counted = marker.counted if commit.counted is None else commit.counted
        self._count_up(**{marker.counted: -1})
        self._count_up(**{counted: 1})
        if commit.revision is not None or commit.thing_id in self.markers:
            self.markers[commit.thing_id] = Marker(
                marker.revision if commit.revision is None else commit.revision,
                commit.version,
                counted,
                self._now + RECORDS_END if commit.gone else None,
            )
        if commit.gone and commit.thing_id == self._log_id:
            self.head = replace(self.head, expires_at=self._now + RECORDS_END)
        if self.head.expires_at is not None:
            self.head = replace(self.head, expires_at=max(self.head.expires_at, expires_at))

    def _count_up(self, **changes: int) -> None:
        changed = {name: getattr(self.head, name) + by for name, by in changes.items() if name != Counted.NEITHER}
        self.head = replace(self.head, **changed)


def _is_logged(commit: Commit, marker: Marker) -> bool:
    if commit.revision is None or commit.revision > marker.revision:
        return False
    return commit.revision < marker.revision or commit.counted in (None, marker.counted)


def _gap(log_id: str, commit: Commit, marker: Marker | None) -> list[ActivityEntry]:
    """The entry that covers the revisions between the last one that the log holds and this one, if there are any."""
    if commit.resource is ActivityResource.USER and commit.thing_id != log_id:
        return []  # a person's name, of which rooms are told no more than that it is another one
    refetch = any(entry.action is ActivityAction.REFETCH for entry in commit.entries)
    last = 0 if marker is None else marker.revision
    if commit.revision is None or commit.revision == last + 1 or refetch:
        return []
    return [refetch_entry(log_id, commit.thing_id, commit.resource, commit.at, commit.revision - 1)]


def _size(entry: ActivityEntry) -> int:
    """The bytes of its texts."""
    return sum(len(text.encode()) for pair in entry.changes.values() for text in pair if text is not None)

"""The sequencer: appends commits to change logs, each revision of each thing once and in order.

Streams deliver a record at least once, and records of different streams in any order, to several invocations at the
same time. Each of them may be cut off after any request, and a write whose response is lost may be carried out. So an
append depends on nothing but what is stored:

1. Read the head of the log: the number of its last complete entry.
2. Read the markers: the last revision that the log holds of each thing. They are read after the head, so they are at
   least as far as it is.
3. Leave out what the log holds. A revision that is skipped was in a record that got lost: an entry that says so goes
   first.
4. Put the entries under the next numbers, if these are free. This commits them. If they are free, nobody has appended
   since the head was read, so the markers are no further than it either.
5. Write the markers, then the head. An entry has all that this takes. So whoever finds entries after the head, as
   their function is still at work or was cut off, completes them in the same way, and begins again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.change_log.entries import end_of, refetch_entry, repair_of
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.change_log import RECORDS_END, Commit, Counted, Head, LogEntry, Marker
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.errors import WriteConflict
from tasksync.model.times import is_room_id
from tasksync.runtime.unit_of_work import retry_on_conflict

MOST_ENTRIES = 100
"""Of one transaction, as DynamoDB limits it."""

MOST_BYTES = 3_000_000
"""The most that the changes in these entries take. DynamoDB limits a transaction to 4 MB."""


class Log(Protocol):
    """``dynamodb/change_log/repository.py``."""

    def head(self, log_id: str) -> Head: ...
    def markers(self, log_id: str, thing_ids: Iterable[str]) -> dict[str, Marker]: ...
    def append(self, entries: Sequence[LogEntry]) -> bool: ...
    def after_head(self, log_id: str, head: Head) -> list[LogEntry]: ...
    def mark(self, entries: Iterable[LogEntry]) -> None: ...
    def advance(self, log_id: str, before: Head, after: Head) -> None: ...


class OldTrails(Protocol):
    """``dynamodb/activity/repository.py``: the audit trails that the version before wrote."""

    def commits(self, room_id: str, after: str | None) -> Iterator[tuple[str, Commit]]: ...


class Sequencer:
    """Appends to change logs. Its methods raise ``WriteConflict`` if others keep appending to the same log."""

    def __init__(self, log: Log, old_trails: OldTrails, retention: timedelta) -> None:
        """``retention``: how long entries are kept; for 48 hours in any case, in which an append is completed."""
        self._log = log
        self._old_trails = old_trails
        self._retention = retention

    def append(self, log_id: str, commits: Sequence[Commit]) -> list[ActivityEntry]:
        """Append what the log does not hold yet. Commits of one thing are in the order of their revisions.

        Returns the entries that are complete now and were not before, also those that others have committed. If it
        raises, some of the commits may be appended: append all of them again.
        """
        completed: list[ActivityEntry] = []
        while commits:
            entries, commits = self._append_some(log_id, commits)
            completed += entries
        return completed

    def complete(self, version: Version) -> bool:
        """Append that the log lacks what led to this version of a room or task, if it does; whether anything was
        missing.

        Only for what cannot be in a record any more: a record that comes later would be left out.
        """
        return bool(self.append(version.owner_id, [repair_of(version)]))

    def end(self, log_id: str, thing_id: str, revision: int) -> bool:
        """Append that a room, user or task, of which the log holds this revision, is gone for good; whether the log did
        not know.

        Only for what cannot be in a record any more, as with ``complete``.
        """
        return bool(self.append(log_id, [end_of(log_id, thing_id, revision)]))

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
        """Returns the entries that are complete now, and the commits that are left."""
        head = self._log.head(log_id)
        if is_room_id(log_id) and not _is_begun(head) and self.adopt(log_id):
            head = self._log.head(log_id)
        draft = _Draft(log_id, head, self._markers(log_id, commits), self._retention)
        rest = draft.take(commits)
        entries, finished = self._put(log_id, head, draft.entries)
        return entries, rest if finished else commits

    @retry_on_conflict
    def _adopt_some(self, room_id: str) -> bool:
        """Whether something was left to adopt."""
        head = self._log.head(room_id)
        if _is_begun(head):
            return False
        found = list(islice(self._old_trails.commits(room_id, head.adopted), MOST_ENTRIES + 1))
        if not found and head.adopted is None:
            return False
        old = [commit for _, commit in found[:MOST_ENTRIES]]
        draft = _Draft(room_id, head, self._markers(room_id, old), self._retention)
        taken = len(old) - len(draft.take(old))
        position = found[taken - 1][0] if taken < len(found) else None
        if draft.entries:
            last = draft.entries[-1]
            draft.entries[-1] = replace(last, head=replace(last.head, adopted=position))
            self._put(room_id, head, draft.entries)
        elif self._put(room_id, head, ())[1]:  # what is logged is not behind the head: it is not cut off in between
            self._log.advance(room_id, head, replace(head, adopted=position, changed_at=None))
        return True

    def _markers(self, log_id: str, commits: Sequence[Commit]) -> dict[str, Marker]:
        return self._log.markers(log_id, {commit.thing_id for commit in commits[:MOST_ENTRIES]})

    def _put(self, log_id: str, head: Head, entries: Sequence[LogEntry]) -> tuple[list[ActivityEntry], bool]:
        """Append these entries after the head; or, if others have appended there, complete what is seen of it.

        Returns the entries that are complete now, and whether these are and nothing of others is left after the head.
        """
        finished = bool(entries) and self._log.append(entries)
        if not finished:
            others = self._log.after_head(log_id, head)
            if entries and not others:
                raise WriteConflict
            if not others:
                return [], True
            entries = others
        self._log.mark(entries)
        self._log.advance(log_id, head, entries[-1].head)
        return [each.entry for each in entries], finished


def _is_begun(head: Head) -> bool:
    """Whether the log has all that the version before wrote."""
    return head.seq > 0 and head.adopted is None


class _Draft:
    """What one append is to put after the head."""

    def __init__(self, log_id: str, head: Head, markers: Mapping[str, Marker], retention: timedelta) -> None:
        self.entries: list[LogEntry] = []
        self._head = head
        self._markers = dict(markers)
        self._log_id = log_id
        self._retention = retention
        self._now = times.now()
        self._bytes = 0

    def take(self, commits: Sequence[Commit]) -> Sequence[Commit]:
        """Add as many of the commits as one append can hold. Returns the others."""
        for taken, commit in enumerate(commits[:MOST_ENTRIES]):
            marker = self._markers.get(commit.thing_id, Marker(0))
            if _is_logged(commit, marker):
                continue
            # What covers a gap may be in one append, and the commit in the next.
            gap = _gap(self._log_id, commit, marker)
            own = _entries(self._log_id, commit, marker)
            for entries, counted, gone in ((gap, None, False), (own, commit.counted, commit.gone)):
                if not self._has_space(entries):
                    return commits[taken:]
                for entry in entries:
                    self._add(commit, entry, counted, gone=gone)
        return commits[MOST_ENTRIES:]

    def _has_space(self, entries: Sequence[ActivityEntry]) -> bool:
        size = self._bytes + sum(map(_size, entries))
        return not self.entries or (len(self.entries) + len(entries) <= MOST_ENTRIES and size <= MOST_BYTES)

    def _add(self, commit: Commit, entry: ActivityEntry, counted: Counted | None, *, gone: bool) -> None:
        """``counted``: where the thing is counted after the entry; None: as before."""
        marker = self._markers.get(commit.thing_id, Marker(0))
        head = replace(self._head, seq=self._head.seq + 1, changed_at=self._oldest(commit, entry))
        if entry.revision is not None:
            head = _counted(_counted(head, marker.counted, -1), counted or marker.counted, 1)
            marker = Marker(entry.revision, counted or marker.counted, head.seq)
            self._markers[commit.thing_id] = marker
        expires_at = max((commit.kept_from or self._now) + self._retention, self._now + RECORDS_END)
        if head.expires_at is not None or (gone and commit.thing_id == self._log_id):
            head = replace(head, expires_at=max(head.expires_at or expires_at, expires_at))
        self._head = head
        self._bytes += _size(entry)
        numbered = replace(entry, seq=head.seq)
        self.entries.append(LogEntry(numbered, expires_at, head, marker.counted, gone, commit.lost_by))

    def _oldest(self, commit: Commit, entry: ActivityEntry) -> datetime | None:
        """When the oldest change of this append was made; None if one is of the version before."""
        if commit.kept_from is not None:
            return None
        before = self._head.changed_at
        return min(before, entry.at) if self.entries and before is not None else entry.at


def _counted(head: Head, counted: Counted, change: int) -> Head:
    match counted:
        case Counted.OPEN:
            return replace(head, open=head.open + change)
        case Counted.COMPLETED:
            return replace(head, completed=head.completed + change)
        case Counted.NEITHER:
            return head


def _is_logged(commit: Commit, marker: Marker) -> bool:
    if commit.revision is None or commit.revision > marker.revision:
        return False
    return commit.revision < marker.revision or commit.counted in (None, marker.counted)


def _entries(log_id: str, commit: Commit, marker: Marker) -> Sequence[ActivityEntry]:
    if commit.revision != marker.revision:
        return commit.entries
    # It is in the log, and counted in the wrong place.
    return [refetch_entry(log_id, commit.thing_id, commit.resource, times.now(), commit.revision)]


def _gap(log_id: str, commit: Commit, marker: Marker) -> Sequence[ActivityEntry]:
    """The entry that covers the revisions between the last one that the log holds and this one, if there are any."""
    if commit.resource is ActivityResource.USER and commit.thing_id != log_id:
        return []  # a person's name: logs of rooms say no more than that it is another one
    refetch = any(entry.action is ActivityAction.REFETCH for entry in commit.entries)
    if commit.revision is None or commit.revision <= marker.revision + 1 or refetch:
        return []
    return [refetch_entry(log_id, commit.thing_id, commit.resource, commit.at, commit.revision - 1)]


def _size(entry: ActivityEntry) -> int:
    """The bytes of its changes as they are stored: escapes make texts longer."""
    return len(json.dumps(entry.changes, ensure_ascii=False).encode())

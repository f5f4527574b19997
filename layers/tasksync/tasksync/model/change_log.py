"""The change log: what it holds of a room, or of a user with their personal tasks.

A log is a sequence of entries, numbered from 1 without a gap. Its head says up to which number it is complete: nothing
is ever inserted before. Entries after the head are committed, too, and are not shown until the head is at them.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tasksync.model import times
from tasksync.model.entities import ActivityEntry, ActivityResource, Room, TaskCounts, TaskStatus

_LOG_BEGINS_WITHIN = timedelta(minutes=10)
"""After the creation of a room: most often within a second. Where it takes longer than this, an alarm is raised."""

NO_RECORD_COMES_AFTER = timedelta(hours=25)
"""From the change on. After this time, no record of it is on its way any more: streams keep records for 24 hours."""

RECORDS_END = timedelta(hours=48)
"""From an append on. Twice as long as streams keep records: nobody is at work on a record of the change any more."""


class Counted(StrEnum):
    """Which count of its log a thing is in."""

    OPEN = "open"
    """A task that is pending or in progress."""
    COMPLETED = "completed"
    """A completed task."""
    NEITHER = "neither"
    """Anything else: a task in the trash, a room."""


def counted_as(status: TaskStatus) -> Counted:
    """The count of a task that is in lists."""
    return Counted.COMPLETED if status is TaskStatus.COMPLETED else Counted.OPEN


def counts_of(room: Room, logged: TaskCounts | None) -> TaskCounts | None:
    """The counts of a room. ``logged``: what the head of its log says; None: the log has not begun.

    Counts are as late as the log. So a new room without a log has zeros: its first tasks are counted some moments after
    they were created, as in every room. An older room without a log has tasks that nothing has counted yet, after an
    upgrade from a version without logs, or while its stream is not read: its counts are unknown.
    """
    if logged is None and times.now() - room.created_at < _LOG_BEGINS_WITHIN:
        return TaskCounts(0, 0)
    return logged


class Commit(msgspec.Struct, frozen=True):
    """One revision of a room, a task or a user, as its log is to hold it."""

    thing_id: str
    resource: ActivityResource
    """What the thing is. Entries about memberships are commits of their room."""
    revision: int | None
    """None: the record of the change could not be read. Then the log stays as far with the thing as it is."""
    at: datetime
    """When it was made."""
    entries: tuple[ActivityEntry, ...]
    """At least one. They are appended together, in this order."""
    counted: Counted | None
    """After the change; None: not known, so as before."""
    gone: bool = False
    """Whether the thing was deleted for good."""
    kept_from: datetime | None = None
    """From when on the log keeps the entries for its retention time; None: from when they are appended."""
    lost_by: frozenset[str] = frozenset()
    """Who was in a room when an admin deleted it. Other changes of memberships have an entry for each member."""


class Marker(msgspec.Struct, frozen=True):
    """How far the log is with a thing: the state after the last entry about it that has a revision."""

    revision: int
    """The last revision that the log holds."""
    counted: Counted = Counted.NEITHER
    seq: int = 0
    """The number of that entry."""
    expires_at: datetime | None = None
    """Of a thing that was deleted for good: when no record of it can come any more."""


class Head(msgspec.Struct, frozen=True):
    """The end of a log, and what it counts."""

    seq: int = 0
    """The number of the last entry whose marker is written. 0: there is no entry yet."""
    open: int = 0
    completed: int = 0
    adopted: str | None = None
    """How far the audit trail of the version before is appended. None: wholly, or there is none."""
    expires_at: datetime | None = None
    """Of a room or user that was deleted for good."""
    changed_at: datetime | None = None
    """When the oldest change that was appended last was made. None: the version before logged it."""


class HeadRecord(msgspec.Struct, frozen=True):
    """A head, as a stream record shows it."""

    seq: int
    has_webhooks: bool
    """Whether the log is that of a room with webhooks."""


class LogEntry(msgspec.Struct, frozen=True):
    """An entry as it is appended, with all that whoever completes the append must know."""

    entry: ActivityEntry
    expires_at: datetime
    head: Head
    """After this entry."""
    counted: Counted
    """The count that the thing is in after this entry."""
    gone: bool = False
    """Whether the thing was deleted for good."""
    lost_by: frozenset[str] = frozenset()
    """As of the commit."""

    @property
    def thing_id(self) -> str:
        """Entries about memberships are about revisions of their room."""
        entry = self.entry
        return entry.owner_id if entry.resource is ActivityResource.MEMBERSHIP else entry.resource_id

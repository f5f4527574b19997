"""The change log: what it holds of a room, or of a user with their personal tasks.

A log is a sequence of entries, numbered from 1 without a gap. Nothing is ever inserted before its head, the last entry.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tasksync.model import times
from tasksync.model.entities import ActivityEntry, ActivityResource, Room, TaskCounts, TaskStatus

_LOG_BEGINS_WITHIN = timedelta(minutes=10)
"""After the creation of a room: most often within a second. Where it takes longer than this, an alarm is raised."""

NO_RECORD_COMES_AFTER = timedelta(hours=25)
"""After this time, no record of a change is on its way any more: streams keep records for 24 hours."""


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
    """None: the record of the change could not be read."""
    version: int | None
    """What users see of it. None: it is deleted, or the record could not be read."""
    at: datetime
    """When it was made."""
    entries: tuple[ActivityEntry, ...]
    """They are appended together, in this order. None at all: users see no difference."""
    counted: Counted | None
    """After the change; None: not known, so as before."""
    gone: bool = False
    """Whether the thing was deleted for good."""
    kept_from: datetime | None = None
    """From when on the log keeps the entries for its retention time; None: from when they are appended."""


class Marker(msgspec.Struct, frozen=True):
    """How far the log is with a thing."""

    revision: int
    """The last revision that the log holds."""
    version: int | None = None
    """Of that revision. None: unknown, or the thing is deleted."""
    counted: Counted = Counted.NEITHER
    expires_at: datetime | None = None
    """Of a thing that was deleted for good: when no record of it can come any more."""


class Head(msgspec.Struct, frozen=True):
    """The end of a log, and what it counts."""

    seq: int = 0
    """The number of the last entry. 0: there is no entry yet."""
    open: int = 0
    completed: int = 0
    adopted: str | None = None
    """How far the audit trail of the version before is appended. None: wholly, or there is none."""
    expires_at: datetime | None = None
    """Of a room or user that was deleted for good."""


class LogState(msgspec.Struct, frozen=True):
    """The head of a log and some of its markers, as they were read, or as they are to be."""

    head: Head = Head()
    markers: Mapping[str, Marker] = {}
    """By thing id, of those things that have one."""

"""Versions and changes of rooms and tasks, as the activity function reads them from the streams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tasksync.model.change_context import ChangeContext
from tasksync.model.times import own_part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a room or task after a commit."""

    room_id: str
    task_id: str | None
    """None: the room itself."""
    number: int
    """1 for the first version, and one more with each commit."""
    at: datetime
    fields: Mapping[str, str]
    """The fields that users can change, by their names in the API; without empty ones."""
    context: ChangeContext | None
    """The context of the change that made this version. None: it is older than change contexts."""
    dead: bool = False
    """A room without members."""
    trashed: bool = False
    """A task in the trash."""
    rank: str | None = None
    """Of a task, in the manual order."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of those ``fields`` that have only the beginning of a text: a digest of the whole."""

    @property
    def entry_ids(self) -> tuple[str, ...]:
        """The ids of the entries of the commit that made this version."""
        members = self.context.members if self.context else {}
        return tuple(entry_id(self.at, each, self.number) for each in [*members] or [self.task_id or self.room_id])


@dataclass(frozen=True, slots=True)
class Change:
    """An item before and after a commit. ``before`` is None for a creation, ``after`` for a deletion."""

    before: Version | None
    after: Version | None
    recorded_at: datetime
    """The approximate time of the stream record, in whole seconds."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Who deleted a task for good, and when."""

    context: ChangeContext
    at: datetime


def entry_id(at: datetime, subject: str, number: int) -> str:
    """The id of an audit entry. Ids sort by time, and those of one subject by version: its times never go backwards."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return f"{milliseconds:012x}-{own_part(subject)}-{number:08x}"


def time_of(entry: str) -> datetime:
    """The time of the change, from the id of an entry."""
    return _EPOCH + timedelta(milliseconds=int(entry.partition("-")[0], 16))


def number_of(entry: str) -> int:
    """The version after the change, from the id of an entry."""
    return int(entry.rpartition("-")[2], 16)

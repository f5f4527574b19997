"""What the activity function reads from the streams: a room or a task, as commits left it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasksync.model.change_context import ChangeContext
from tasksync.model.ids import own_part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """A room or a task as one commit left it."""

    room_id: str
    task_id: str | None
    """None: the room itself."""
    number: int
    """1 for the first one, one more with each commit."""
    at: datetime
    fields: Mapping[str, str]
    """What people see of it and can change, by the names the API has for it; without what is empty."""
    context: ChangeContext | None
    """Whose change made it this version. None: it is from before changes had a context."""
    dead: bool = False
    """A room without members."""

    @property
    def entry_ids(self) -> tuple[str, ...]:
        """The ids of the entries of the commit that made this version."""
        members = self.context.members if self.context else {}
        return tuple(entry_id(self.at, each, self.number) for each in [*members] or [self.task_id or self.room_id])


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after a commit. ``before`` is None where it was made, ``after`` where it was deleted."""

    before: Version | None
    after: Version | None
    recorded_at: datetime
    """About when the stream took note of it, in whole seconds."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Who deleted a task, and when."""

    context: ChangeContext
    at: datetime


def entry_id(at: datetime, subject: str, number: int) -> str:
    """Sorts by time, and the versions of one thing always in their order: their times never go backwards."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return f"{milliseconds:012x}-{own_part(subject)}-{number:08x}"


def time_of(entry: str) -> datetime:
    """Of an id, when the change was made."""
    return _EPOCH + timedelta(milliseconds=int(entry.partition("-")[0], 16))


def number_of(entry: str) -> int:
    """Of an id, which version the change made."""
    return int(entry.rpartition("-")[2], 16)

"""Versions and changes of rooms, tasks and users, as the activity function reads them from the streams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tasksync.model.change_context import ChangeContext
from tasksync.model.change_log import Counted
from tasksync.model.entities import ActivityResource
from tasksync.model.times import own_part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a room, task or user after a commit."""

    owner_id: str
    """Whose log it belongs to."""
    thing_id: str
    resource: ActivityResource
    revision: int
    """1 for the first one, and one more with each commit that is in a log."""
    number: int
    """The version that users see."""
    at: datetime
    """When it was committed: by its version, or by a respread of ranks since."""
    fields: Mapping[str, str]
    """The fields that users can change, by their names in the API; without empty ones."""
    context: ChangeContext | None
    """The context of the change that made this version. None: it is older than change contexts."""
    dead: bool = False
    """A room without members, or a user whose deletion was accepted."""
    trashed: bool = False
    """A task in the trash."""
    rank: str | None = None
    """Of a task, in the manual order."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """By field, a digest of the whole text of which ``fields`` have the beginning, or nothing: the password."""
    counted: Counted = Counted.NEITHER
    member_ids: frozenset[str] = frozenset()
    """Of a room."""


@dataclass(frozen=True, slots=True)
class Change:
    """An item before and after a commit. ``before`` is None for a creation, ``after`` for a deletion."""

    before: Version | None
    after: Version | None
    recorded_at: datetime
    """The approximate time of the stream record, in whole seconds."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A change whose images cannot be read."""

    owner_id: str
    thing_id: str
    resource: ActivityResource
    revision: int | None
    """After the change. None: not even that can be read."""
    gone: bool
    """Whether the item was deleted."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Deletion:
    """Who deleted a task for good, and when."""

    context: ChangeContext
    at: datetime


def entry_id(at: datetime, subject: str, number: int) -> str:
    """The id of an entry. Ids sort by time, and those of one subject by revision: its times never go backwards."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return f"{milliseconds:012x}-{own_part(subject)}-{number:08x}"

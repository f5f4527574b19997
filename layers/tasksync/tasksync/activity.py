"""What the activity function reads from the streams: a room or a task, as commits left it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasksync.stamps import Stamp


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
    stamp: Stamp | None
    """Whose change made it this version. None: it is from before there were stamps."""
    dead: bool = False
    """A room without members."""


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

    stamp: Stamp
    at: datetime

"""How clients follow change logs: where each log ends, what its entries say, and how far a client has read."""

import zlib
from collections.abc import Mapping

import msgspec

from tasksync.model.entities import Task, TaskCounts

START = ""
"""``Place.listed`` of something that is to be listed from its beginning, with the room itself."""
FIRST = "0" * 32
"""``Place.listed`` before the first task."""
NO_JOIN = bytes(4)
"""``Place.join`` of the caller's personal tasks and profile, which need no membership."""


class LogEnd(msgspec.Struct, frozen=True, gc=False):
    """The end of a log: what is up to ``seq`` is complete."""

    seq: int = 0
    open: int = 0
    completed: int = 0
    counted: bool = False
    """Whether all its tasks are counted."""

    @property
    def tasks(self) -> int:
        """How many tasks its room, or user, has. It is an estimate."""
        return self.open + self.completed

    @property
    def counts(self) -> TaskCounts | None:
        """Of a room, as it shows them. None: unknown."""
        return TaskCounts(self.open, self.completed) if self.counted else None


_NO_LOG = LogEnd()


class LogEnds(msgspec.Struct, frozen=True):
    """The ends of several logs, and the epoch of all logs: a cursor of another epoch has expired."""

    epoch: int
    by_log: Mapping[str, LogEnd]
    """By log id, of those logs that have entries."""

    def of(self, log_id: str) -> LogEnd:
        return self.by_log.get(log_id, _NO_LOG)


class LoggedChange(msgspec.Struct, frozen=True):
    """An entry of a log, without the values that it changed."""

    seq: int
    at: str
    """As the API shows times."""
    actor_id: str | None
    action: str
    """``ActivityAction``, or one of a later version."""
    resource: str
    """``ActivityResource``, or one of a later version."""
    resource_id: str
    fields: tuple[str, ...]
    """The names of the changed fields."""
    request_id: str | None
    version: int | None


class ListedTasks(msgspec.Struct, frozen=True):
    """A part of the tasks of a room or person, oldest first, without long descriptions."""

    tasks: list[Task]
    ended: bool
    """Whether there are no more after them."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """How far a client has read one log."""

    seq: int
    """The last entry that it has, or that it does not need."""
    join: bytes
    """``join_digest`` of the membership by which it read."""
    listed: str | None = None
    """None: it has everything. Otherwise everything is being listed: the time-ordered part of the id of the last task
    that it has, ``FIRST`` or ``START``."""


class Following(msgspec.Struct, frozen=True):
    """How far a client has read all its logs: what the cursor of ``/sync`` says."""

    epoch: int
    places: Mapping[str, Place]
    """By room; under the id of the user, the personal tasks and the profile."""


def join_digest(join_id: str) -> bytes:
    """Short, because a cursor has one for each room. It says whether a user has left and joined again.

    Join ids are random and cursors are signed: a checksum is enough.
    """
    return zlib.crc32(join_id.encode()).to_bytes(len(NO_JOIN))

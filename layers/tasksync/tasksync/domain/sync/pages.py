"""A page of ``/sync``, in pieces: how many of them one response can hold is known when they are rendered."""

from collections.abc import Sequence

import msgspec

from tasksync.model.entities import Membership, RoomView, Task, User
from tasksync.model.following import Following, Place

Members = tuple[tuple[Membership, User], ...]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What is delivered together, and how far the client has read one log then."""

    owner_id: str
    """The room, or the user."""
    place: Place | None
    """None: the room is not followed any more."""
    room: RoomView | None = None
    whole: bool = False
    """The client is to drop what it has of the room: all of it follows, on this page and the next ones."""
    members: Members | None = None
    user: User | None = None
    task: Task | None = None
    gone_task_id: str | None = None


class SyncPage(msgspec.Struct, frozen=True):
    """A page, as far as it was read."""

    reset: bool
    """The client is to drop its copy."""
    start: Following
    """How far it had read before."""
    pieces: Sequence[Piece]
    more: bool
    """Whether there is more after the last piece."""

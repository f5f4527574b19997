"""Shapes of what goes out."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.entities import FormerRole
from tasksync.http.answers import RoomId, RoomSummary, Session, Task, Timestamp, User


class ExportedRoom(RoomSummary):
    """A room one is in, and since when."""

    joined_at: Timestamp


class FormerRoom(TypedDict):
    """A room one has been in: joining it again by its code gives no higher role."""

    room_id: RoomId
    role: Annotated[FormerRole, Meta(description="In which one left; `removed`: an admin of the room ended it.")]
    left_at: Timestamp


class Export(TypedDict):
    """Everything that is held about somebody."""

    user: User
    sessions: list[Session]
    rooms: list[ExportedRoom]
    former_rooms: Annotated[list[FormerRoom], Meta(description="Those one left or was removed from.")]
    tasks: Annotated[list[Task], Meta(description="Personal ones, and those assigned to them in the rooms above.")]
    next_cursor: Annotated[
        str | None,
        Meta(
            description="For `cursor` of the next request where one answer (4 MB) cannot hold all tasks.",
            examples=[None],
        ),
    ]

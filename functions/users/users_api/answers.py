"""Shapes of what goes out."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.answers import RoomSummary, Session, Task, Timestamp, User


class ExportedRoom(RoomSummary):
    """A room one is in, and since when."""

    joined_at: Timestamp


class Export(TypedDict):
    """Everything that is held about somebody."""

    user: User
    sessions: list[Session]
    rooms: list[ExportedRoom]
    tasks: Annotated[list[Task], Meta(description="Personal ones, and those assigned to them in the rooms above.")]
    next_cursor: Annotated[
        str | None,
        Meta(
            description="For `cursor` of the next request where one answer (4 MB) cannot hold all tasks.",
            examples=[None],
        ),
    ]

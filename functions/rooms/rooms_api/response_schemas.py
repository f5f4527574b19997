"""Response schemas."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import RoomSummary, Timestamp, UserId
from tasksync.model.entities import RoomRole


class Room(RoomSummary):
    """A room as one of its members sees it."""

    user_ids: Annotated[list[UserId], Meta(description="Its members, in the order they joined.")]


class Member(TypedDict):
    """Somebody in a room."""

    user_id: Annotated[UserId, Meta(description="Who it is.")]
    username: Annotated[str, Meta(description="Their name.", examples=["ann"])]
    role: Annotated[RoomRole, Meta(description="What they may do in the room.")]
    joined_at: Annotated[Timestamp, Meta(description="When they opened or joined the room, or were added to it.")]

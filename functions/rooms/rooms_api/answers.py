"""Shapes of what goes out."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.entities import RoomRole
from tasksync.http.answers import RoomSummary, Timestamp, UserId


class Room(RoomSummary):
    """A room as one of its members sees it."""

    user_ids: Annotated[list[UserId], Meta(description="Its members, in the order they joined.")]


class Member(TypedDict):
    """Somebody in a room."""

    user_id: UserId
    username: Annotated[str, Meta(examples=["ann"])]
    role: RoomRole
    joined_at: Timestamp

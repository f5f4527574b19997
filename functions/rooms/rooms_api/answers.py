"""Shapes of what goes out."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.entities import ActivityAction, ActivityResource, RoomRole
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


class ValueChange(TypedDict):
    """The values of a field before and after; null where there was or is none."""

    old: Annotated[str | None, Meta(examples=["Order the desks"])]
    new: Annotated[str | None, Meta(examples=["Order twelve desks"])]


class Activity(TypedDict):
    """One change of a room, of who is in it, or of a task in it."""

    id: Annotated[str, Meta(examples=["01a1fc4cc02b-01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f-00000002"])]
    at: Timestamp
    actor_id: Annotated[
        UserId | None, Meta(description="Who did it; null: the service, in carrying out a deletion or an unassignment.")
    ]
    action: ActivityAction
    resource: ActivityResource
    resource_id: Annotated[
        str,
        Meta(
            description="The room, the task or, of a membership, the user.",
            examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"],
        ),
    ]
    changes: Annotated[dict[str, ValueChange], Meta(description="By field.")]
    request_id: Annotated[
        str | None,
        Meta(
            description="In which request; its `X-Request-Id`.",
            examples=["1699949d-2e5e-4180-b16b-88be7d4f67c2"],
        ),
    ]

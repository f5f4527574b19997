"""Response schemas."""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import Member, Room, RoomId, Task, Timestamp, User, UserId, VisibleUser, one_of
from tasksync.model.entities import ActivityAction, ActivityResource

_RESOURCE_ID = Annotated[
    str,
    Meta(
        description="The room, the task or the user; of a membership, the user.",
        examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"],
    ),
]
TaskId = Annotated[
    str,
    Meta(
        description="The id of a task.",
        examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"],
    ),
]
_Seq = Annotated[int, Meta(ge=1, description="The position in the change log: from 1, without a gap.", examples=[812])]


class LoggedChange(TypedDict):
    """An entry of a change log."""

    seq: _Seq
    type: Annotated[ActivityResource, Meta(description="The kind of resource that was changed.")]
    id: _RESOURCE_ID
    version: Annotated[
        int | None,
        Meta(description="The `version` of the resource after the change; null: it is deleted, or unknown."),
    ]
    op: Annotated[ActivityAction, Meta(description="The kind of change.")]
    fields: Annotated[
        list[str],
        Meta(description="The names of the changed fields. `current` has their values.", examples=[["status"]]),
    ]
    actor_id: Annotated[UserId | None, Meta(description="The user who made the change; null: the service.")]
    request_id: Annotated[
        str | None,
        Meta(description="The `X-Request-Id` of the request.", examples=["1699949d-2e5e-4180-b16b-88be7d4f67c2"]),
    ]
    at: Annotated[Timestamp, Meta(description="When the change was made.")]


class CurrentTask(Task):
    """A changed task."""

    type: Annotated[str, Meta(description="What it is.", extra_json_schema={"const": "task"})]


class CurrentRoom(Room):
    """A changed room."""

    type: Annotated[str, Meta(description="What it is.", extra_json_schema={"const": "room"})]


class CurrentMembership(Member):
    """A changed membership. Its id is that of the user."""

    type: Annotated[str, Meta(description="What it is.", extra_json_schema={"const": "membership"})]
    id: UserId


class CurrentUser(VisibleUser):
    """A changed user: of the caller the whole profile, of others the name."""

    type: Annotated[str, Meta(description="What it is.", extra_json_schema={"const": "user"})]


_CURRENT = one_of(
    "Current",
    "Something that was changed, as it is now.",
    task=CurrentTask,
    room=CurrentRoom,
    membership=CurrentMembership,
    user=CurrentUser,
)


class Gone(TypedDict):
    """A changed thing that is not there any more: deleted, in the trash, or no member any more."""

    type: Annotated[ActivityResource, Meta(description="The kind of resource.")]
    id: _RESOURCE_ID


class Changes(TypedDict):
    """Entries of a change log, in their order, and the things that they are about."""

    changes: Annotated[list[LoggedChange], Meta(description="The entries after the cursor, oldest first.")]
    current: Annotated[
        list[Annotated[dict[str, Any], _CURRENT]],
        Meta(
            description=(
                "The changed things, each once, as they are now: never older than their entries, and maybe newer. "
                "`type` names the schema."
            )
        ),
    ]
    gone: Annotated[list[Gone], Meta(description="The changed things that are not there any more.")]
    next_cursor: Annotated[str, Meta(description="The `cursor` of the next request, also where `more` is false.")]
    head: Annotated[int, Meta(ge=0, description="The position of the last entry of the log.", examples=[812])]
    more: Annotated[bool, Meta(description="Whether there are more entries than these: send the next request now.")]


class GoneFromCopy(TypedDict):
    """Rooms and tasks that the client drops."""

    rooms: Annotated[
        list[RoomId],
        Meta(description="Rooms that the caller has left, or that are deleted: drop them with all that is in them."),
    ]
    tasks: Annotated[list[TaskId], Meta(description="Tasks that were deleted, or moved to the trash.")]


class SyncPage(TypedDict):
    """What a client changes in its copy: first it drops what `reset`, `reset_rooms` and `gone` say, then it adds."""

    reset: Annotated[bool, Meta(description="Drop the whole copy first: everything comes again.")]
    reset_rooms: Annotated[
        list[RoomId],
        Meta(
            description=(
                "Drop these rooms with all that is in them first: they come whole, on this page and the next ones. The "
                "caller has joined them, or changes since the cursor are not in the log any more."
            )
        ),
    ]
    rooms: Annotated[list[Room], Meta(description="Rooms in which something has changed, as they are now.")]
    members: Annotated[
        dict[str, list[Member]],
        Meta(
            description="By room, all its members, where the room or its members have changed: they replace those held."
        ),
    ]
    labels: Annotated[dict[str, list[dict[str, Any]]], Meta(description="By room, all its labels. There are none yet.")]
    tasks: Annotated[
        list[Task], Meta(description="New and changed tasks of rooms, and personal ones, as they are now.")
    ]
    users: Annotated[list[User], Meta(description="The caller's profile, when it has changed.")]
    gone: Annotated[GoneFromCopy, Meta(description="Rooms and tasks that are not there any more.")]
    cursor: Annotated[str, Meta(description="The `cursor` of the next request, also where `more` is false.")]
    more: Annotated[bool, Meta(description="Whether there is more: send the next request now.")]

"""Shapes of what goes out, as far as several functions share them.

They are typed dictionaries: mypy holds the code that fills them against them, and the API's description
(``infrastructure/openapi``) is made from them. At run time they are plain dictionaries.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, NotRequired, TypedDict, TypeVar

from msgspec import Meta

from tasksync.http.schemas.fields import USER
from tasksync.model.entities import (
    ActivityAction,
    ActivityResource,
    AddedBy,
    FormerRole,
    JoinRole,
    Priority,
    RoomRole,
    TaskStatus,
    UserRole,
)
from tasksync.model.errors import MAX_FIELD_ERRORS

Item = TypeVar("Item")


def one_of(name: str, description: str, **kinds: Any) -> Meta:
    """Of an object: it has one of these schemas, as its field ``type`` says. ``name`` and ``description`` are
    those of all of them together.

    msgspec knows no unions of typed dictionaries.
    """
    return Meta(
        extra={
            "one_of": tuple(kinds.values()),
            "schemas": {name: {"description": description, **_alternatives(kinds)}},
        },
        extra_json_schema={"$ref": _reference(name)},
    )


def _alternatives(kinds: Mapping[str, Any]) -> dict[str, Any]:
    references = {name: _reference(kind.__name__) for name, kind in kinds.items()}
    return {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


_TIME = {"format": "date-time"}

Timestamp = Annotated[
    str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-21T04:10:39.524Z"], extra_json_schema=_TIME)
]
Deadline = Annotated[
    str,
    Meta(
        description="When the task is due: a time in UTC or a date, in the form that was given.",
        examples=["2027-01-31T11:00:00Z", "2027-01-31"],
        # Generated clients try these in their order, and some take a date for midnight of that day.
        extra_json_schema={"anyOf": [{"type": "string", "format": "date"}, {"type": "string", **_TIME}]},
    ),
]
Version = Annotated[int, Meta(ge=1, description="Raised by every change; the first part of `ETag`.", examples=[1])]
UserId = Annotated[str, Meta(description="The id of a user.", examples=["usr_01a1fc4c9424765b9f141f9b2997a1bb"]), USER]
RoomId = Annotated[str, Meta(description="The id of a room.", examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e"])]
CreatedAt = Annotated[Timestamp, Meta(description="When it was created: RFC 3339, in UTC.")]
UpdatedAt = Annotated[Timestamp, Meta(description="When it was last changed: RFC 3339, in UTC.")]
Creator = Annotated[UserId, Meta(description="Who created it.")]

_Username = Annotated[str, Meta(description="The name that others see.", examples=["ann"])]
_Email = Annotated[str | None, Meta(description="The e-mail address, if there is one.", examples=["ann@example.org"])]
_UserRole = Annotated[UserRole, Meta(description="The role of the user in the whole installation.")]

WhoMayAdd = Annotated[AddedBy, Meta(description="Who may add the user to rooms. Shown to nobody else.")]


class User(TypedDict):
    """A user as they see themselves. Admins of the installation see every user so, without `added_by`."""

    id: UserId
    username: _Username
    email: _Email
    role: _UserRole
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    added_by: WhoMayAdd


class VisibleUser(TypedDict):
    """A user as the caller sees them: other users have only an id and a name."""

    id: UserId
    username: _Username
    email: NotRequired[_Email]
    role: NotRequired[_UserRole]
    created_at: NotRequired[CreatedAt]
    updated_at: NotRequired[UpdatedAt]
    version: NotRequired[Version]
    added_by: NotRequired[WhoMayAdd]


class Session(TypedDict):
    """A sign-in on one device."""

    id: Annotated[str, Meta(description="The id of the session.", examples=["ses_01a1fc4c951c7ae3b1d04f4a4e21c0b7"])]
    created_at: Annotated[Timestamp, Meta(description="When the user signed in.")]
    last_used_at: Annotated[Timestamp, Meta(description="When the user signed in or last refreshed the tokens.")]
    user_agent: Annotated[str, Meta(description="The `User-Agent` of the client at sign-in.", examples=["Mozilla/5.0"])]
    ip: Annotated[str, Meta(description="The IP address of the client at sign-in.", examples=["192.0.2.7"])]
    current: Annotated[bool, Meta(description="Whether the request came from this session.")]


class TaskCounts(TypedDict):
    """How many tasks a room has, without those in its trash. Read-only, and ignored in changes.

    They are counted some moments after a task was changed, and change without a new `version` of the room.
    """

    open: Annotated[int, Meta(ge=0, description="Tasks that are `pending` or `in progress`.", examples=[3])]
    completed: Annotated[int, Meta(ge=0, description="Tasks that are `completed`.", examples=[1])]


class RoomSummary(TypedDict):
    """A room as one of its members sees it in a list."""

    id: RoomId
    code: Annotated[
        str | None, Meta(description="Anybody who has the code may join. `null` for viewers.", examples=["K7QX2MZ9A"])
    ]
    join_role: Annotated[
        JoinRole | None,
        Meta(description="The role of users who join by the code; `null`: nobody can join by it.", examples=["member"]),
    ]
    name: Annotated[str | None, Meta(description="The name of the room, if it has one.", examples=["Office move"])]
    member_count: Annotated[int, Meta(ge=1, description="How many members it has.", examples=[1])]
    tasks: Annotated[
        TaskCounts | None,
        Meta(description="Its tasks; `null` until they have been counted for the first time, after an upgrade."),
    ]
    role: Annotated[RoomRole, Meta(description="The caller's role in the room.")]
    created_by: Creator
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version


class Room(RoomSummary):
    """A room as one of its members sees it."""

    user_ids: Annotated[list[UserId], Meta(description="Its members, in the order they joined.")]


class Member(TypedDict):
    """A member of a room."""

    user_id: Annotated[UserId, Meta(description="Who it is.")]
    username: Annotated[str, Meta(description="The username of the member.", examples=["ann"])]
    role: Annotated[RoomRole, Meta(description="The role of the member in the room.")]
    joined_at: Annotated[Timestamp, Meta(description="When they opened or joined the room, or were added to it.")]


class ExportedRoom(RoomSummary):
    """A room of which the user is a member, and since when."""

    joined_at: Annotated[Timestamp, Meta(description="When the user opened or joined it, or was added to it.")]


class FormerRoom(TypedDict):
    """A room of which the user was a member: joining it again by its code gives no higher role."""

    room_id: Annotated[RoomId, Meta(description="The id of the room.")]
    role: Annotated[
        FormerRole,
        Meta(description="The role at the end of the membership; `removed`: an admin of the room ended it."),
    ]
    left_at: Annotated[Timestamp, Meta(description="When the user left it or was removed from it.")]


_Description = Annotated[
    str | None, Meta(description="More about the task.", examples=["Twelve, adjustable in height."])
]


class TaskWithoutDescription(TypedDict):
    """A task: in a room, or a personal one."""

    id: Annotated[
        str,
        Meta(
            description="The id of the task.",
            examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"],
        ),
    ]
    room_id: Annotated[RoomId | None, Meta(description="The room it is in; `null` for a personal task.")]
    user_id: Annotated[UserId | None, Meta(description="The first assignee; `null`: nobody.")]
    assignee_ids: Annotated[list[UserId], Meta(description="The assignees, in the order given.")]
    title: Annotated[str, Meta(description="What is to be done.", examples=["Order the desks"])]
    status: Annotated[TaskStatus, Meta(description="The state of the task.")]
    priority: Annotated[Priority, Meta(description="The importance of the task.")]
    deadline: Deadline | None
    created_by: Creator
    created_at: CreatedAt
    updated_by: Annotated[UserId, Meta(description="Who last changed it.")]
    updated_at: UpdatedAt
    completed_at: Annotated[
        Timestamp | None,
        Meta(description="When its status became `completed`; `null` where it is not."),
    ]
    rank: Annotated[
        str,
        Meta(
            description=(
                "Its place in the manual order of its status: tasks are sorted by rank, character by character in the "
                "order of code points, then by `created_at`, then by `id`. `POST /tasks/{task_id}/move` changes it. It "
                "may also change without a new `version`, when long ranks are made short again; the order stays."
            ),
            examples=["h0V5kQ2xC"],
        ),
    ]
    version: Version


class Task(TaskWithoutDescription):
    """A task: in a room, or a personal one."""

    description: _Description


class TaskInList(TaskWithoutDescription):
    """A task in a list. Instead of a description of more than 500 characters it has the beginning of it."""

    description: NotRequired[_Description]
    description_excerpt: NotRequired[
        Annotated[
            str,
            Meta(
                description=(
                    "The first 500 characters of a longer description; then there is no `description`. "
                    "`GET /tasks/{task_id}` has the whole. It is ignored in changes."
                ),
                examples=["Twelve, adjustable in height."],
            ),
        ]
    ]


class TrashedTask(TaskInList):
    """A task in the trash. Its assignees are those it had when it was deleted."""

    trashed_at: Annotated[Timestamp, Meta(description="When it was moved to the trash.")]
    trashed_by: Annotated[UserId, Meta(description="Who moved it to the trash.")]
    expires_at: Annotated[
        Timestamp,
        Meta(description="When it is deleted for good.", examples=["2026-12-21T04:10:39.524Z"]),
    ]


class ValueChange(TypedDict):
    """The values of a field before and after a change; null: no value."""

    old: Annotated[str | None, Meta(description="The value before.", examples=["Order the desks"])]
    new: Annotated[str | None, Meta(description="The value after.", examples=["Order twelve desks"])]


class Activity(TypedDict):
    """A change of a room, of its members or of a task in it; or of a user or a personal task."""

    id: Annotated[
        str,
        Meta(
            description="The id of the entry.",
            examples=["01a1fc4cc02b-01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f-00000002"],
        ),
    ]
    seq: Annotated[
        int,
        Meta(description="The position in the change log of the room or user: from 1, without a gap.", examples=[812]),
    ]
    at: Annotated[Timestamp, Meta(description="When the change was made.")]
    actor_id: Annotated[
        UserId | None,
        Meta(
            description=(
                "The user who made the change; null: the service, during a deletion or an unassignment, or an operator."
            )
        ),
    ]
    action: Annotated[ActivityAction, Meta(description="The kind of change.")]
    resource: Annotated[ActivityResource, Meta(description="The kind of resource that was changed.")]
    resource_id: Annotated[
        str,
        Meta(
            description="The room, the task, the user or, of a membership, its user.",
            examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"],
        ),
    ]
    changes: Annotated[
        dict[str, ValueChange],
        Meta(description="The changed values, by field. Of a password, both are null."),
    ]
    request_id: Annotated[
        str | None,
        Meta(
            description="The `X-Request-Id` of the request.",
            examples=["1699949d-2e5e-4180-b16b-88be7d4f67c2"],
        ),
    ]
    version: Annotated[
        int | None,
        Meta(description="The `version` of room, task or user after the change; null: it is deleted.", examples=[7]),
    ]
    revision: Annotated[
        int | None,
        Meta(
            description=(
                "The number of the write that made the change: the log has each write of a room, task or user once "
                "and in order, or an entry `refetch` that covers it. Null: unknown."
            ),
            examples=[7],
        ),
    ]


class ExportedActivity(Activity):
    """A change that the user made, or one of their profile or a personal task."""

    room_id: Annotated[RoomId | None, Meta(description="The id of the room; null: it is not of a room.")]


class Listing(TypedDict, Generic[Item]):
    """A page of a list."""

    items: Annotated[list[Item], Meta(description="The items of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next request; null on the last page.", examples=[None])
    ]


class FieldError(TypedDict):
    """An error of one field or parameter."""

    pointer: Annotated[
        str,
        Meta(
            description="JSON pointer (RFC 6901) into the body, or into the object of the query parameters.",
            examples=["/title"],
        ),
    ]
    code: Annotated[str, Meta(description="Stable.", examples=["too_long"])]
    detail: Annotated[str, Meta(description="For people.", examples=["At most 255 characters."])]


class Problem(TypedDict):
    """What went wrong with a request (RFC 9457)."""

    type: Annotated[
        str, Meta(description="Always `about:blank`: `code` says what went wrong.", examples=["about:blank"])
    ]
    title: Annotated[str, Meta(description="The name of the status.", examples=["Not Found"])]
    status: Annotated[int, Meta(ge=400, le=599, description="The status of the response.", examples=[404])]
    code: Annotated[str, Meta(description="What went wrong, for programs. Stable.", examples=["not_found"])]
    detail: Annotated[
        str, Meta(description="What went wrong, for people.", examples=["There is nothing here that you may see."])
    ]
    request_id: Annotated[
        str, Meta(description="Also in `X-Request-Id`.", examples=["1699949d-2e5e-4180-b16b-88be7d4f67c2"])
    ]
    errors: NotRequired[
        Annotated[
            list[FieldError],
            Meta(
                max_length=MAX_FIELD_ERRORS,
                description="All errors of fields and parameters, or the first 50.",
            ),
        ]
    ]
    role: NotRequired[Annotated[str, Meta(description="With `role_too_low`: the caller's role.", examples=["viewer"])]]
    required_role: NotRequired[
        Annotated[
            str,
            Meta(
                description="With `role_too_low`: the lowest sufficient role; absent if there is none.",
                examples=["member"],
            ),
        ]
    ]
    max_age: NotRequired[
        Annotated[
            int,
            Meta(
                ge=0,
                description="With `reauthentication_required`: the maximum age of the sign-in, in seconds.",
                examples=[900],
            ),
        ]
    ]

"""Shapes of what goes out, as far as several functions share them.

They are typed dictionaries: mypy holds the code that fills them against them, and the API's description
(``infrastructure/openapi``) is made from them. At run time they are plain dictionaries.
"""

from typing import Annotated, Generic, NotRequired, TypedDict, TypeVar

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

_TIME = {"format": "date-time"}

Timestamp = Annotated[
    str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-21T04:10:39.524Z"], extra_json_schema=_TIME)
]
Version = Annotated[int, Meta(ge=1, description="Raised by every change; also in `ETag`.", examples=[1])]
UserId = Annotated[str, Meta(description="The id of a user.", examples=["usr_01a1fc4c9424765b9f141f9b2997a1bb"]), USER]
RoomId = Annotated[str, Meta(description="The id of a room.", examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e"])]
CreatedAt = Annotated[Timestamp, Meta(description="When it was created: RFC 3339, in UTC.")]
UpdatedAt = Annotated[Timestamp, Meta(description="When it was last changed: RFC 3339, in UTC.")]
Creator = Annotated[UserId, Meta(description="Who created it.")]

_Username = Annotated[str, Meta(description="The name that others see.", examples=["ann"])]
_Email = Annotated[str | None, Meta(description="The e-mail address, if there is one.", examples=["ann@example.org"])]
_UserRole = Annotated[UserRole, Meta(description="What the user may do in the whole installation.")]

WhoMayAdd = Annotated[AddedBy, Meta(description="Who may add the user to rooms. Shown to nobody else.")]


class User(TypedDict):
    """A user as they see themselves. Admins of the installation see everybody so, but for `added_by`."""

    id: UserId
    username: _Username
    email: _Email
    role: _UserRole
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    added_by: WhoMayAdd


class VisibleUser(TypedDict):
    """A user as somebody sees them: of others there is only the id and the name."""

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
    created_at: Annotated[Timestamp, Meta(description="When one signed in.")]
    last_used_at: Annotated[Timestamp, Meta(description="When one signed in or last refreshed the tokens.")]
    user_agent: Annotated[
        str, Meta(description="What the client called itself when one signed in.", examples=["Mozilla/5.0"])
    ]
    ip: Annotated[str, Meta(description="The address one signed in from.", examples=["192.0.2.7"])]
    current: Annotated[bool, Meta(description="Whether the request came from this session.")]


class RoomSummary(TypedDict):
    """A room as one of its members sees it in a list."""

    id: RoomId
    code: Annotated[
        str | None, Meta(description="Whoever has it may join. `null` for viewers.", examples=["K7QX2MZ9A"])
    ]
    join_role: Annotated[
        JoinRole | None,
        Meta(description="The role of whoever joins by the code; `null`: nobody can.", examples=["member"]),
    ]
    name: Annotated[str | None, Meta(description="The name of the room, if it has one.", examples=["Office move"])]
    member_count: Annotated[int, Meta(ge=1, description="How many members it has.", examples=[1])]
    role: Annotated[RoomRole, Meta(description="The caller's role in the room.")]
    created_by: Creator
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version


class Room(RoomSummary):
    """A room as one of its members sees it."""

    user_ids: Annotated[list[UserId], Meta(description="Its members, in the order they joined.")]


class Member(TypedDict):
    """Somebody in a room."""

    user_id: Annotated[UserId, Meta(description="Who it is.")]
    username: Annotated[str, Meta(description="Their name.", examples=["ann"])]
    role: Annotated[RoomRole, Meta(description="What they may do in the room.")]
    joined_at: Annotated[Timestamp, Meta(description="When they opened or joined the room, or were added to it.")]


class ExportedRoom(RoomSummary):
    """A room one is in, and since when."""

    joined_at: Annotated[Timestamp, Meta(description="When one opened or joined it, or was added to it.")]


class FormerRoom(TypedDict):
    """A room one has been in: joining it again by its code gives no higher role."""

    room_id: Annotated[RoomId, Meta(description="Which room.")]
    role: Annotated[FormerRole, Meta(description="In which one left; `removed`: an admin of the room ended it.")]
    left_at: Annotated[Timestamp, Meta(description="When one left it or was removed from it.")]


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
    user_id: Annotated[UserId | None, Meta(description="The first of the assignees; `null`: there is none.")]
    assignee_ids: Annotated[list[UserId], Meta(description="Who is to do it, in the order given.")]
    title: Annotated[str, Meta(description="What is to be done.", examples=["Order the desks"])]
    status: Annotated[TaskStatus, Meta(description="How far it is.")]
    priority: Annotated[Priority, Meta(description="How much it matters.")]
    deadline: Annotated[Timestamp | None, Meta(description="When it is to be done: as it was given, in UTC.")]
    created_by: Creator
    created_at: CreatedAt
    updated_by: Annotated[UserId, Meta(description="Who last changed it.")]
    updated_at: UpdatedAt
    completed_at: Annotated[
        Timestamp | None,
        Meta(description="When its status became `completed`; `null` where it is not."),
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


class ValueChange(TypedDict):
    """The values of a field before and after; null where there was or is none."""

    old: Annotated[str | None, Meta(description="The value before.", examples=["Order the desks"])]
    new: Annotated[str | None, Meta(description="The value after.", examples=["Order twelve desks"])]


class Activity(TypedDict):
    """One change of a room, of who is in it, or of a task in it."""

    id: Annotated[
        str,
        Meta(
            description="The id of the entry.",
            examples=["01a1fc4cc02b-01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f-00000002"],
        ),
    ]
    at: Annotated[Timestamp, Meta(description="When it was done.")]
    actor_id: Annotated[
        UserId | None, Meta(description="Who did it; null: the service, in carrying out a deletion or an unassignment.")
    ]
    action: Annotated[ActivityAction, Meta(description="What was done.")]
    resource: Annotated[ActivityResource, Meta(description="What it was done to.")]
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


class ExportedActivity(Activity):
    """Something one did in a room."""

    room_id: Annotated[RoomId, Meta(description="In which room.")]


class Listing(TypedDict, Generic[Item]):
    """A page of a list."""

    items: Annotated[list[Item], Meta(description="The items of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="For `cursor` of the next request; null on the last page.", examples=[None])
    ]


class FieldError(TypedDict):
    """One thing that is wrong with a request."""

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
                description="Everything that is wrong with the request at once, or the first 50.",
            ),
        ]
    ]
    role: NotRequired[Annotated[str, Meta(description="Of `role_too_low`: the caller's role.", examples=["viewer"])]]
    required_role: NotRequired[
        Annotated[
            str,
            Meta(
                description="Of `role_too_low`: the least role that is enough; absent where none is.",
                examples=["member"],
            ),
        ]
    ]
    max_age: NotRequired[
        Annotated[
            int,
            Meta(
                ge=0,
                description="Of `reauthentication_required`: how many seconds ago the sign-in may be.",
                examples=[900],
            ),
        ]
    ]

"""Shapes of what goes out, as far as several functions share them.

They are typed dictionaries: mypy holds the code that fills them against them, and the API's description
(``infrastructure/openapi``) is made from them. At run time they are plain dictionaries.
"""

from typing import Annotated, Generic, NotRequired, TypedDict, TypeVar

from msgspec import Meta

from tasksync.entities import (
    ActivityAction,
    ActivityResource,
    AddedBy,
    JoinRole,
    Priority,
    RoomRole,
    TaskStatus,
    UserRole,
)
from tasksync.errors import MOST_FAULTS
from tasksync.http.fields import USER

Item = TypeVar("Item")

_TIME = {"format": "date-time"}

Timestamp = Annotated[
    str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-21T04:10:39.524Z"], extra_json_schema=_TIME)
]
Version = Annotated[int, Meta(ge=1, description="Raised by every change; also in `ETag`.", examples=[1])]
UserId = Annotated[str, Meta(examples=["usr_01a1fc4c9424765b9f141f9b2997a1bb"]), USER]
RoomId = Annotated[str, Meta(examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e"])]


WhoMayAdd = Annotated[AddedBy, Meta(description="Who may add the user to rooms. Shown to nobody else.")]


class User(TypedDict):
    """A user as they see themselves. Admins of the installation see everybody so, but for `added_by`."""

    id: UserId
    username: Annotated[str, Meta(examples=["ann"])]
    email: Annotated[str | None, Meta(examples=["ann@example.org"])]
    role: UserRole
    created_at: Timestamp
    updated_at: Timestamp
    version: Version
    added_by: WhoMayAdd


class VisibleUser(TypedDict):
    """A user as somebody sees them: of others there is only the id and the name."""

    id: UserId
    username: Annotated[str, Meta(examples=["ann"])]
    email: NotRequired[Annotated[str | None, Meta(examples=["ann@example.org"])]]
    role: NotRequired[UserRole]
    created_at: NotRequired[Timestamp]
    updated_at: NotRequired[Timestamp]
    version: NotRequired[Version]
    added_by: NotRequired[WhoMayAdd]


class Session(TypedDict):
    """A sign-in on one device."""

    id: Annotated[str, Meta(examples=["ses_01a1fc4c951c7ae3b1d04f4a4e21c0b7"])]
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: Annotated[str, Meta(examples=["Mozilla/5.0"])]
    ip: Annotated[str, Meta(examples=["192.0.2.7"])]
    current: Annotated[bool, Meta(description="Whether the request came from this session.")]


class RoomSummary(TypedDict):
    """A room as one of its members sees it in a list."""

    id: RoomId
    code: Annotated[str | None, Meta(description="Whoever has it may join. Null for viewers.", examples=["K7QX2MZ9A"])]
    join_role: Annotated[
        JoinRole | None,
        Meta(description="The role of whoever joins by the code; null: nobody can.", examples=["member"]),
    ]
    name: Annotated[str | None, Meta(examples=["Office move"])]
    member_count: Annotated[int, Meta(ge=1, examples=[1])]
    role: Annotated[RoomRole, Meta(description="The caller's.")]
    created_by: UserId
    created_at: Timestamp
    updated_at: Timestamp
    version: Version


class Task(TypedDict):
    """A task."""

    id: Annotated[str, Meta(examples=["room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"])]
    room_id: Annotated[RoomId | None, Meta(description="The room it is in; null for a personal task.")]
    user_id: Annotated[UserId | None, Meta(description="Whose task it is to do; null if nobody's.")]
    title: Annotated[str, Meta(examples=["Order the desks"])]
    description: Annotated[str | None, Meta(examples=["Twelve, adjustable in height."])]
    status: TaskStatus
    priority: Priority
    deadline: Annotated[Timestamp | None, Meta(description="As it was given, in UTC.")]
    created_by: UserId
    created_at: Timestamp
    updated_by: UserId
    updated_at: Timestamp
    completed_at: Annotated[Timestamp | None, Meta(description="When its status last became `completed`.")]
    version: Version


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


class Listing(TypedDict, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: Annotated[
        str | None, Meta(description="For `cursor` of the next request; null on the last page.", examples=[None])
    ]


class Fault(TypedDict):
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
    """An error (RFC 9457)."""

    type: Annotated[str, Meta(examples=["about:blank"])]
    title: Annotated[str, Meta(examples=["Not Found"])]
    status: Annotated[int, Meta(ge=400, le=599, examples=[404])]
    code: Annotated[str, Meta(description="What went wrong, for programs. Stable.", examples=["not_found"])]
    detail: Annotated[
        str, Meta(description="What went wrong, for people.", examples=["There is nothing here that you may see."])
    ]
    request_id: Annotated[
        str, Meta(description="Also in `X-Request-Id`.", examples=["1699949d-2e5e-4180-b16b-88be7d4f67c2"])
    ]
    errors: NotRequired[
        Annotated[
            list[Fault],
            Meta(
                max_length=MOST_FAULTS,
                description="Everything that is wrong with the request at once, or the first 50.",
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

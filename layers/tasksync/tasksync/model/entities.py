"""Entities: the immutable values that all layers work with.

They are msgspec structs, which are created in a tenth of the time that a frozen dataclass takes: a list has 50 of them.
They are never read or written as JSON.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")

MOST_ASSIGNEES = 10
"""The maximum number of assignees of a task."""

EXCERPT_LENGTH = 500
"""In code points. A longer description is not in lists, but this much of it."""

MAX_INDEX_LAG = timedelta(minutes=10)
"""After this time, every index shows a write. In practice it takes seconds at most; AWS guarantees no bound."""


class RoomRole(StrEnum):
    """The role of a member in a room."""

    ADMIN = "admin"
    """May also change the room, its code and its members, and delete it."""
    MEMBER = "member"
    """May also plan, change and delete tasks."""
    VIEWER = "viewer"
    """May see the room, its people and its tasks, and change the status of tasks assigned to them."""


class Origin(StrEnum):
    """Who made somebody a member of a room."""

    ONESELF = "oneself"
    """They opened the room, or joined it by its code."""
    OTHERS = "others"
    """An admin of the room added them."""


class JoinRole(StrEnum):
    """The role of users who join a room by its code."""

    MEMBER = "member"
    """A member."""
    VIEWER = "viewer"
    """A viewer."""


class FormerRole(StrEnum):
    """How a membership ended: the role of a user who left, or `removed`: an admin removed them."""

    ADMIN = "admin"
    """Left as an admin."""
    MEMBER = "member"
    """Left as a member."""
    VIEWER = "viewer"
    """Left as a viewer."""
    REMOVED = "removed"
    """Was removed by an admin of the room."""


class UserRole(StrEnum):
    """The role of a user in the whole installation."""

    USER = "user"
    """May use the service."""
    ADMIN = "admin"
    """May also see, change and delete all users."""


class UserStatus(StrEnum):
    ACTIVE = "active"
    DELETING = "deleting"


class AddedBy(StrEnum):
    """Who may add a user to rooms."""

    ANYONE = "anyone"
    """Everybody."""
    SHARED = "shared"
    """Only people with whom they already share a room."""
    NOBODY = "nobody"
    """Nobody: they join rooms by their codes."""


class TaskStatus(StrEnum):
    """The state of a task."""

    PENDING = "pending"
    """Not begun."""
    IN_PROGRESS = "in progress"
    """Begun."""
    COMPLETED = "completed"
    """Done."""


class Priority(StrEnum):
    """The importance of a task."""

    LOW = "low"
    """It may wait."""
    MEDIUM = "medium"
    """As usual."""
    HIGH = "high"
    """Before others."""


class Caller(msgspec.Struct, frozen=True):
    """The user who sends the request, as the authorizer found in the access token and its session."""

    user_id: str
    session_id: str
    role: UserRole
    authenticated_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """When the user last entered the password (``auth_time`` of the access token); 1970 if the token has none."""


class User(msgspec.Struct, frozen=True):
    id: str
    username: str
    email: str | None
    password_hash: str
    role: UserRole
    status: UserStatus
    token_epoch: int
    """Incremented to sign the user out everywhere: sessions of an earlier epoch have ended."""
    created_at: datetime
    updated_at: datetime
    version: int
    added_by: AddedBy = AddedBy.ANYONE


class Recovery(msgspec.Struct, frozen=True):
    """A pending password recovery: the user may set a new password with a recovery token."""

    token_hash: str
    expires_at: datetime
    version: int
    """The user's version when the token was issued. Any later change of the user invalidates the token."""


class Exchange(msgspec.Struct, frozen=True):
    """The last refresh of a session: enough to derive its new refresh token again from the previous one."""

    spent_hash: str
    """Digest of the refresh token that was exchanged."""
    key: str | None
    """Digest of the idempotency key of the refresh request."""
    salt: str


class Session(msgspec.Struct, frozen=True):
    """A sign-in on one device, with its family of refresh tokens."""

    id: str
    user_id: str
    epoch: int
    family_hash: str
    """Digest of the part that all refresh tokens of the session share."""
    refresh_hash: str
    """Digest of the current refresh token."""
    created_at: datetime
    authenticated_at: datetime
    """When the user last entered the password: at the sign-in or a later reauthentication."""
    last_used_at: datetime
    """The sign-in or the last refresh."""
    expires_at: datetime
    """When it ends if it is not refreshed before."""
    ends_at: datetime
    """When it ends, however often it is refreshed."""
    user_agent: str
    ip: str
    exchange: Exchange | None = None
    """The last refresh; None before the first."""


class Room(msgspec.Struct, frozen=True):
    id: str
    code: str
    join_role: JoinRole | None
    """None: nobody can join by the code."""
    name: str | None
    member_count: int
    admin_count: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    member_ids: frozenset[str]
    """User ids of the members. They save reading the memberships of many rooms."""


class Membership(msgspec.Struct, frozen=True):
    room_id: str
    user_id: str
    role: RoomRole
    join_id: str
    """New at each join, so that a delayed retry of an earlier leave cannot end a later membership."""
    joined_at: datetime


class JoinedRooms(msgspec.Struct, frozen=True):
    """Candidate ids of the rooms of a user, by how the user joined. The index may lag, so they give no permission."""

    by_oneself: frozenset[str]
    """Rooms that the user created, or joined by code."""
    added: frozenset[str]
    """Rooms that others added the user to, and memberships from before this was recorded."""

    @property
    def all(self) -> frozenset[str]:
        return self.by_oneself | self.added


class FormerMember(msgspec.Struct, frozen=True):
    """A membership that ended. Joining the room again gives no higher role than before."""

    user_id: str
    room_id: str
    role: FormerRole
    left_at: datetime


class Respread(msgspec.Struct, frozen=True):
    """A job for the sweeper: about a place of somebody's manual order, ranks are to become short again.

    There is one for an owner of tasks at a time. While there is, it counts its own writes and all moves of that owner.
    So none of them relies on a rank that another has changed since it was read.
    """

    owner_id: str
    status: TaskStatus
    rank: str
    """Of the place."""
    since: datetime
    step: int
    """0: it is not stored yet."""


class DueUnassignment(msgspec.Struct, frozen=True):
    """A pending unassignment: somebody left a room, and may still be assigned to tasks in it."""

    user_id: str
    room_id: str
    since: datetime
    """When the membership ended."""


class TaskCounts(msgspec.Struct, frozen=True):
    """How many tasks a room has, without its trash, as far as its change log is."""

    open: int
    completed: int


class RoomView(msgspec.Struct, frozen=True):
    """A room as one of its members sees it, with everybody in it, in the order they joined."""

    room: Room
    caller: Membership
    members: tuple[Membership, ...]
    tasks: TaskCounts | None = None
    """None: unknown, as ``counts_of`` in ``model/change_log.py`` says; or not read."""

    @property
    def code(self) -> str | None:
        """The room's code, for those who may invite others; None for viewers."""
        return None if self.caller.role is RoomRole.VIEWER else self.room.code

    def member(self, user_id: str) -> Membership | None:
        return next((member for member in self.members if member.user_id == user_id), None)

    def is_last_admin(self, member: Membership) -> bool:
        return member.role is RoomRole.ADMIN and self.room.admin_count == 1


class Draft(msgspec.Struct, frozen=True):
    """The fields of a new task."""

    title: str
    description: str | None
    status: TaskStatus
    priority: Priority
    deadline: date | None
    """A point in time (``datetime``), or a date: the whole day in UTC."""
    assignee_ids: tuple[str, ...]


class Assignment(msgspec.Struct, frozen=True):
    """That a task is assigned to a user, by the membership that the user had then."""

    user_id: str
    join_id: str | None = None
    """The join id of the membership, for a task in a room.

    None: it is a personal task, or it was assigned before join ids were stored. In the last case any membership of the
    user counts.
    """


class Task(msgspec.Struct, frozen=True):
    id: str
    owner_id: str
    """The room of the task, or the user whose personal task it is."""
    assignees: tuple[Assignment, ...]
    """In the order in which they were given, at most ``MOST_ASSIGNEES``, each user once."""
    title: str
    description: str | None
    """The first ``EXCERPT_LENGTH`` code points of it if ``description_digest`` is set."""
    status: TaskStatus
    priority: Priority
    deadline: date | None
    """As in ``Draft``."""
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    completed_at: datetime | None
    version: int
    """Raised by every change of what users see."""
    revision: int
    """Raised by every write: a write takes place only if the task is what was read."""
    rank: str
    """Where it stands in the manual order of its status: ranks sort as texts."""
    description_digest: str | None = None
    """Of a description that was not read whole, as in lists: its SHA-256, in hexadecimal. None: it is whole."""
    trashed_at: datetime | None = None
    """When it was moved to the trash. There, the assignees are those it had then."""
    trashed_by: str | None = None

    @property
    def assignee_ids(self) -> tuple[str, ...]:
        return tuple(each.user_id for each in self.assignees)

    @property
    def user_id(self) -> str | None:
        """The first assignee."""
        return self.assignees[0].user_id if self.assignees else None

    def is_assigned_by(self, membership: Membership | None) -> bool:
        """Whether the task is assigned to this member through this membership, not an earlier one of the same user."""
        return membership is not None and any(
            each.user_id == membership.user_id and each.join_id in (None, membership.join_id) for each in self.assignees
        )


class ActivityAction(StrEnum):
    """The kind of change of a room, a membership, a task or a user."""

    CREATED = "created"
    """It was made; of a membership: somebody joined or was added."""
    UPDATED = "updated"
    """It was changed."""
    MOVED = "moved"
    """A task was moved in the manual order, and maybe to another status."""
    ORDER = "order"
    """A task got another rank, which leaves the order of the tasks as it is."""
    TRASHED = "trashed"
    """A task was moved to the trash."""
    RESTORED = "restored"
    """A task was taken out of the trash; of a user: the deletion was taken back."""
    DELETED = "deleted"
    """It was deleted; of a membership: somebody left or was removed; of a user: the deletion was accepted."""
    PURGED = "purged"
    """It was deleted for good: a task from the trash, or with its room or person; a room after its last member."""
    REFETCH = "refetch"
    """What happened to it up to this entry is not in the log: read it again."""


class ActivityResource(StrEnum):
    """The kind of resource that was changed."""

    ROOM = "room"
    """The room."""
    MEMBERSHIP = "membership"
    """Who is in it, and as what."""
    TASK = "task"
    """A task."""
    USER = "user"
    """The profile of a user."""


class ActivityEntry(msgspec.Struct, frozen=True):
    """An entry of a change log: one change of a room, a membership, a task or a user."""

    id: str
    """Derived from the change. Ids sort by time."""
    owner_id: str
    """Whose log it is in: a room, or a user."""
    at: datetime
    actor_id: str | None
    """None: the service itself, which finished a deletion or an unassignment, or an operator."""
    action: ActivityAction
    resource: ActivityResource
    resource_id: str
    """The id of the room, task or user; for a membership, of the user."""
    changes: Mapping[str, tuple[str | None, str | None]]
    """The old and the new value of each changed field."""
    request_id: str | None
    revision: int | None
    """After the change; of a refetch, up to which one changes are not in the log. None: unknown."""
    version: int | None
    """After the change. None: it is deleted, or unknown."""
    seq: int = 0
    """The position in the log, from 1. 0: it is not appended yet."""


class IdempotencyRecord(msgspec.Struct, frozen=True):
    """A request under an idempotency key, and the response to it."""

    id: str
    fingerprint: str
    """Digest of the request: the same key for another request is a mistake."""
    response: str | None = None
    """None: it has not been carried out."""


class LoginThrottle(msgspec.Struct, frozen=True):
    """Failed sign-ins to one account from one network. Times are in seconds since 1970."""

    key: str
    count: int
    ends: int
    """When the count expires."""
    waits: int = 0
    """How many attempts had to wait so far."""
    next_at: int | None = None
    """When the next attempt may be made; None: at any time."""
    version: int = 0
    """Incremented by every change except counting."""


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A page of a list, and the position of the next page; None on the last page."""

    items: list[Item]
    next: str | None

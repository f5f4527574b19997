"""What TaskSync is about. Plain values without behaviour beyond what they can say of themselves.

They are msgspec's structs, whose frozen values are made in a tenth of the time of a dataclass's: a list has 50 of them.
Nothing here is read or written as JSON.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")

MAX_INDEX_LAG = timedelta(minutes=10)
"""How long after a write every index has it: seconds at most, by all that is known, and this to be sure."""


class RoomRole(StrEnum):
    """What a member may do in a room."""

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
    """What somebody becomes in a room who joins it by its code."""

    MEMBER = "member"
    """A member."""
    VIEWER = "viewer"
    """A viewer."""


class FormerRole(StrEnum):
    """How a membership ended: in which role somebody left, or that an admin removed them."""

    ADMIN = "admin"
    """Left as an admin."""
    MEMBER = "member"
    """Left as a member."""
    VIEWER = "viewer"
    """Left as a viewer."""
    REMOVED = "removed"
    """Was removed by an admin of the room."""


class UserRole(StrEnum):
    """What a person may do in the whole installation."""

    USER = "user"
    """May use the service."""
    ADMIN = "admin"
    """May also see, change and delete all users."""


class UserStatus(StrEnum):
    ACTIVE = "active"
    DELETING = "deleting"


class AddedBy(StrEnum):
    """Who may add somebody to a room without asking them."""

    ANYONE = "anyone"
    """Everybody."""
    SHARED = "shared"
    """Only people with whom they already share a room."""
    NOBODY = "nobody"
    """Nobody: they join rooms by their codes."""


class TaskStatus(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    """Not begun."""
    IN_PROGRESS = "in progress"
    """Begun."""
    COMPLETED = "completed"
    """Done."""


class Priority(StrEnum):
    """How much a task matters."""

    LOW = "low"
    """It may wait."""
    MEDIUM = "medium"
    """As usual."""
    HIGH = "high"
    """Before others."""


class Caller(msgspec.Struct, frozen=True):
    """Who is asking: what the authorizer found in the access token and its session."""

    user_id: str
    session_id: str
    role: UserRole
    authenticated_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """When they last proved who they are, by the access token's ``auth_time``; 1970 where it does not say."""


class User(msgspec.Struct, frozen=True):
    id: str
    username: str
    email: str | None
    password_hash: str
    role: UserRole
    status: UserStatus
    token_epoch: int
    """Sessions of an earlier epoch are over: raising it signs the user out everywhere."""
    created_at: datetime
    updated_at: datetime
    version: int
    added_by: AddedBy = AddedBy.ANYONE


class Recovery(msgspec.Struct, frozen=True):
    """That a user may set a new password with a recovery token, which stands for the forgotten one."""

    token_hash: str
    expires_at: datetime
    version: int
    """Of the user when the token was issued: any change of the user since then has ended it."""


class Exchange(msgspec.Struct, frozen=True):
    """How a session came by its refresh token: enough to derive the token again from the one it was given for."""

    spent_hash: str
    """Digest of the refresh token that was given away."""
    key: str | None
    """Digest of the idempotency key it came with."""
    salt: str


class Session(msgspec.Struct, frozen=True):
    """One sign-in on one device: the family of refresh tokens that follow from it."""

    id: str
    user_id: str
    epoch: int
    family_hash: str
    """Digest of what all refresh tokens of the session share."""
    refresh_hash: str
    """Digest of the one refresh token that is good."""
    exchange: Exchange | None
    """The last refresh; None before the first."""
    created_at: datetime
    authenticated_at: datetime
    """When its person last showed the password: the sign-in, or a reauthentication since."""
    last_used_at: datetime
    """The sign-in or the last refresh."""
    expires_at: datetime
    """When it ends unless it is refreshed before."""
    ends_at: datetime
    """When it ends, however often it is refreshed."""
    user_agent: str
    ip: str


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
    """Who is in it, without roles: with this, the people of many rooms are known from the rooms alone."""


class Membership(msgspec.Struct, frozen=True):
    room_id: str
    user_id: str
    role: RoomRole
    join_id: str
    """New at each join, so that a late retry of an earlier leave cannot end a later membership."""
    joined_at: datetime


class JoinedRooms(msgspec.Struct, frozen=True):
    """Ids of the rooms that somebody is in, by how they came in. From an index that may be behind: hints, no rights."""

    by_oneself: frozenset[str]
    """Opened by them, or joined by code."""
    added: frozenset[str]
    """Others added them, or it is not known: memberships from before this was recorded."""

    @property
    def all(self) -> frozenset[str]:
        return self.by_oneself | self.added


class FormerMember(msgspec.Struct, frozen=True):
    """Somebody who was in a room and left it or was removed: so that joining again gives them no higher role."""

    user_id: str
    room_id: str
    role: FormerRole
    left_at: datetime


class DueUnassignment(msgspec.Struct, frozen=True):
    """Somebody who left a room, and may still have tasks in it."""

    user_id: str
    room_id: str
    since: datetime
    """When the membership ended."""


class RoomView(msgspec.Struct, frozen=True):
    """A room as one of its members sees it, with everybody in it, in the order they joined."""

    room: Room
    caller: Membership
    members: tuple[Membership, ...]

    @property
    def code(self) -> str | None:
        """The room's code, for those who may invite others; None for viewers."""
        return None if self.caller.role is RoomRole.VIEWER else self.room.code

    def member(self, user_id: str) -> Membership | None:
        return next((member for member in self.members if member.user_id == user_id), None)

    def is_last_admin(self, member: Membership) -> bool:
        return member.role is RoomRole.ADMIN and self.room.admin_count == 1


class Task(msgspec.Struct, frozen=True):
    id: str
    owner_id: str
    """The room it is in, or the person whose personal task it is."""
    assignee_id: str | None
    title: str
    description: str | None
    status: TaskStatus
    priority: Priority
    deadline: datetime | None
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    completed_at: datetime | None
    version: int
    join_id: str | None = None
    """Of the membership by which the assignee of a room's task has it. None: nobody has it, it is a personal task, or
    it was assigned before this was stored; then any membership of the assignee counts."""

    def is_assigned_by(self, membership: Membership | None) -> bool:
        """Whether the task is assigned to this member, by this membership and no earlier one of the same person."""
        return (
            membership is not None
            and self.assignee_id == membership.user_id
            and self.join_id in (None, membership.join_id)
        )


class ActivityAction(StrEnum):
    """What happened to a room, a membership or a task."""

    CREATED = "created"
    """It was made; of a membership: somebody joined or was added."""
    UPDATED = "updated"
    """It was changed."""
    DELETED = "deleted"
    """It was deleted; of a membership: somebody left or was removed."""
    PURGED = "purged"
    """Deleted by the service, after the last member of its room had left."""


class ActivityResource(StrEnum):
    """To what it happened."""

    ROOM = "room"
    """The room."""
    MEMBERSHIP = "membership"
    """Who is in it, and as what."""
    TASK = "task"
    """A task of the room."""


class ActivityEntry(msgspec.Struct, frozen=True):
    """One change of one thing in a room: a line of its audit trail."""

    id: str
    """Made of what it is about, so the same change has the same id each time it is recorded. Sorts by time."""
    room_id: str
    at: datetime
    actor_id: str | None
    """None: the service, in carrying out a deletion or an unassignment."""
    action: ActivityAction
    resource: ActivityResource
    resource_id: str
    """Of a membership the user."""
    changes: Mapping[str, tuple[str | None, str | None]]
    """By field: the old value and the new one."""
    request_id: str | None
    previous: tuple[str, ...]
    """Ids of the entries of the change before this one, of the same room item or task. Empty for the first."""


class IdempotencyRecord(msgspec.Struct, frozen=True):
    """That a request under an idempotency key has been carried out, and with which response."""

    id: str
    fingerprint: str
    """Digest of the request: the same key for another request is a mistake."""
    response: str
    expires_at: datetime


class LoginThrottle(msgspec.Struct, frozen=True):
    """Attempts at the password of one account from one network. Times are in seconds since 1970."""

    key: str
    count: int
    ends: int
    """When they are forgotten."""
    waits: int = 0
    """How many attempts have had to wait."""
    next_at: int | None = None
    """When the next one may be made; None as long as they are free."""
    version: int = 0
    """Rises with every change but the counting."""


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A part of a list, and where the next part begins: an opaque position, or None at the end."""

    items: list[Item]
    next: str | None

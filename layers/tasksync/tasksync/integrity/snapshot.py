"""What the auditor reads: items as they are stored, each with what stands elsewhere because of it."""

from dataclasses import dataclass
from datetime import datetime

from tasksync.model.entities import (
    DueUnassignment,
    FormerMember,
    IdempotencyRecord,
    Membership,
    Room,
    Session,
    Task,
    User,
)


@dataclass(frozen=True, slots=True)
class TrailSnapshot:
    """The end of an audit trail, of a room's own item or a task."""

    changed_at: datetime
    missing: tuple[str, ...]
    """Entries that the latest change must have, and that are not there."""


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """What is stored under one room id."""

    room_id: str
    room: Room | None
    members: tuple[Membership, ...]
    code_owner: str | None
    """Which room the claim on this room's code names. None: there is no claim, or a retired one."""
    known_users: frozenset[str]
    """Those of the members that there are users for."""
    deleting_since: dict[str, datetime]
    """By member whose deletion was accepted: when."""
    trail: TrailSnapshot | None = None
    """None: the room is gone, or was changed last before there were stamps."""
    marked: bool = False
    """Whether the sweeper finds it."""


@dataclass(frozen=True, slots=True)
class CodeSnapshot:
    """A claim on a room code."""

    code: str
    owner: str
    code_of_owner: str | None
    """The code of the room that the claim names. None: there is no such room."""
    free_at: datetime | None = None
    """Of a retired code, when another room may have it. None: the code is in use."""


@dataclass(frozen=True, slots=True)
class FormerMemberSnapshot:
    """What is known of a membership that ended."""

    former: FormerMember
    user_known: bool
    member: bool
    """Whether the person is in the room again."""


@dataclass(frozen=True, slots=True)
class UnassignmentSnapshot:
    """That tasks of somebody who left a room are to be unassigned."""

    due: DueUnassignment
    user_known: bool


@dataclass(frozen=True, slots=True)
class UserSnapshot:
    user: User
    claim_owners: dict[str, str | None]
    """By claim that this user must have: whom it names. None: there is no such claim."""
    marked: bool
    """Whether the sweeper finds them."""


@dataclass(frozen=True, slots=True)
class NameSnapshot:
    """A claim on a username or an e-mail address."""

    claim: str
    owner: str
    claims_of_owner: frozenset[str]
    """The claims that the user must have whom this one names. None at all if there is no such user."""


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    task: Task
    sort_keys_fit: bool
    """Whether the keys that its lists are sorted by are those of its deadline and priority."""
    owner_known: bool
    """Whether there is the room, dead or alive, or the person it belongs to."""
    assignee_known: bool
    """Whether its assignee, if it has one, is a user."""
    left_since: datetime | None = None
    """Where it is assigned by a membership that is over: since when at the latest. The room changed last then."""
    trail: TrailSnapshot | None = None
    """None: a personal task, or one that was changed last before there were stamps."""


@dataclass(frozen=True, slots=True)
class EntrySnapshot:
    """An entry of an audit trail."""

    room_id: str
    entry_id: str
    number: int
    """The version of the room or the task that the change made."""
    kept_seconds: int
    """How long it is kept, and the one before it presumably was."""
    missing: tuple[str, ...]
    """Entries of the change before that are not there."""
    version: int | None
    """Of the room or the task, now. None: it is gone."""


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    session: Session
    user_known: bool


@dataclass(frozen=True, slots=True)
class FamilySnapshot:
    """Sessions that were found to share a family of refresh tokens."""

    sessions: tuple[SessionSnapshot, ...]


@dataclass(frozen=True, slots=True)
class IdempotencySnapshot:
    record: IdempotencyRecord


@dataclass(frozen=True, slots=True)
class UnreadableSnapshot:
    """An item that no entity can be made of."""

    table: str
    key: tuple[str, ...]
    reason: str


Snapshot = (
    RoomSnapshot
    | CodeSnapshot
    | FormerMemberSnapshot
    | UnassignmentSnapshot
    | UserSnapshot
    | NameSnapshot
    | TaskSnapshot
    | EntrySnapshot
    | SessionSnapshot
    | FamilySnapshot
    | IdempotencySnapshot
    | UnreadableSnapshot
)

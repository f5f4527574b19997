"""Snapshots: what the auditor reads of an item, and of the items that must be consistent with it."""

from dataclasses import dataclass
from datetime import datetime

from tasksync.model.change_log import Counted, Marker
from tasksync.model.entities import (
    DueUnassignment,
    FormerMember,
    IdempotencyRecord,
    Membership,
    Respread,
    Room,
    Session,
    Task,
    User,
)
from tasksync.model.live import Connections


@dataclass(frozen=True, slots=True)
class LoggedSnapshot:
    """A room's own item, a task or a user, with how far its log is with it."""

    changed_at: datetime
    revision: int
    counted: Counted
    marker: Marker | None
    """None: the log has nothing of it."""


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """What is stored under one room id."""

    room_id: str
    room: Room | None
    members: tuple[Membership, ...]
    code_owner: str | None
    """The room that the claim on this room's code names. None: there is no claim, or a retired one."""
    known_users: frozenset[str]
    """The members whose user exists."""
    deleting_since: dict[str, datetime]
    """When the deletion of a member was accepted, by user id."""
    logged: LoggedSnapshot | None = None
    """None: the room is gone."""
    marked: bool = False
    """Whether it is marked for the sweeper."""


@dataclass(frozen=True, slots=True)
class CodeSnapshot:
    """A claim on a room code."""

    code: str
    owner: str
    code_of_owner: str | None
    """The code of the room that the claim names. None: there is no such room."""
    free_at: datetime | None = None
    """When another room may take a retired code. None: the code is in use."""


@dataclass(frozen=True, slots=True)
class FormerMemberSnapshot:
    """A membership that has ended."""

    former: FormerMember
    user_known: bool
    member: bool
    """Whether the person is in the room again."""


@dataclass(frozen=True, slots=True)
class UnassignmentSnapshot:
    """A pending unassignment of the tasks of somebody who left a room."""

    due: DueUnassignment
    user_known: bool


@dataclass(frozen=True, slots=True)
class UserSnapshot:
    """A user, with the claims on the username and the address."""

    user: User
    claim_owners: dict[str, str | None]
    """The owner of each claim that this user must have. None: the claim does not exist."""
    marked: bool
    """Whether the user is marked for the sweeper."""
    logged: LoggedSnapshot


@dataclass(frozen=True, slots=True)
class NameSnapshot:
    """A claim on a username or an e-mail address."""

    claim: str
    owner: str
    claims_of_owner: frozenset[str]
    """The claims that the owner must have; empty if the owner does not exist."""


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """A task, with the existence of its owner and its assignees, and what is stored beside it."""

    task: Task
    keys_fit: bool
    """Whether the stored keys of indexes match the content."""
    owner_known: bool
    """Whether the owning room (with or without members) or person exists."""
    unknown_assignees: tuple[str, ...]
    """The assignees who are no users."""
    logged: LoggedSnapshot
    left: tuple[str, ...] = ()
    """The assignees whose membership has ended."""
    left_since: datetime | None = None
    """If there are any: the time of the room's last change, at which the memberships were over at the latest."""
    links_fit: bool = True
    """Whether its links are there and fit its content."""
    description_fits: bool = True
    """Whether a long description is there, and the one that the task names."""


@dataclass(frozen=True, slots=True)
class TaskPartSnapshot:
    """A link or a long description, which is stored beside its task."""

    owner_id: str
    item: str
    fits: bool
    """Whether there is a task in a list that has this part."""


@dataclass(frozen=True, slots=True)
class RespreadSnapshot:
    """A job that makes ranks short again."""

    respread: Respread


@dataclass(frozen=True, slots=True)
class EntrySnapshot:
    """An entry of a change log."""

    log_id: str
    seq: int
    at: datetime
    """When the change was made."""
    live: bool
    """Whether it has not expired. DynamoDB deletes expired items in no order."""
    followed: bool
    """Whether the next entry is there."""
    head: int
    """The number of the last entry, as the head says; 0 without a head."""


@dataclass(frozen=True, slots=True)
class MissingSnapshot:
    """A room, user or task that is not there, though its change log does not say that it is gone."""

    log_id: str
    thing_id: str
    since: datetime
    """When that was seen first."""


@dataclass(frozen=True, slots=True)
class WebhooksSnapshot:
    """The webhooks of a room."""

    room_id: str
    counted: int
    """How many there are, as their state says; 0 without one."""
    there: int
    marked: bool
    """Whether the head of the room's log says that there are some."""
    room_known: bool


@dataclass(frozen=True, slots=True)
class MarkedLogSnapshot:
    """A change log whose head says that its room has webhooks."""

    room_id: str
    has_webhooks: bool


@dataclass(frozen=True, slots=True)
class DueSnapshot:
    """The state of webhooks, an ordered webhook, a pending delivery or a replay."""

    room_id: str
    item: str
    must_be_due: bool
    """Whether nothing but the sweeper sees to it for sure."""
    due_at: datetime | None
    """When the sweeper sees to it. None: never."""


@dataclass(frozen=True, slots=True)
class ConnectionsSnapshot:
    """The connections of a user."""

    stored: Connections
    expires_at: datetime
    """When DynamoDB may delete them."""
    ended: frozenset[str]
    """The sessions that have ended, of connections that have not expired."""


@dataclass(frozen=True, slots=True)
class TicketSnapshot:
    """A ticket of live updates."""

    live_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session, with the existence of its user."""

    session: Session
    user_known: bool


@dataclass(frozen=True, slots=True)
class FamilySnapshot:
    """Sessions that share a family of refresh tokens."""

    sessions: tuple[SessionSnapshot, ...]


@dataclass(frozen=True, slots=True)
class IdempotencySnapshot:
    """An idempotency record."""

    record: IdempotencyRecord


@dataclass(frozen=True, slots=True)
class UnreadableSnapshot:
    """An item that cannot be parsed."""

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
    | TaskPartSnapshot
    | RespreadSnapshot
    | EntrySnapshot
    | MissingSnapshot
    | WebhooksSnapshot
    | MarkedLogSnapshot
    | DueSnapshot
    | ConnectionsSnapshot
    | TicketSnapshot
    | SessionSnapshot
    | FamilySnapshot
    | IdempotencySnapshot
    | UnreadableSnapshot
)

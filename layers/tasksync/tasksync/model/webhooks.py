"""Webhooks: subscriptions to the change log of a room, and the deliveries of its events."""

import hashlib
import uuid
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.times import own_part

MOST_WEBHOOKS = 10
"""Of one room."""

MOST_REPLAYED = 1_000
"""Entries of one replay."""

PAYLOAD_BYTES = 20_000
"""The maximum size of a payload. In a larger one, the longest texts are left out."""

RESPONSE_BYTES = 1_024
"""How much of a receiver's response is kept."""

MOST_ATTEMPTS_KEPT = 20
"""How many attempts a delivery shows: the latest."""

SECRETS_OVERLAP = timedelta(hours=24)
"""How long the secret before signs beside a new one."""

LEDGER_TIME = timedelta(days=30)
"""How long a delivery is kept."""

RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The pause after each attempt that failed; after the attempt that follows the last pause, the delivery has failed.

In all three days and four hours, the schedule that Standard Webhooks suggests:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

LONGEST_RETRY_SECONDS = 86_400
"""However much more a receiver asks for by Retry-After."""

_UNDER_WAY = timedelta(minutes=1)
"""Longer than a request runs, and clocks differ. A change that is as much older than a webhook may not be committed yet
when the webhook is made: then it is an event."""

FAILURES_BEFORE_PAUSE = 5
"""In a row. From then on, one attempt is made after each pause, until one succeeds: a receiver that hangs would
otherwise hold what the events of others need."""

SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
"""Each pause of a webhook that fails is twice as long as the one before, up to this."""

SLOW_AFTER = timedelta(seconds=2)
"""A receiver that has not responded by then is slow. What goes to it waits in a queue of its own, so that it holds no
thread that the events of others need."""

SLOW_FOR = timedelta(minutes=10)
"""How long it counts as slow after such an attempt."""

PENDING_AT_MOST = timedelta(days=4)
"""How long a delivery waits while its webhook pauses: longer than its attempts take by themselves."""

TEST = "webhook.test"
"""The type of a test event."""

EXPIRED = "log.expired"
"""The type of a notice that the log does not hold entries any more that a webhook was to get."""


_NOTICE = "expired"


class EventType(StrEnum):
    """The types of events that a webhook can choose: a resource, and what happened to it.

    A webhook for all events gets others, too.
    """

    ROOM_CREATED = "room.created"
    """The room was opened."""
    ROOM_UPDATED = "room.updated"
    """The room was changed, or its code."""
    ROOM_DELETED = "room.deleted"
    """The room was deleted. What is sent of it may be nothing: its webhooks go with it."""
    ROOM_REFETCH = "room.refetch"
    """Changes of the room are not in the log: read it again."""
    MEMBERSHIP_CREATED = "membership.created"
    """Somebody joined, or was added."""
    MEMBERSHIP_UPDATED = "membership.updated"
    """A member has another role."""
    MEMBERSHIP_DELETED = "membership.deleted"
    """Somebody left, or was removed."""
    TASK_CREATED = "task.created"
    """A task was made."""
    TASK_UPDATED = "task.updated"
    """A task was changed."""
    TASK_MOVED = "task.moved"
    """A task was moved in the manual order, and maybe to another status."""
    TASK_ORDER = "task.order"
    """A task got another rank, which leaves the order of the tasks as it is."""
    TASK_TRASHED = "task.trashed"
    """A task was moved to the trash."""
    TASK_RESTORED = "task.restored"
    """A task was taken out of the trash."""
    TASK_DELETED = "task.deleted"
    """A task was deleted for good by somebody."""
    TASK_PURGED = "task.purged"
    """A task was deleted for good from the trash, or with its room."""
    TASK_REFETCH = "task.refetch"
    """Changes of a task are not in the log: read it again."""
    USER_UPDATED = "user.updated"
    """A member of the room has another name."""
    USER_REFETCH = "user.refetch"
    """Changes of a member's name are not in the log: read the members again."""


class WebhookState(StrEnum):
    """Whether a webhook gets events."""

    ACTIVE = "active"
    """It gets events."""
    SUSPENDED = "suspended"
    """It is ordered, and all attempts at one event have failed. It continues there once it is resumed."""
    DISABLED = "disabled"
    """The receiver answered 410. Events are not sent until it is resumed."""


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    """There will be another attempt."""
    DELIVERED = "delivered"
    """The receiver answered with a status 2xx."""
    FAILED = "failed"
    """There will be no other attempt, unless it is replayed."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription of a room's change log."""

    room_id: str
    id: str
    url: str
    events: tuple[str, ...] | None
    """The types that are sent. None: all."""
    ordered: bool
    state: WebhookState = WebhookState.ACTIVE
    generation: int = 1
    """Of the current secret."""
    overlaps_until: datetime | None = None
    """Until when the secret of the generation before signs, too."""
    since: int
    """The head of the log when the webhook was made. It gets later entries."""
    failures: int = 0
    """Attempts that failed since the last one that succeeded."""
    last_error: str | None = None
    last_failed_at: datetime | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    cursor: int = 0
    """Of an ordered webhook: the last entry that it is done with."""
    wanted: int = 0
    """Of an ordered webhook: the last entry that it is to get."""
    rechosen: int = 0
    """Of an ordered webhook: what it was to get when its types were changed last. Deliveries up to there may be pending
    that it does not want any more."""
    paused_until: datetime | None = None
    """After failures in a row, of one that is not ordered: no attempt begins before, but for test events."""
    pauses: int = 0
    """Pauses since an attempt succeeded last."""
    busy_until: datetime | None = None
    """Of an ordered webhook: no attempt begins before. A delivery is in flight, or waits for its next attempt."""
    slow_until: datetime | None = None
    """Until when its receiver counts as slow."""

    def wants(self, entry: ActivityEntry) -> bool:
        """Whether it gets this entry as an event: by the type, and unless the entry was appended late, about a change
        that was made before the webhook. The audit trail of the version before is appended so.

        Who gets events about a resource gets its refetches: what they stand for may have been such events.
        """
        if entry.seq > self.since and entry.at < self.created_at - _UNDER_WAY:
            return False
        return self.has_chosen(event_type(entry))

    def has_chosen(self, type_: str) -> bool:
        """Whether it wants events of this type."""
        if self.events is None or type_ in self.events:
            return True
        resource, _, action = type_.partition(".")
        refetch = action == ActivityAction.REFETCH.value
        return refetch and any(each.startswith(f"{resource}.") for each in self.events)

    def is_slow(self, at: datetime) -> bool:
        """Whether its receiver counts as slow."""
        return self.slow_until is not None and at < self.slow_until

    @property
    def next_pause(self) -> timedelta:
        """How long it pauses if the next attempt fails, too."""
        return min(SHORTEST_PAUSE * (1 << min(self.pauses, 16)), LONGEST_PAUSE)

    def generations(self, at: datetime) -> tuple[int, ...]:
        """The secrets that sign at this time."""
        overlaps = self.overlaps_until is not None and at < self.overlaps_until
        return (self.generation, self.generation - 1) if overlaps else (self.generation,)


class Subscriptions(msgspec.Struct, frozen=True):
    """The webhooks of a room, and how far its log has been dispatched to them."""

    dispatched: int
    """The last entry for which there is all that it needs: deliveries, and the wants of ordered webhooks."""
    webhooks: tuple[Webhook, ...]


class Attempt(msgspec.Struct, frozen=True):
    """One attempt to deliver an event."""

    at: datetime
    milliseconds: int
    status: int | None
    """Of the response. None: there was none."""
    error: str | None
    """Why it failed. None: it succeeded."""
    response: str | None
    """The beginning of the response's body."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery of one event to one webhook."""

    room_id: str
    webhook_id: str
    seq: int
    """The number of the entry. Of a test event, that of the last entry before."""
    test: str | None = None
    """Names a test event, of which there may be several after one entry."""
    last: int | None = None
    """Of a notice: ``seq`` is the first entry that the log does not hold any more, and this the last one."""
    type: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    begun: int = 0
    """Attempts that were begun, in all."""
    round: int = 0
    """``begun`` when it was created or last replayed: the schedule of attempts starts there."""
    body: str | None = None
    """The payload, fixed when the first attempt begins."""
    attempts: tuple[Attempt, ...] = ()
    created_at: datetime
    again_at: datetime | None = None
    """When it was last replayed."""
    next_at: datetime | None = None
    """When the sweeper sees to it, if nothing else has. None: it is not pending."""

    @property
    def name(self) -> str | None:
        """Distinguishes it from the delivery of the entry ``seq``. None: it is that."""
        return self.test if self.last is None else _NOTICE

    @property
    def id(self) -> str:
        """The ``webhook-id`` header: the same at each attempt."""
        text = f"{self.room_id}/{self.seq}/{self.webhook_id}/{self.name or ''}"
        return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


class Replay(msgspec.Struct, frozen=True):
    """A job: to deliver a range of entries again."""

    room_id: str
    webhook_id: str
    id: str
    next: int
    """The entry with which it continues."""
    last: int


class Purge(msgspec.Struct, frozen=True):
    """A job: to delete the deliveries and replays of a webhook that was deleted, or whose room was."""

    room_id: str
    webhook_id: str
    at: datetime
    """When the webhook was deleted."""


class Message(msgspec.Struct, frozen=True):
    """A message of the delivery queue: which item is due."""

    room_id: str
    item: str
    """The sort key of a delivery, an ordered webhook, a replay or a purge."""
    begun: int = 0
    """Of a delivery: how many attempts were begun before this one."""
    delay_seconds: int = 0
    slow: bool = False
    """Whether it is in the queue of slow receivers."""


def new_webhook_id(room_id: str) -> str:
    """A new id; unique in all rooms, as secrets are derived from it."""
    return f"whk_{own_part(room_id)[-8:]}{uuid.uuid4().hex[:24]}"


def event_type(entry: ActivityEntry) -> str:
    """The type of the event that an entry of a log is."""
    return f"{entry.resource.value}.{entry.action.value}"


def is_about_task(entry: ActivityEntry) -> bool:
    return entry.resource is ActivityResource.TASK

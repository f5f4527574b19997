"""The items of the webhooks table.

The webhooks of a room are one partition: the state of their dispatch, the webhooks, their deliveries, and replays.
"""

import json
import zlib
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model import times
from tasksync.model.webhooks import (
    LEDGER_TIME,
    Attempt,
    Delivery,
    DeliveryStatus,
    Purge,
    Replay,
    Webhook,
    WebhookState,
)
from tasksync.runtime.settings import settings

STATE = "H"
WEBHOOK = "H#"
DELIVERY = "D#"
REPLAY = "R#"
PURGE = "P#"

_DIGITS = 12

SHARDS = 8
"""The index ``due`` is spread over so many partitions, each of which takes 1,000 writes a second."""


class _Due(GlobalSecondaryIndex["WebhooksItem"]):
    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due = UnicodeAttribute(hash_key=True)
    next_at = UnicodeAttribute(range_key=True)


class WebhooksItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.webhooks_table

    room_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    due = UnicodeAttribute(null=True)
    """The partition in the index, of an item with work to do."""
    next_at = UnicodeAttribute(null=True)
    """When the sweeper sees to it, if nothing else has."""
    expires_at = NumberAttribute(null=True)
    """In seconds since 1970. DynamoDB deletes the item some time after."""
    by_due = _Due()


class StateItem(WebhooksItem):
    """Is there while the room has webhooks. It is always due: the sweeper reads the log behind ``dispatched``."""

    dispatched = NumberAttribute()
    webhooks = NumberAttribute()

    @classmethod
    def at(cls, room_id: str) -> "StateItem":
        return cls(room_id, STATE)


class WebhookItem(WebhooksItem):
    url = UnicodeAttribute()
    events = ListAttribute[str](null=True)
    ordered = BooleanAttribute()
    state = UnicodeAttribute()
    generation = NumberAttribute()
    overlaps_until = UnicodeAttribute(null=True)
    since = NumberAttribute()
    failures = NumberAttribute()
    last_error = UnicodeAttribute(null=True)
    last_failed_at = UnicodeAttribute(null=True)
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    cursor = NumberAttribute()
    wanted = NumberAttribute()
    rechosen = NumberAttribute()
    busy_until = UnicodeAttribute(null=True)
    paused_until = UnicodeAttribute(null=True)
    pauses = NumberAttribute()
    slow_until = UnicodeAttribute(null=True)

    @classmethod
    def at(cls, room_id: str, webhook_id: str) -> "WebhookItem":
        return cls(room_id, WEBHOOK + webhook_id)

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookItem":
        return cls(
            webhook.room_id,
            WEBHOOK + webhook.id,
            url=webhook.url,
            events=None if webhook.events is None else [str(each) for each in webhook.events],
            ordered=webhook.ordered,
            state=webhook.state.value,
            generation=webhook.generation,
            overlaps_until=written(webhook.overlaps_until),
            since=webhook.since,
            failures=webhook.failures,
            last_error=webhook.last_error,
            last_failed_at=written(webhook.last_failed_at),
            created_by=webhook.created_by,
            created_at=times.timestamp(webhook.created_at),
            updated_at=times.timestamp(webhook.updated_at),
            cursor=webhook.cursor,
            wanted=webhook.wanted,
            rechosen=webhook.rechosen,
            busy_until=written(webhook.busy_until),
            paused_until=written(webhook.paused_until),
            pauses=webhook.pauses,
            slow_until=written(webhook.slow_until),
        )

    def entity(self) -> Webhook:
        held = self.attribute_values
        events = held.get("events")
        return Webhook(
            room_id=self.room_id,
            id=self.item.removeprefix(WEBHOOK),
            url=self.url,
            events=None if events is None else tuple(events),
            ordered=self.ordered,
            state=WebhookState(self.state),
            generation=int(self.generation),
            overlaps_until=_read(held, "overlaps_until"),
            since=int(self.since),
            failures=int(self.failures),
            last_error=held.get("last_error"),
            last_failed_at=_read(held, "last_failed_at"),
            created_by=self.created_by,
            created_at=times.parse(self.created_at),
            updated_at=times.parse(self.updated_at),
            cursor=int(self.cursor),
            wanted=int(self.wanted),
            rechosen=int(self.rechosen),
            busy_until=_read(held, "busy_until"),
            paused_until=_read(held, "paused_until"),
            pauses=int(self.pauses),
            slow_until=_read(held, "slow_until"),
        )


class DeliveryItem(WebhooksItem):
    webhook_id = UnicodeAttribute()
    last = NumberAttribute(null=True)
    type = UnicodeAttribute()
    status = UnicodeAttribute()
    begun = NumberAttribute()
    round = NumberAttribute()
    body = UnicodeAttribute(null=True)
    attempts = UnicodeAttribute(null=True)
    """JSON: a list of attempts."""
    created_at = UnicodeAttribute()
    again_at = UnicodeAttribute(null=True)

    @classmethod
    def at(cls, delivery: Delivery) -> "DeliveryItem":
        return cls(delivery.room_id, delivery_item(delivery.webhook_id, delivery.seq, delivery.name))

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryItem":
        return cls(
            delivery.room_id,
            delivery_item(delivery.webhook_id, delivery.seq, delivery.name),
            webhook_id=delivery.webhook_id,
            last=delivery.last,
            type=delivery.type,
            status=delivery.status.value,
            begun=delivery.begun,
            round=delivery.round,
            body=delivery.body,
            attempts=attempts_text(delivery.attempts) if delivery.attempts else None,
            created_at=times.timestamp(delivery.created_at),
            again_at=written(delivery.again_at),
            next_at=written(delivery.next_at),
            due=None if delivery.next_at is None else shard(delivery.webhook_id),
            expires_at=int((delivery.created_at + LEDGER_TIME).timestamp()),
        )

    def entity(self) -> Delivery:
        held = self.attribute_values
        _, _, seq, *name = self.item.split("#")
        last = held.get("last")
        return Delivery(
            room_id=self.room_id,
            webhook_id=self.webhook_id,
            seq=int(seq),
            test=name[0] if name and last is None else None,
            last=None if last is None else int(last),
            type=self.type,
            status=DeliveryStatus(self.status),
            begun=int(self.begun),
            round=int(self.round),
            body=held.get("body"),
            attempts=tuple(map(_attempt, json.loads(held.get("attempts", "[]")))),
            created_at=times.parse(self.created_at),
            again_at=_read(held, "again_at"),
            next_at=_read(held, "next_at"),
        )


class ReplayItem(WebhooksItem):
    next = NumberAttribute()
    last = NumberAttribute()

    @classmethod
    def at(cls, replay: Replay) -> "ReplayItem":
        return cls(replay.room_id, replay_item(replay))

    def entity(self) -> Replay:
        _, webhook_id, replay_id = self.item.split("#")
        return Replay(self.room_id, webhook_id, replay_id, int(self.next), int(self.last))


class PurgeItem(WebhooksItem):
    at = UnicodeAttribute()

    @classmethod
    def of(cls, purge: Purge, next_at: datetime) -> "PurgeItem":
        """To be seen to by the sweeper at this time, if no message comes."""
        return cls(
            purge.room_id,
            purge_item(purge),
            at=times.timestamp(purge.at),
            due=shard(purge.webhook_id),
            next_at=times.timestamp(next_at),
        )

    def entity(self) -> Purge:
        return Purge(self.room_id, self.item.removeprefix(PURGE), times.parse(self.at))


def delivery_item(webhook_id: str, seq: int, name: str | None = None) -> str:
    """The sort key of a delivery. ``name``: what distinguishes it from that of the entry."""
    return f"{DELIVERY}{webhook_id}#{seq:0{_DIGITS}}{'' if name is None else f'#{name}'}"


def deliveries_of(webhook_id: str) -> str:
    """What the sort keys of all deliveries of a webhook begin with."""
    return f"{DELIVERY}{webhook_id}#"


def replays_of(webhook_id: str) -> str:
    """What the sort keys of all replays of a webhook begin with."""
    return f"{REPLAY}{webhook_id}#"


def purge_item(purge: Purge) -> str:
    return f"{PURGE}{purge.webhook_id}"


def replay_item(replay: Replay) -> str:
    return f"{REPLAY}{replay.webhook_id}#{replay.id}"


def key_of(room_id: str, item: str) -> Raw:
    return {"room_id": {"S": room_id}, "item": {"S": item}}


def shard(subject: str) -> str:
    """The partition of the index ``due`` in which a webhook or a room is."""
    return str(zlib.crc32(subject.encode()) % SHARDS)


def attempts_text(attempts: tuple[Attempt, ...]) -> str:
    return json.dumps(
        [[written(each.at), each.milliseconds, each.status, each.error, each.response] for each in attempts],
        ensure_ascii=False,
    )


def _attempt(held: list[Any]) -> Attempt:
    at, milliseconds, status, error, response = held
    return Attempt(times.parse(at), milliseconds, status, error, response)


def written(at: datetime | None) -> str | None:
    return None if at is None else times.timestamp(at)


def _read(held: dict[str, Any], name: str) -> datetime | None:
    return times.parse(held[name]) if held.get(name) is not None else None

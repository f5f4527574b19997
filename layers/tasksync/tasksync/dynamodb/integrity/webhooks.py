"""Webhooks, as the auditor checks them: how many there are, the mark on the head of their log, and what is due."""

from collections.abc import Iterable
from datetime import datetime

from tasksync.dynamodb.change_log.decoder import HAS_WEBHOOKS, HEAD
from tasksync.dynamodb.change_log.items import log_key
from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.rooms.items import ROOM_ITEM
from tasksync.dynamodb.webhooks.items import (
    DELIVERY,
    PURGE,
    REPLAY,
    STATE,
    WEBHOOK,
    DeliveryItem,
    PurgeItem,
    ReplayItem,
    StateItem,
    WebhookItem,
    key_of,
)
from tasksync.integrity.snapshot import DueSnapshot, MarkedLogSnapshot, WebhooksSnapshot
from tasksync.model import times
from tasksync.model.webhooks import Delivery, DeliveryStatus, Webhook, WebhookState
from tasksync.runtime.settings import settings


def read_webhook_item(raw: Raw) -> Raw:
    """The item, if it can be read."""
    item = raw["item"]["S"]
    if item == STATE:
        StateItem.from_raw_data(raw).attribute_values["dispatched"]
    elif item.startswith(WEBHOOK):
        WebhookItem.from_raw_data(raw).entity()
    elif item.startswith(DELIVERY):
        DeliveryItem.from_raw_data(raw).entity()
    elif item.startswith(REPLAY):
        ReplayItem.from_raw_data(raw).entity()
    elif item.startswith(PURGE):
        PurgeItem.from_raw_data(raw).entity()
    else:
        raise ValueError("no kind of item of this table")
    return raw


def webhooks_snapshots(raws: Iterable[Raw]) -> list[WebhooksSnapshot]:
    """One for each room that has a state or webhooks among these items."""
    counted: dict[str, int] = {}
    there: dict[str, int] = {}
    for raw in raws:
        room_id, item = raw["room_id"]["S"], raw["item"]["S"]
        if item == STATE:
            counted[room_id] = int(raw["webhooks"]["N"])
        elif item.startswith(WEBHOOK):
            there[room_id] = there.get(room_id, 0) + 1
    rooms = counted.keys() | there.keys()
    marked = _marked(rooms)
    known = _known(rooms)
    return [
        WebhooksSnapshot(room_id, counted.get(room_id, 0), there.get(room_id, 0), room_id in marked, room_id in known)
        for room_id in rooms
    ]


def due_snapshots(raws: Iterable[Raw]) -> list[DueSnapshot]:
    """What the sweeper must see to sooner or later, and what it is about to see to, among these items."""
    raws = list(raws)
    deliveries = [
        (raw, delivery)
        for raw in raws
        if raw["item"]["S"].startswith(DELIVERY)
        and (delivery := DeliveryItem.from_raw_data(raw).entity()).status is DeliveryStatus.PENDING
    ]
    webhooks = _webhooks({(each.room_id, each.webhook_id) for _, each in deliveries})
    return [
        *(_due(raw, must_be=_sees_to(each, webhooks.get((each.room_id, each.webhook_id)))) for raw, each in deliveries),
        *(_due(raw, must_be=must_be) for raw in raws if (must_be := _must_be_due(raw)) is not None),
    ]


def marked_log_snapshots(raws: Iterable[Raw]) -> list[MarkedLogSnapshot]:
    """Of marked heads among these items, but for those of rooms that are gone: whether the room has webhooks."""
    rooms = [raw["owner_id"]["S"] for raw in raws if _is_marked(raw) and "expires_at" not in raw]
    found = get_many(settings.webhooks_table, [key_of(room_id, STATE) for room_id in rooms])
    with_webhooks = {raw["room_id"]["S"] for raw in found}
    return [MarkedLogSnapshot(room_id, room_id in with_webhooks) for room_id in rooms]


def _sees_to(delivery: Delivery, webhook: Webhook | None) -> bool:
    """Whether the sweeper must see to this pending delivery by itself. Those of an ordered webhook go in their turn,
    which is over behind the cursor."""
    if delivery.test is not None:
        return True
    return webhook is not None and (not webhook.ordered or delivery.seq <= webhook.cursor)


def _must_be_due(raw: Raw) -> bool | None:
    """Whether the sweeper must see to it; None for a delivery."""
    item = raw["item"]["S"]
    if item == STATE or item.startswith((REPLAY, PURGE)):
        return True
    if not item.startswith(WEBHOOK):
        return None
    webhook = WebhookItem.from_raw_data(raw).entity()
    return webhook.ordered and webhook.state is WebhookState.ACTIVE and webhook.cursor < webhook.wanted


def _due(raw: Raw, *, must_be: bool) -> DueSnapshot:
    next_at = text_of(raw, "next_at")
    since: datetime | None = None if "due" not in raw or next_at is None else times.parse(next_at)
    return DueSnapshot(raw["room_id"]["S"], raw["item"]["S"], must_be, since)


def _webhooks(ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Webhook]:
    found = get_many(settings.webhooks_table, [key_of(room_id, WEBHOOK + webhook_id) for room_id, webhook_id in ids])
    webhooks = [WebhookItem.from_raw_data(raw).entity() for raw in found]
    return {(webhook.room_id, webhook.id): webhook for webhook in webhooks}


def _marked(rooms: Iterable[str]) -> set[str]:
    found = get_many(settings.log_table, [log_key(room_id, HEAD) for room_id in rooms])
    return {raw["owner_id"]["S"] for raw in found if _is_marked(raw)}


def _is_marked(raw: Raw) -> bool:
    return raw["item"]["S"] == HEAD and text_of(raw, "webhooks") == HAS_WEBHOOKS


def _known(rooms: Iterable[str]) -> set[str]:
    found = get_many(settings.rooms_table, [key_of(room_id, ROOM_ITEM) for room_id in rooms])
    return {raw["room_id"]["S"] for raw in found}

"""The ledger of deliveries, replays, and what is due.

An attempt begins with a conditional write that counts it (``begin``). So of two messages about one attempt, one alone
sends; and a function that dies while it sends leaves a delivery that is still pending, and due.
"""

from collections.abc import Iterator
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tasksync.dynamodb.core.connection import get_item, get_many, single_write
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.webhooks.items import (
    SHARDS,
    DeliveryItem,
    ReplayItem,
    WebhooksItem,
    attempts_text,
    deliveries_of,
    delivery_item,
    key_of,
    shard,
)
from tasksync.model import times
from tasksync.model.entities import Page
from tasksync.model.errors import BadCursor, WriteConflict
from tasksync.model.webhooks import Delivery, DeliveryStatus, Message, Replay
from tasksync.runtime.settings import settings

_PAGE = 100


class DeliveriesRepository:
    """Deliveries of all webhooks."""

    def find(self, room_id: str, item: str) -> Delivery | None:
        """By its sort key, read consistently."""
        raw = get_item(settings.webhooks_table, key_of(room_id, item))
        return None if raw is None else DeliveryItem.from_raw_data(raw).entity()

    def stored(self, made: Delivery) -> Delivery | None:
        """A delivery as it is in the ledger, if it is there; read consistently."""
        return self.find(made.room_id, delivery_item(made.webhook_id, made.seq, made.name))

    def page(
        self, room_id: str, webhook_id: str, status: DeliveryStatus | None, limit: int, after: str | None
    ) -> Page[Delivery]:
        """Newest entries first; those of one status, if one is given. One round trip, so a page may have fewer than
        ``limit``. Raises ``BadCursor``.
        """
        prefix = deliveries_of(webhook_id)
        if after is not None and not after.startswith(prefix):
            raise BadCursor
        query = WebhooksItem.query(
            room_id,
            WebhooksItem.item.startswith(prefix),
            filter_condition=None if status is None else DeliveryItem.status == status.value,
            scan_index_forward=False,
            consistent_read=True,
            last_evaluated_key=None if after is None else {"room_id": {"S": room_id}, "item": {"S": after}},
            page_size=limit + 1 if status is None else _PAGE,
        )
        read = next(query.page_iter)
        found = [DeliveryItem.from_raw_data(raw) for raw in read["Items"]]
        if len(found) > limit:
            position: str | None = found[limit - 1].item
        else:
            key = read.get("LastEvaluatedKey")
            position = None if key is None else key["item"]["S"]
        return Page([each.entity() for each in found[:limit]], position)

    def pending(self, room_id: str, webhook_id: str, first: int, last: int) -> list[Delivery]:
        """Of these entries, or notices about them; no test events."""
        beyond = WebhooksItem.item.between(delivery_item(webhook_id, first), delivery_item(webhook_id, last))
        which = DeliveryItem.status == DeliveryStatus.PENDING.value
        found = [
            DeliveryItem.from_raw_data(raw).entity()
            for raw in raws(WebhooksItem.query(room_id, beyond, which, consistent_read=True))
        ]
        return [each for each in found if each.test is None]

    def create(self, delivery: Delivery) -> bool:
        """False if it is in the ledger already."""
        try:
            with single_write(WriteConflict):
                DeliveryItem.of(delivery).save(DeliveryItem.room_id.does_not_exist())
        except WriteConflict:
            return False
        return True

    def begin(self, before: Delivery, after: Delivery, *, swept: bool) -> bool:
        """Count an attempt, and fix the payload. False if another invocation has begun it, or it is not pending.

        ``swept``: whether the sweeper sees to it from ``next_at`` on.
        """
        actions = [DeliveryItem.begun.set(after.begun), *_next(after, swept=swept)]
        if before.body is None:
            actions.append(DeliveryItem.body.set(str(after.body)))
        return _changed(before, actions, _pending(before))

    def finish(self, before: Delivery, after: Delivery, *, swept: bool) -> bool:
        """Record an attempt and what follows. False if something else was recorded since it began.

        ``swept``: as in ``begin``.
        """
        actions = [
            DeliveryItem.attempts.set(attempts_text(after.attempts)),
            DeliveryItem.status.set(after.status.value),
            *_next(after, swept=swept),
        ]
        return _changed(before, actions, _pending(before))

    def again(self, before: Delivery, after: Delivery) -> bool:
        """Let a delivery that has ended begin again. False if another attempt was begun since it was read."""
        actions = [
            DeliveryItem.status.set(after.status.value),
            DeliveryItem.round.set(after.round),
            DeliveryItem.again_at.set(times.timestamp(after.again_at or times.now())),
            *_next(after, swept=True),
        ]
        return _changed(before, actions, DeliveryItem.begun == before.begun)

    def put_off(self, before: Delivery, after: Delivery) -> bool:
        """Let the sweeper see to it at ``next_at``, and nobody before. False if an attempt was begun meanwhile."""
        return _changed(before, _next(after, swept=True), _pending(before))

    # ------------------------------------------------------------------------------------------- replays
    def find_replay(self, room_id: str, item: str) -> Replay | None:
        raw = get_item(settings.webhooks_table, key_of(room_id, item))
        return None if raw is None else ReplayItem.from_raw_data(raw).entity()

    def continue_replay(self, replay: Replay, following: int) -> bool:
        """The entries before ``following`` are seen to. False if another invocation has got further."""
        item = ReplayItem.at(replay)
        if following > replay.last:
            item.delete()
            return True
        try:
            with single_write(WriteConflict):
                item.update([ReplayItem.next.set(following)], ReplayItem.next == replay.next)
        except WriteConflict:
            return False
        return True

    # ----------------------------------------------------------------------------------------- sweeper
    def due(self, before: datetime) -> Iterator[list[tuple[str, str]]]:
        """Room id and sort key of what is due since before this time, page by page. Candidates: indexes lag."""
        beyond = WebhooksItem.next_at <= times.timestamp(before)
        for number in range(SHARDS):
            for page in WebhooksItem.by_due.query(str(number), beyond, page_size=_PAGE).page_iter:
                yield [(raw["room_id"]["S"], raw["item"]["S"]) for raw in page["Items"]]

    def remind(self, room_id: str, item: str, before: datetime, next_at: datetime) -> Message | None:
        """The message that sees to an item, if it is still due; the sweeper looks at it again at ``next_at``."""
        found = get_many(settings.webhooks_table, [key_of(room_id, item)])
        raw = found[0] if found else {}
        if "due" not in raw or raw["next_at"]["S"] > times.timestamp(before):
            return None
        later = WebhooksItem.next_at.set(times.timestamp(next_at))
        try:
            with single_write(WriteConflict):
                WebhooksItem(room_id, item).update([later], WebhooksItem.next_at == raw["next_at"]["S"])
        except WriteConflict:
            return None
        return Message(room_id, item, int(raw["begun"]["N"]) if "begun" in raw else 0)


def _pending(delivery: Delivery) -> Condition:
    condition: Condition = (DeliveryItem.status == DeliveryStatus.PENDING.value) & (
        DeliveryItem.begun == delivery.begun
    )
    return condition


def _next(delivery: Delivery, *, swept: bool) -> list[Action]:
    if delivery.next_at is None:
        return [DeliveryItem.next_at.remove(), DeliveryItem.due.remove()]
    due = DeliveryItem.due.set(shard(delivery.webhook_id)) if swept else DeliveryItem.due.remove()
    return [DeliveryItem.next_at.set(times.timestamp(delivery.next_at)), due]


def _changed(delivery: Delivery, actions: list[Action], condition: Condition) -> bool:
    try:
        with single_write(WriteConflict):
            DeliveryItem.at(delivery).update(actions, condition)
    except WriteConflict:
        return False
    return True

"""Deletes what is stored of webhooks that are gone."""

from datetime import datetime

from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.core.connection import get_item
from tasksync.dynamodb.webhooks.items import (
    DELIVERY,
    REPLAY,
    STATE,
    WEBHOOK,
    PurgeItem,
    WebhooksItem,
    deliveries_of,
    key_of,
    purge_item,
    replays_of,
)
from tasksync.model.webhooks import Purge
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.settings import settings


class WebhookPurges:
    """Deletions of many items."""

    def purge(self, room_id: str, at: datetime, next_at: datetime, keep_going: KeepGoing) -> bool:
        """Delete all that is here of a room, 25 items at a time. False if ``keep_going`` said no before the end.

        In place of each webhook there is a purge, which the sweeper sees to at ``next_at``: a function may have read
        the webhook before, and put a delivery down afterwards.
        """
        if not _keys(room_id, None):
            return True  # as of almost every room
        webhooks = [item.item.removeprefix(WEBHOOK) for item in _keys(room_id, WebhooksItem.item.startswith(WEBHOOK))]
        with WebhooksItem.batch_write() as batch:
            for webhook_id in webhooks:
                batch.save(PurgeItem.of(Purge(room_id, webhook_id, at), next_at))
        # Nobody reads a webhook any more once the first kind is deleted.
        kinds = (STATE, DELIVERY, REPLAY)
        return all(_deleted(room_id, WebhooksItem.item.startswith(kind), keep_going) for kind in kinds)

    def find(self, room_id: str, item: str) -> Purge | None:
        """By its sort key."""
        raw = get_item(settings.webhooks_table, key_of(room_id, item))
        return None if raw is None else PurgeItem.from_raw_data(raw).entity()

    def purge_webhook(self, purge: Purge, keep_going: KeepGoing) -> bool:
        """As ``purge``, the deliveries and replays of a webhook."""
        prefixes = (deliveries_of(purge.webhook_id), replays_of(purge.webhook_id))
        return all(_deleted(purge.room_id, WebhooksItem.item.startswith(each), keep_going) for each in prefixes)

    def finish(self, purge: Purge) -> None:
        """It is carried out."""
        WebhooksItem(purge.room_id, purge_item(purge)).delete()


def _deleted(room_id: str, which: Condition, keep_going: KeepGoing) -> bool:
    while keep_going():
        found = _keys(room_id, which)
        if not found:
            return True
        with WebhooksItem.batch_write() as batch:
            for item in found:
                batch.delete(item)
    return False


def _keys(room_id: str, which: Condition | None) -> list[WebhooksItem]:
    """Of 25 items at most: a room has fewer webhooks."""
    keys = ["room_id", "item"]
    return list(WebhooksItem.query(room_id, which, consistent_read=True, limit=25, attributes_to_get=keys))

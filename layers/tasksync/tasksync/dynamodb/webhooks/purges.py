"""Deletes what is stored of webhooks that are gone."""

from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.core.connection import get_item
from tasksync.dynamodb.webhooks.items import PurgeItem, WebhooksItem, deliveries_of, key_of, purge_item, replays_of
from tasksync.model.webhooks import Purge
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.settings import settings


class WebhookPurges:
    """Deletions of many items."""

    def purge(self, room_id: str, keep_going: KeepGoing) -> bool:
        """Delete all that is here of a room, 25 items at a time. False if ``keep_going`` said no before the end."""
        return _deleted(room_id, None, keep_going)

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


def _deleted(room_id: str, which: Condition | None, keep_going: KeepGoing) -> bool:
    while keep_going():
        keys = ["room_id", "item"]
        found = list(WebhooksItem.query(room_id, which, consistent_read=True, limit=25, attributes_to_get=keys))
        if not found:
            return True
        with WebhooksItem.batch_write() as batch:
            for item in found:
                batch.delete(item)
    return False

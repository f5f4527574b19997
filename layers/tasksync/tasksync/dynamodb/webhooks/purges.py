"""Deletes what is stored of webhooks that are gone."""

from tasksync.dynamodb.webhooks.items import WebhooksItem
from tasksync.runtime.deadline import KeepGoing


class WebhookPurges:
    """Deletions of many items."""

    def purge(self, room_id: str, keep_going: KeepGoing) -> bool:
        """Delete all that is here of a room, 25 items at a time. False if ``keep_going`` said no before the end."""
        while keep_going():
            keys = ["room_id", "item"]
            found = list(WebhooksItem.query(room_id, consistent_read=True, limit=25, attributes_to_get=keys))
            if not found:
                return True
            with WebhooksItem.batch_write() as batch:
                for item in found:
                    batch.delete(item)
        return False

"""The queues of deliveries: one for webhooks whose receivers are slow, and one for all else. A message says which item
is due; the table says whether it still is."""

import json
from collections.abc import Sequence
from typing import Any

from tasksync.aws import queues
from tasksync.dynamodb.webhooks.items import (
    DELIVERY,
    PURGE,
    REPLAY,
    STATE,
    WEBHOOK,
    delivery_item,
    purge_item,
    replay_item,
)
from tasksync.model.webhooks import Delivery, Message, Purge, Replay
from tasksync.runtime.settings import settings

LONGEST_DELAY_SECONDS = queues.LONGEST_DELAY_SECONDS


class DeliveryQueue:
    """Sends messages. Each method raises ``DependencyFailed``; the sweeper then sees to what is due."""

    def __init__(self, slow_queue: str | None = None) -> None:
        """``slow_queue``: the URL of the queue of slow receivers, if messages are to go there."""
        self._slow_queue = slow_queue

    def deliver(self, deliveries: Sequence[Delivery], delay_seconds: int = 0) -> None:
        """Let the next attempt of each delivery begin after so many seconds, at most ``LONGEST_DELAY_SECONDS``."""
        self.send(
            [
                Message(
                    each.room_id,
                    delivery_item(each.webhook_id, each.seq, each.name),
                    each.begun,
                    delay_seconds,
                )
                for each in deliveries
            ]
        )

    def advance(self, room_id: str, webhook_id: str, delay_seconds: int = 0) -> None:
        """Let an ordered webhook go on."""
        self.send([Message(room_id, WEBHOOK + webhook_id, delay_seconds=delay_seconds)])

    def replay(self, replay: Replay) -> None:
        """Let a replay go on."""
        self.send([Message(replay.room_id, replay_item(replay))])

    def purge(self, purge: Purge) -> None:
        """Let the deliveries of a webhook that was deleted be deleted."""
        self.send([Message(purge.room_id, purge_item(purge))])

    def send(self, messages: Sequence[Message]) -> None:
        queues.send(
            self._slow_queue or settings.delivery_queue,
            [(json.dumps(self._body(each)), each.delay_seconds) for each in messages],
        )

    def _body(self, message: Message) -> dict[str, Any]:
        body = {"room_id": message.room_id, "item": message.item, "begun": message.begun}
        return {**body, "slow": True} if self._slow_queue else body


def read(body: str) -> Message:
    """A message of the queue. Raises ``KeyError`` or ``ValueError`` for a text that is none."""
    held: dict[str, Any] = json.loads(body)
    return Message(held["room_id"], held["item"], int(held["begun"]), slow=held.get("slow", False))


def is_delivery(item: str) -> bool:
    return item.startswith(DELIVERY)


def is_replay(item: str) -> bool:
    return item.startswith(REPLAY)


def is_purge(item: str) -> bool:
    return item.startswith(PURGE)


def is_dispatch(item: str) -> bool:
    """Whether this is the state of a room's dispatch, which the sweeper sees to by itself."""
    return item == STATE


def webhook_in(item: str) -> str:
    """The id of the webhook in the sort key of what a message can name."""
    return item.split("#")[1]

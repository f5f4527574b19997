"""The queue of deliveries. A message says which item is due; the table says whether it still is."""

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

    def deliver(self, deliveries: Sequence[Delivery], delay_seconds: int = 0) -> None:
        """Let the next attempt of each delivery begin after so many seconds, at most ``LONGEST_DELAY_SECONDS``."""
        self.send(
            [
                Message(
                    each.room_id,
                    delivery_item(each.webhook_id, each.seq, each.test),
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
            settings.delivery_queue,
            [
                (
                    json.dumps({"room_id": each.room_id, "item": each.item, "begun": each.begun}),
                    each.delay_seconds,
                )
                for each in messages
            ],
        )


def read(body: str) -> Message:
    """A message of the queue. Raises ``KeyError`` or ``ValueError`` for a text that is none."""
    held: dict[str, Any] = json.loads(body)
    return Message(held["room_id"], held["item"], int(held["begun"]))


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
    """The id in the sort key of a webhook."""
    return item.removeprefix(WEBHOOK)

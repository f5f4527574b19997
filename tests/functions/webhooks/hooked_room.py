"""A room with a webhook, and what happens to its events."""

import json
from datetime import timedelta
from typing import Any

from standardwebhooks import Webhook

from tasksync.model.times import parse, timestamp
from tests.functions.webhooks.receivers import Received, Receiver
from tests.support import tables
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.queues import Queues


class HookedRoom:
    """Ann's room, whose events go to a receiver."""

    def __init__(self, product: Product, receiver: Receiver, **fields: Any) -> None:
        self.product = product
        self.queues = Queues(product.aws)
        self.ann = product.register("ann")
        self.room = self.ann.open_room()
        self.id: str = self.room["id"]
        product.deliver()
        self.path = f"/rooms/{self.id}/webhooks"
        response = self.ann.post(self.path, json={"url": receiver.url, **fields})
        assert response.status == 201, response
        self.webhook = response.json()
        self.own_path = f"{self.path}/{self.webhook['id']}"

    def plan(self, title: str) -> Any:
        """A task of the room, whose entry is in the log and dispatched then."""
        task = self.ann.plan(title=title, room_id=self.id)
        self.product.deliver()
        return task

    def sweep(self) -> Any:
        return call(self.product.aws, "SweeperFunction", {})

    def retry(self) -> None:
        """Let time pass until the next attempts are due, and make them."""
        self.time_passes(timedelta(days=2))
        self.sweep()
        self.queues.deliver(delayed=True)

    def time_passes(self, time: timedelta) -> None:
        """All that waits for a time has waited for so long."""
        for item in self.product.items("WebhooksTable"):
            waits = item.keys() & {"next_at", "busy_until", "overlaps_until", "paused_until", "slow_until"}
            earlier = {name: timestamp(parse(item[name]) - time) for name in waits}
            if earlier:
                key = {"room_id": item["room_id"], "item": item["item"]}
                tables.change(self.product.aws, "WebhooksTable", key, **earlier)

    def state(self) -> Any:
        response = self.ann.get(self.own_path)
        assert response.status == 200, response
        return response.json()

    def deliveries(self, **params: Any) -> list[Any]:
        """Oldest first."""
        return self.ann.list(f"{self.own_path}/deliveries", **params)[::-1]


def titles(requests: list[Received]) -> list[str]:
    """Of the tasks that events are about."""
    return [json.loads(request.body)["data"]["task"]["title"] for request in requests]


def verified(secret: str, request: Received) -> Any:
    """The payload, if the signature is good; receivers verify so."""
    return Webhook(secret).verify(request.body, request.headers)

"""What is stored of a webhook goes with it, and with its room, also what was put down at that moment."""

from datetime import timedelta
from typing import Any

import pytest

from tasksync.model.times import parse, timestamp
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver
from tests.support import tables
from tests.support.product import Product


def stored(hooked: HookedRoom, webhook: Any) -> list[str]:
    """The sort keys of what there is of a webhook."""
    return [item["item"] for item in hooked.product.items("WebhooksTable") if webhook["id"] in item["item"]]


def sweep_later(hooked: HookedRoom) -> None:
    """After so long that nobody is at work any more who has read the webhook."""
    late = timedelta(minutes=11)
    hooked.time_passes(late)
    for item in hooked.product.items("WebhooksTable"):
        if item["item"].startswith("P#"):
            key = {"room_id": hooked.id, "item": item["item"]}
            tables.change(hooked.product.aws, "WebhooksTable", key, at=timestamp(parse(item["at"]) - late))
    hooked.sweep()
    hooked.queues.deliver()


def test_the_deliveries_of_a_deleted_webhook_are_deleted(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        kept = hooked.ann.post(hooked.path, json={"url": receiver.url}).json()
        for number in range(30):
            hooked.ann.plan(title=str(number), room_id=hooked.id)
        product.deliver()
        hooked.queues.deliver()
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": 1, "to": 9})
        late = _a_delivery(hooked)
        assert hooked.ann.delete(hooked.own_path).status == 204
        hooked.queues.deliver()
        of_deleted = stored(hooked, hooked.webhook)
        # What a function puts down that had read the webhook before.
        tables.put(product.aws, "WebhooksTable", **late)
        sweep_later(hooked)

    assert of_deleted == [f"P#{hooked.webhook['id']}"]
    assert stored(hooked, hooked.webhook) == []
    assert len([item for item in stored(hooked, kept) if item.startswith("D#")]) == 30


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_a_delivery_that_is_put_down_while_its_room_is_deleted_goes_with_the_room(
    product: Product, ordered: bool
) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        hooked.plan("first")
        hooked.queues.deliver()
        hooked.plan("second")
        hooked.queues.lose()
        late = _a_delivery(hooked)
        assert hooked.ann.delete(f"/rooms/{hooked.id}").status == 204
        product.deliver()
        tables.put(product.aws, "WebhooksTable", **late)
        sweep_later(hooked)

    assert product.items("WebhooksTable") == []


def test_a_webhook_deleted_before_its_room_is_purged_all_the_same(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("first")
        hooked.queues.deliver()
        late = _a_delivery(hooked)
        assert hooked.ann.delete(hooked.own_path).status == 204
        assert hooked.ann.delete(f"/rooms/{hooked.id}").status == 204
        product.deliver()
        tables.put(product.aws, "WebhooksTable", **late)
        sweep_later(hooked)

    assert product.items("WebhooksTable") == []


def _a_delivery(hooked: HookedRoom) -> Any:
    prefix = f"D#{hooked.webhook['id']}"
    return next(item for item in hooked.product.items("WebhooksTable") if item["item"].startswith(prefix))

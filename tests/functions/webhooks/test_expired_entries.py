"""Entries that the log does not hold any more are not skipped silently: a notice in their place says which."""

import json
from typing import Any

from tests.functions.webhooks.hooked_room import HookedRoom, verified
from tests.functions.webhooks.receivers import Receiver, status
from tests.support.product import Product

_LATER = status(503, Retry_After="3600")


def expire(hooked: HookedRoom, *seqs: int) -> None:
    """The log holds these entries no more."""
    for seq in seqs:
        key = {"owner_id": {"S": hooked.id}, "item": {"S": f"c#{seq:012}"}}
        hooked.product.aws.dynamodb.delete_item(TableName="LogTable", Key=key)


def seen(receiver: Receiver) -> list[Any]:
    """The entries that arrived, and the ranges that notices were about."""
    events = [json.loads(request.body) for request in receiver.requests]
    return [each["data"].get("seq") or (each["data"]["from"], each["data"]["to"]) for each in events]


def stopped(product: Product, receiver: Receiver, **fields: Any) -> HookedRoom:
    """A webhook that its receiver has disabled, with the entries 2 to 8, of which 2 was sent."""
    hooked = HookedRoom(product, receiver, **fields)
    hooked.plan("1")
    hooked.queues.deliver()
    assert hooked.state()["state"] == "disabled"
    for number in range(2, 8):
        hooked.plan(str(number))
    hooked.queues.deliver()
    return hooked


def resume(hooked: HookedRoom) -> None:
    assert hooked.ann.post(f"{hooked.own_path}/resume").json()["state"] == "active"
    hooked.queues.deliver()


def test_an_ordered_webhook_that_was_stopped_for_too_long_gets_notices_in_the_place_of_entries(
    product: Product,
) -> None:
    with Receiver(status(410), status(200)).listening() as receiver:
        hooked = stopped(product, receiver, ordered=True, events=["task.created"])
        expire(hooked, 2, 3, 6, 8)
        resume(hooked)

    assert seen(receiver) == [2, (2, 3), 4, 5, (6, 6), 7, (8, 8)]
    notice = verified(hooked.webhook["secret"], receiver.requests[1])
    assert notice["type"] == "log.expired"
    assert notice["data"] == {"room_id": hooked.id, "from": 2, "to": 3}
    ledger = [(each["seq"], each["type"], each["status"]) for each in hooked.deliveries()]
    assert ledger == [
        # The event at which the webhook stopped.
        (2, "task.created", "failed"),
        (2, "log.expired", "delivered"),
        (4, "task.created", "delivered"),
        (5, "task.created", "delivered"),
        (6, "log.expired", "delivered"),
        (7, "task.created", "delivered"),
        (8, "log.expired", "delivered"),
    ]
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(set(ids)) == len(ids)


def test_a_notice_keeps_the_order_and_its_payload_though_more_expires_meanwhile(product: Product) -> None:
    with Receiver(status(410), _LATER, status(200)).listening() as receiver:
        hooked = stopped(product, receiver, ordered=True)
        expire(hooked, 2, 3)
        resume(hooked)
        assert hooked.deliveries(status="pending")[0]["type"] == "log.expired"

        expire(hooked, 4)
        hooked.retry()

    assert seen(receiver) == [2, (2, 3), (2, 3), (4, 4), 5, 6, 7, 8]
    assert receiver.requests[1].headers["webhook-id"] == receiver.requests[2].headers["webhook-id"]


def test_a_notice_that_cannot_be_delivered_suspends_the_webhook_which_continues_with_it(product: Product) -> None:
    with Receiver(status(410), status(500)).listening() as receiver:
        hooked = stopped(product, receiver, ordered=True)
        expire(hooked, *range(2, 8))
        resume(hooked)
        for _ in range(10):
            hooked.retry()
        assert hooked.state()["state"] == "suspended"

        receiver.answers = [status(200)]
        receiver.requests.clear()
        resume(hooked)

    assert seen(receiver) == [(2, 7), 8]


def test_what_is_pending_of_expired_entries_has_failed(product: Product) -> None:
    with Receiver(status(200), _LATER, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True)
        hooked.plan("1")
        hooked.plan("2")
        hooked.queues.deliver()
        expire(hooked, 2, 3)
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": 2, "to": 2})
        hooked.queues.deliver()

    assert seen(receiver) == [2, 3, (2, 3)]
    by_type = {(each["seq"], each["type"]): each for each in hooked.deliveries()}
    assert by_type[3, "task.created"]["status"] == "failed"
    assert by_type[3, "task.created"]["attempts"][-1]["error"] == "entry_expired"


def test_what_an_ordered_webhook_never_wanted_may_expire(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True, events=["task.updated"])
        task = hooked.plan("1")
        hooked.plan("2")
        hooked.plan("3")
        hooked.queues.deliver()
        expire(hooked, 2, 3, 4)
        hooked.ann.patch(f"/tasks/{task['id']}", json={"title": "changed"})
        product.deliver()
        hooked.queues.deliver()

    assert seen(receiver) == [5]


def test_a_replay_says_what_it_cannot_deliver(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, events=["task.created"])
        for number in range(5):
            hooked.plan(str(number))
        hooked.queues.lose()
        expire(hooked, 2, 3, 5)
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": 2, "to": 9})
        hooked.queues.deliver()

    assert sorted(seen(receiver), key=str) == [(2, 3), (5, 5), 4, 6]
    assert {(each["seq"], each["type"]) for each in hooked.deliveries(status="delivered")} == {
        (2, "log.expired"),
        (4, "task.created"),
        (5, "log.expired"),
        (6, "task.created"),
    }

"""A receiver that is slow, or hangs, holds nothing that the events of others need: what goes to it has a queue of its
own."""

from datetime import timedelta
from typing import Any

import pytest

from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver, slowly, status
from tests.support.product import Product

# SLOW_AFTER is 2 s. On a busy machine it may be noticed much later, but before the response.
_SLOW = slowly(5)


def plan(hooked: HookedRoom, number: int) -> None:
    for each in range(number):
        hooked.ann.plan(title=str(each), room_id=hooked.id)
    hooked.product.deliver()


def kept_apart(messages: list[Any]) -> list[bool]:
    """Of each message that was handed over: whether it came from the queue of slow receivers."""
    return [message.get("slow", False) for message in messages]


def test_of_one_webhook_one_attempt_is_made_at_a_time_until_its_receiver_is_known_as_slow(product: Product) -> None:
    with Receiver(_SLOW, status(200)).listening() as receiver, Receiver().listening() as quick:
        hooked = HookedRoom(product, receiver, events=["task.created"])
        other = hooked.ann.post(hooked.path, json={"url": quick.url, "events": ["task.created"]})
        assert other.status == 201
        plan(hooked, 4)
        messages = hooked.queues.deliver(at_once=8)

    assert receiver.most_in_flight == 1
    assert len(quick.requests) == len(receiver.requests) == 4
    # What was behind the slow attempt went on in the other queue.
    assert kept_apart(messages) == [False] * 8 + [True] * 3
    assert {each["status"] for each in hooked.deliveries()} == {"delivered"}


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_what_goes_to_a_slow_receiver_leaves_the_queue_of_the_others(product: Product, ordered: bool) -> None:
    with Receiver(_SLOW, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        plan(hooked, 2)
        first = hooked.queues.deliver(at_once=8)
        plan(hooked, 1)
        later = hooked.queues.deliver()
        # Ten minutes after the last slow attempt it counts as quick again.
        hooked.time_passes(timedelta(minutes=11))
        plan(hooked, 1)
        at_last = hooked.queues.deliver()

    assert kept_apart(first)[-1:] == [True]
    assert not any(kept_apart(first)[:-1])
    assert kept_apart(later) == [False, True]
    assert kept_apart(at_last) == [False]
    assert {each["status"] for each in hooked.deliveries()} == {"delivered"}
    assert len(receiver.requests) == 4


def test_a_message_that_the_queue_of_slow_receivers_lost_is_sent_again(product: Product) -> None:
    with Receiver(_SLOW, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver)
        plan(hooked, 1)
        hooked.queues.deliver()
        plan(hooked, 1)
        assert kept_apart(hooked.queues.deliver(rounds=1)) == [False]
        assert kept_apart(hooked.queues.lose()) == [True]

        hooked.time_passes(timedelta(minutes=50))
        hooked.sweep()
        assert hooked.queues.deliver() == []
        hooked.time_passes(timedelta(minutes=11))
        hooked.sweep()
        hooked.queues.deliver()

    assert len(receiver.requests) == 2

"""A webhook that fails again and again holds nothing that others need: it pauses, and loses no event."""

from datetime import timedelta

import pytest

from tasksync.model.times import parse, timestamp
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver, status
from tests.support import tables
from tests.support.product import Product

FAILURES = 5
EVENTS = 8


def failing(product: Product, receiver: Receiver) -> HookedRoom:
    """A room whose webhook has failed so often that it pauses, with events that wait."""
    hooked = HookedRoom(product, receiver, events=["task.created"])
    for number in range(EVENTS):
        hooked.ann.plan(title=str(number), room_id=hooked.id)
    product.deliver()
    hooked.queues.deliver()
    return hooked


def sweep(hooked: HookedRoom, **after: int) -> None:
    hooked.time_passes(timedelta(**after))
    hooked.sweep()
    hooked.queues.deliver()


def test_after_five_failures_one_attempt_is_made_between_two_pauses_which_grow_up_to_an_hour(product: Product) -> None:
    with Receiver(status(500)).listening() as receiver:
        hooked = failing(product, receiver)
        made = [len(receiver.requests)]
        lengths = []
        for _ in range(8):
            state = hooked.state()
            at = parse(state["last_failed_at"])
            lengths.append(round((parse(state["paused_until"]) - at).total_seconds() / 60))
            sweep(hooked, hours=2)
            made.append(len(receiver.requests))

    # The one more is made as the pauses begin.
    assert made == list(range(FAILURES + 1, FAILURES + 10))
    assert sorted(lengths)[:1] + sorted(lengths)[-2:] == [1, 60, 60]
    attempts = [len(each["attempts"]) for each in hooked.deliveries()]
    assert sum(attempts) == made[-1]
    assert {each["status"] for each in hooked.deliveries()} == {"pending"}


def test_once_an_attempt_succeeds_all_that_waits_is_delivered(product: Product) -> None:
    receiver = Receiver(status(500))
    with receiver.listening():
        hooked = failing(product, receiver)
        receiver.answers = [status(200)]
        sweep(hooked, minutes=5)
        hooked.retry()

    assert {each["status"] for each in hooked.deliveries()} == {"delivered"}
    assert {each["seq"] for each in hooked.deliveries()} == set(range(2, EVENTS + 2))
    state = hooked.state()
    assert (state["failures"], state["paused_until"]) == (0, None)


@pytest.mark.parametrize("way", ["resume", "replay", "test"])
def test_an_admin_who_has_mended_the_receiver_ends_the_pause(product: Product, way: str) -> None:
    receiver = Receiver(status(500))
    with receiver.listening():
        hooked = failing(product, receiver)
        receiver.answers = [status(200)]
        body = {"from": 2, "to": EVENTS + 1} if way == "replay" else {}
        assert hooked.ann.post(f"{hooked.own_path}/{way}", json=body).status in (200, 202)
        hooked.queues.deliver()
        hooked.plan("new")
        hooked.queues.deliver()

    assert hooked.state()["paused_until"] is None
    by_seq = {each["seq"]: each["status"] for each in hooked.deliveries() if each["type"] == "task.created"}
    assert by_seq[EVENTS + 2] == "delivered"


def test_what_waits_for_four_days_has_failed(product: Product) -> None:
    with Receiver(status(500)).listening() as receiver:
        hooked = failing(product, receiver)
        for item in product.items("WebhooksTable"):
            if item["item"].startswith("D#"):
                created = timestamp(parse(item["created_at"]) - timedelta(days=4, minutes=1))
                key = {"room_id": hooked.id, "item": item["item"]}
                tables.change(product.aws, "WebhooksTable", key, created_at=created)
        before = len(receiver.requests)
        sweep(hooked, days=1)
        sweep(hooked, days=1)

    assert {each["status"] for each in hooked.deliveries()} == {"failed"}
    assert {each["attempts"][-1]["error"] for each in hooked.deliveries()} == {"receiver_fails"}
    assert len(receiver.requests) == before


def test_the_events_of_others_do_not_wait(product: Product) -> None:
    with Receiver(status(500)).listening() as broken, Receiver().listening() as well:
        hooked = failing(product, broken)
        other = hooked.ann.post(hooked.path, json={"url": well.url, "events": ["task.created"]})
        assert other.status == 201
        before = len(broken.requests)
        for number in range(EVENTS):
            hooked.ann.plan(title=str(number), room_id=hooked.id)
        product.deliver()
        hooked.queues.deliver()

    assert len(well.requests) == EVENTS
    assert len(broken.requests) == before

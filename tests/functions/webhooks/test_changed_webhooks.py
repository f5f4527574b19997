"""A webhook that is changed while deliveries are pending: what it does not want any more is not sent and does not wait,
and a new URL is tried at once."""

import pytest

from tests.functions.webhooks.hooked_room import HookedRoom, titles
from tests.functions.webhooks.receivers import Receiver, status
from tests.support.client import Response
from tests.support.product import Product

# Later than any test lasts.
_LATER = status(503, Retry_After="3600")


def change(hooked: HookedRoom, **fields: object) -> Response:
    response = hooked.ann.patch(hooked.own_path, json=fields)
    assert response.status == 200, response
    return response


def errors(hooked: HookedRoom) -> list[tuple[str, str | None]]:
    """Of each delivery, oldest first: its status, and the error of its last attempt."""
    return [(each["status"], each["attempts"][-1]["error"]) for each in hooked.deliveries()]


def test_an_ordered_webhook_passes_what_it_does_not_want_any_more_at_once(product: Product) -> None:
    with Receiver(_LATER, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True)
        task = hooked.plan("first")
        hooked.queues.deliver()
        hooked.ann.patch(f"/tasks/{task['id']}", json={"title": "second"})
        product.deliver()

        change(hooked, events=["task.updated"])
        hooked.queues.deliver()

        assert errors(hooked) == [("failed", "event_not_chosen"), ("delivered", None)]
        assert titles(receiver.requests) == ["first", "second"]
        assert hooked.deliveries()[0]["next_attempt_at"] is None

        # Whoever wants it after all, replays it.
        change(hooked, events=None)
        first = hooked.deliveries()[0]["seq"]
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": first, "to": first})
        hooked.queues.deliver()

    assert errors(hooked) == [("delivered", None)] * 2


def test_several_pending_deliveries_of_an_ordered_webhook_are_passed(product: Product) -> None:
    with Receiver(status(200), _LATER, _LATER, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True)
        hooked.plan("first")
        hooked.plan("second")
        hooked.queues.deliver()
        first = hooked.deliveries()[0]["seq"]
        # The second one waits; the first one, which is replayed, waits before it.
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": first, "to": first})
        hooked.queues.deliver()
        assert [each["status"] for each in hooked.deliveries()] == ["pending", "pending"]

        change(hooked, events=["task.updated"])
        hooked.queues.deliver()

    assert errors(hooked) == [("failed", "event_not_chosen")] * 2
    assert len(receiver.requests) == 3


def test_a_webhook_is_not_sent_what_waits_and_is_chosen_no_more(product: Product) -> None:
    with Receiver(status(500), status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("first")
        hooked.queues.deliver()

        change(hooked, events=["task.updated"])
        hooked.retry()

        assert len(receiver.requests) == 1
        assert errors(hooked) == [("failed", "event_not_chosen")]
        # A test event is of no type that can be chosen.
        hooked.ann.post(f"{hooked.own_path}/test")
        hooked.queues.deliver()

    assert errors(hooked)[-1] == ("delivered", None)


@pytest.mark.parametrize("fields", [{"events": ["task.created"]}, {"url": True}], ids=["events", "URL"])
def test_a_change_of_an_ordered_webhook_ends_its_waiting(product: Product, fields: dict[str, object]) -> None:
    with Receiver(_LATER, status(200)).listening() as receiver, Receiver().listening() as new:
        hooked = HookedRoom(product, receiver, ordered=True)
        hooked.plan("first")
        hooked.queues.deliver()

        change(hooked, **({"url": new.url} if "url" in fields else fields))
        hooked.queues.deliver()

        assert errors(hooked) == [("delivered", None)]
        assert titles([*receiver.requests, *new.requests]) == ["first", "first"]
        assert len(new.requests) == ("url" in fields)
        # The attempt that it waited for is not made any more.
        hooked.retry()
        assert len([*receiver.requests, *new.requests]) == 2


def test_a_new_url_ends_the_pause_of_a_webhook_and_other_events_do_not(product: Product) -> None:
    with Receiver(status(500)).listening() as receiver, Receiver().listening() as new:
        hooked = HookedRoom(product, receiver)
        for number in range(6):
            hooked.plan(str(number))
        hooked.queues.deliver()
        assert hooked.state()["paused_until"] is not None

        assert change(hooked, events=["task.created"]).json()["paused_until"] is not None
        changed = change(hooked, url=new.url).json()
        assert (changed["failures"], changed["paused_until"]) == (0, None)
        hooked.plan("new")
        hooked.queues.deliver()

    assert titles(new.requests) == ["new"]

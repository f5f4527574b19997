"""Every event arrives, or stands in the ledger as failed; replays deliver it; ordered webhooks keep the order."""

import json
from datetime import datetime, timedelta

import pytest

from tests.functions.webhooks import receivers
from tests.functions.webhooks.hooked_room import HookedRoom, titles, verified
from tests.functions.webhooks.receivers import Answer, Receiver, status
from tests.support import tables
from tests.support.product import Product

ATTEMPTS = 10


def test_an_event_arrives_signed(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        task = hooked.plan("Order the desks")
        hooked.queues.deliver()

    (request,) = receiver.requests
    payload = verified(hooked.webhook["secret"], request)
    (entry,) = [each for each in hooked.ann.list(f"/rooms/{hooked.id}/activity") if each["resource"] == "task"]
    assert payload == {
        "type": "task.created",
        "timestamp": entry["at"],
        "data": {
            "room_id": hooked.id,
            "seq": entry["seq"],
            "resource_id": task["id"],
            "version": 1,
            "actor_id": hooked.ann.id,
            "request_id": entry["request_id"],
            "changes": entry["changes"],
            "task": task,
        },
    }
    (delivery,) = hooked.deliveries()
    assert (delivery["id"], delivery["status"]) == (request.headers["webhook-id"], "delivered")
    assert [(each["status"], each["error"], each["response"]) for each in delivery["attempts"]] == [(200, None, "ok")]
    assert delivery["payload"] == request.body.decode()


@pytest.mark.parametrize(
    "answer",
    [status(500), status(302, Location="/"), receivers.die, receivers.vanish],
    ids=["fails", "redirects", "dies in the middle", "vanishes"],
)
@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_an_event_that_cannot_be_delivered_stands_in_the_ledger_and_a_replay_delivers_it(
    product: Product, answer: Answer, ordered: bool
) -> None:
    with Receiver(answer).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        hooked.plan("Order the desks")
        hooked.queues.deliver()
        for _ in range(ATTEMPTS):
            hooked.retry()

        assert len(receiver.requests) == ATTEMPTS
        assert len({(request.headers["webhook-id"], request.body) for request in receiver.requests}) == 1
        (failed,) = hooked.deliveries(status="failed")
        assert len(failed["attempts"]) == ATTEMPTS
        assert hooked.state()["state"] == ("suspended" if ordered else "active")
        assert hooked.state()["failures"] == ATTEMPTS

        receiver.answers = [status(200)]
        if ordered:
            assert hooked.ann.post(f"{hooked.own_path}/resume").json()["state"] == "active"
        else:
            assert hooked.ann.post(
                f"{hooked.own_path}/replay", json={"from": failed["seq"], "to": failed["seq"]}
            ).json() == {"from": failed["seq"], "to": failed["seq"]}
        hooked.queues.deliver()

        assert len(receiver.requests) == ATTEMPTS + 1
        assert receiver.requests[-1].headers["webhook-id"] == failed["id"]
        assert [each["status"] for each in hooked.deliveries()] == ["delivered"]
        assert hooked.state()["failures"] == 0


def test_pauses_grow_over_three_days_and_retry_after_is_waited_for(product: Product) -> None:
    with Receiver(
        status(500), status(503, Retry_After="7200"), status(503, Retry_After="9" * 9)
    ).listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("Order the desks")
        hooked.queues.deliver()

        pauses = []
        for _ in range(ATTEMPTS - 1):
            (delivery,) = hooked.deliveries()
            at = datetime.fromisoformat(delivery["attempts"][-1]["at"])
            pauses.append((datetime.fromisoformat(delivery["next_attempt_at"]) - at).total_seconds())
            hooked.retry()

    scheduled = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert 4 <= pauses[0] <= 7
    assert 7_200 <= pauses[1] <= 7_201
    assert all(86_400 <= pause <= 1.2 * 86_400 + 1 for pause in pauses[2:])
    assert 3 * 86_400 < sum(scheduled) * 1.0 < 3.5 * 86_400


def test_410_disables_the_webhook_and_resuming_it_enables_it(product: Product) -> None:
    with Receiver(status(410), status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("first")
        hooked.queues.deliver()
        assert hooked.state()["state"] == "disabled"
        hooked.plan("second")
        hooked.queues.deliver()
        assert titles(receiver.requests) == ["first"]

        assert hooked.ann.post(f"{hooked.own_path}/resume").status == 200
        hooked.plan("third")
        hooked.queues.deliver()
        assert titles(receiver.requests) == ["first", "third"]

        first = hooked.deliveries()[0]["seq"]
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": first, "to": first + 1})
        hooked.queues.deliver()
        assert sorted(titles(receiver.requests)[2:]) == ["first", "second"]


def test_an_ordered_webhook_never_overtakes_and_has_one_delivery_in_flight(product: Product) -> None:
    # Later than this test lasts on any machine.
    later = status(503, Retry_After="3600")
    with Receiver(status(200), later, later, status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True)
        for title in ("first", "second", "third"):
            hooked.plan(title)
        messages = hooked.queues.deliver()
        assert titles(receiver.requests) == ["first", "second"]
        # Further messages while it waits begin no attempt.
        hooked.plan("fourth")
        hooked.queues.deliver()
        assert titles(receiver.requests) == ["first", "second"]

        hooked.retry()
        hooked.retry()

    assert messages
    assert titles(receiver.requests) == ["first", "second", "second", "second", "third", "fourth"]
    assert receiver.most_in_flight == 1
    assert [each["status"] for each in hooked.deliveries()] == ["delivered"] * 4


def test_a_replay_of_an_ordered_webhook_goes_back_and_on_in_order(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=True)
        for title in ("first", "second", "third"):
            hooked.plan(title)
        hooked.queues.deliver()
        second = hooked.deliveries()[1]["seq"]

        response = hooked.ann.post(f"{hooked.own_path}/replay", json={"from": second, "to": second})
        assert response.status == 202, response
        hooked.queues.deliver()

    assert titles(receiver.requests) == ["first", "second", "third", "second", "third"]


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_a_replay_does_not_wait_for_the_next_attempt(product: Product, ordered: bool) -> None:
    with Receiver(status(500), status(500), status(200)).listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        hooked.plan("first")
        hooked.queues.deliver()
        hooked.retry()
        (waiting,) = hooked.deliveries(status="pending")

        # Now it waits for four minutes at least.
        hooked.ann.post(f"{hooked.own_path}/replay", json={"from": waiting["seq"], "to": waiting["seq"]})
        hooked.queues.deliver()

        assert titles(receiver.requests) == ["first"] * 3
        assert [each["status"] for each in hooked.deliveries()] == ["delivered"]
        # The attempt that it waited for is not made any more.
        hooked.retry()
        assert len(receiver.requests) == 3


def test_a_delivery_whose_function_was_cut_off_in_each_attempt_fails(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("first")
        hooked.queues.lose()
        (item,) = [each for each in product.items("WebhooksTable") if each["item"].startswith("D#")]
        tables.change(product.aws, "WebhooksTable", {"room_id": hooked.id, "item": item["item"]}, begun=ATTEMPTS)
        hooked.retry()

    (failed,) = hooked.deliveries(status="failed")
    assert failed["attempts"][-1]["error"] == "broken_off"
    assert receiver.requests == []


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_a_message_that_is_lost_is_sent_again_by_the_sweeper(product: Product, ordered: bool) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        hooked.plan("first")
        assert hooked.queues.lose()
        hooked.sweep()
        assert hooked.queues.deliver() == []

        hooked.time_passes(timedelta(seconds=601))
        hooked.sweep()
        hooked.queues.deliver()

    assert titles(receiver.requests) == ["first"]


def test_an_event_that_dispatch_missed_is_found_by_the_sweeper(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.sweep()
        hooked.ann.plan(title="first", room_id=hooked.id)
        product.deliver(to="ActivityFunction")
        assert hooked.queues.deliver() == []

        hooked.time_passes(timedelta(seconds=3_601))
        hooked.sweep()
        hooked.queues.deliver()

    assert titles(receiver.requests) == ["first"]


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_messages_that_come_twice_send_once(product: Product, ordered: bool) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, ordered=ordered)
        hooked.plan("first")
        hooked.time_passes(timedelta(seconds=601))
        hooked.sweep()
        assert len(hooked.queues.deliver()) == 2

    assert titles(receiver.requests) == ["first"]


def test_only_chosen_types_are_sent_with_the_refetches_of_their_resource(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver, events=["task.updated"])
        task = hooked.plan("first")
        hooked.ann.patch(f"/tasks/{task['id']}", json={"title": "second"})
        product.deliver()
        hooked.queues.deliver()

    assert [json.loads(request.body)["type"] for request in receiver.requests] == ["task.updated"]


def test_a_test_event_says_what_it_is(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        response = hooked.ann.post(f"{hooked.own_path}/test")
        assert response.status == 202, response
        hooked.queues.deliver()

    payload = verified(hooked.webhook["secret"], receiver.requests[0])
    assert payload["type"] == "webhook.test"
    assert payload["data"] == {"room_id": hooked.id, "webhook_id": hooked.webhook["id"]}
    assert [each["status"] for each in hooked.deliveries()] == ["delivered"]


def test_long_texts_are_left_out_of_a_payload(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        task = hooked.ann.plan(title="Order the desks", room_id=hooked.id, description="\U0001f600" * 9_000)
        product.deliver()
        hooked.queues.deliver()

    (request,) = receiver.requests
    assert len(request.body) <= 20_000
    data = verified(hooked.webhook["secret"], request)["data"]
    assert data["truncated"] is True
    assert data["task"] == {**task, "description": None}


def test_a_task_that_is_gone_is_null_and_the_code_of_a_room_is_not_sent(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        task = hooked.ann.plan(title="Order the desks", room_id=hooked.id)
        hooked.ann.delete_for_good(task)
        code = hooked.ann.post(f"/rooms/{hooked.id}/code").json()["code"]
        product.deliver()
        hooked.queues.deliver()

    payloads = [json.loads(request.body) for request in receiver.requests]
    assert {each["type"]: each["data"]["task"] for each in payloads}["task.created"] is None
    assert "room.updated" in {each["type"] for each in payloads}
    assert code not in repr(payloads)


def test_both_secrets_sign_for_24_hours(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        renewed = hooked.ann.post(f"{hooked.own_path}/secret").json()["secret"]
        hooked.plan("first")
        hooked.queues.deliver()
        hooked.time_passes(timedelta(seconds=86_401))
        hooked.plan("second")
        hooked.queues.deliver()

    assert renewed != hooked.webhook["secret"]
    assert [len(request.headers["webhook-signature"].split()) for request in receiver.requests] == [2, 1]
    for secret in (hooked.webhook["secret"], renewed):
        assert verified(secret, receiver.requests[0])

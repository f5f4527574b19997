"""Heads of logs are dispatched where the room has webhooks, from its first one to its last one; elsewhere nothing is
called, or paid."""

from datetime import timedelta

import pytest

from tasksync.model.times import parse, timestamp
from tests.functions.activity.trails import FUNCTION as ACTIVITY
from tests.functions.dispatch.test_unassignment import FUNCTION
from tests.functions.migrations.test_adopted_trails import make_old
from tests.functions.webhooks.hooked_room import HookedRoom, titles
from tests.functions.webhooks.receivers import Receiver
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.queues import Queues


def changed(product: Product, person: Person, room_id: str) -> int:
    """How often dispatch is called after a change of a room."""
    person.plan(title="x", room_id=room_id)
    product.deliver(to=ACTIVITY)
    return len(product.deliver(to=FUNCTION))


def test_dispatch_is_called_from_the_first_webhook_of_a_room_to_its_last(product: Product) -> None:
    product.aws.make_queues()
    ann = product.register("ann")
    room, other = (ann.open_room()["id"] for _ in range(2))
    webhooks = f"/rooms/{room}/webhooks"
    product.deliver()
    calls = [changed(product, ann, room)]

    made = [ann.post(webhooks, json={"url": "https://hooks.example.org/"}).json()["id"] for _ in range(2)]
    calls += [changed(product, ann, room), changed(product, ann, other)]
    for webhook in made:
        assert ann.delete(f"{webhooks}/{webhook}").status == 204
        product.deliver()
        calls.append(changed(product, ann, room))

    assert calls == [0, 1, 0, 1, 0]


def test_several_changes_are_one_record(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        for number in range(5):
            hooked.ann.plan(title=str(number), room_id=hooked.id)
        product.deliver(to=ACTIVITY)
        [delivery] = product.deliver(to=FUNCTION)
        hooked.queues.deliver()

    assert len([each for each in delivery.records if each["eventName"] == "MODIFY"]) == len(delivery.records) <= 2
    assert sorted(titles(receiver.requests)) == [str(number) for number in range(5)]


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_a_webhook_of_a_room_whose_log_has_not_begun_gets_all_that_follows(product: Product, ordered: bool) -> None:
    ann, queues = product.register("ann"), Queues(product.aws)
    room = ann.open_room()
    with Receiver().listening() as receiver:
        body = {"url": receiver.url, "ordered": ordered, "events": ["task.created"]}
        made = ann.post(f"/rooms/{room['id']}/webhooks", json=body)
        assert made.status == 201, made
        assert ann.get(f"/rooms/{room['id']}").json()["tasks"] == {"open": 0, "completed": 0}
        assert ann.get(f"/rooms/{room['id']}/changes").json()["head"] == 0
        ann.plan(title="first", room_id=room["id"])
        product.deliver()
        queues.deliver()

    assert titles(receiver.requests) == ["first"]
    assert [each["seq"] for each in ann.list(f"/rooms/{room['id']}/activity")] == [2, 1]


@pytest.mark.parametrize("ordered", [False, True], ids=["unordered", "ordered"])
def test_changes_that_the_version_before_logged_are_no_events_and_are_counted_nowhere_before(
    product: Product, ordered: bool
) -> None:
    ann, queues = product.register("ann"), Queues(product.aws)
    room = ann.open_room()
    ann.plan(title="old", room_id=room["id"])
    make_old(product)
    for item in product.items("ActivityTable"):
        at = timestamp(parse(item["at"]) - timedelta(days=1))
        tables.change(product.aws, "ActivityTable", {each: item[each] for each in ("room_id", "entry_id")}, at=at)
    created = timestamp(parse(room["created_at"]) - timedelta(days=1))
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, created_at=created)

    with Receiver().listening() as receiver:
        ann.post(f"/rooms/{room['id']}/webhooks", json={"url": receiver.url, "ordered": ordered})
        shown = [ann.get(f"/rooms/{room['id']}").json(), *ann.get("/sync").json()["rooms"]]
        ann.plan(title="new", room_id=room["id"])
        product.deliver()
        queues.deliver()

    assert [each["tasks"] for each in shown] == [None, None]
    assert titles(receiver.requests) == ["new"]
    assert ann.get(f"/rooms/{room['id']}").json()["tasks"] == {"open": 2, "completed": 0}


def test_a_head_that_was_restored_without_its_mark_gets_it_again(product: Product) -> None:
    with Receiver().listening() as receiver:
        hooked = HookedRoom(product, receiver)
        product.deliver()
        tables.forget(product.aws, "LogTable", {"owner_id": hooked.id, "item": "head"}, "webhooks")
        missed = changed(product, hooked.ann, hooked.id)

        hooked.time_passes(timedelta(hours=1))
        call(product.aws, "SweeperFunction", {})

        product.deliver()
        assert (missed, changed(product, hooked.ann, hooked.id)) == (0, 1)
        hooked.queues.deliver()
    assert titles(receiver.requests) == ["x", "x"]

"""The dispatch function does what new entries of change logs call for, and no entry keeps the others from it."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from dispatch.duties import DUTIES, Duty, Written, hand_out
from infrastructure.streams import fits
from tasksync.dynamodb.change_log.decoder import HAS_WEBHOOKS, HEAD
from tasksync.model import times
from tasksync.model.change_log import HeadRecord
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.errors import DependencyFailed
from tests.functions.activity.trails import FUNCTION as ACTIVITY
from tests.functions.activity.trails import deeds, trail
from tests.functions.dispatch.test_unassignment import FUNCTION, Flat
from tests.functions.migrations.test_adopted_trails import make_old
from tests.functions.room_cleanup.stream_deliveries import hand_over
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.stack import Stack
from tests.support.stored_tasks import assignments
from tests.support.streams import records

Json = dict[str, Any]

SOURCES = Stack().events(FUNCTION, "DynamoDB")


@pytest.fixture
def flat(product: Product) -> Flat:
    return Flat(product)


def entry_of(resource: ActivityResource, action: ActivityAction) -> ActivityEntry:
    return ActivityEntry(
        id="an id",
        owner_id="room_1",
        at=times.now(),
        actor_id=None,
        action=action,
        resource=resource,
        resource_id="usr_1",
        changes={},
        request_id=None,
        revision=1,
        version=1,
        seq=1,
    )


def record_of(resource: ActivityResource, action: ActivityAction) -> Json:
    image = {"resource": {"S": resource.value}, "action": {"S": action.value}}
    keys = {"owner_id": {"S": "room_1"}, "item": {"S": "c#000000000001"}}
    return {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": image}}


def head_record(has_webhooks: bool) -> Json:
    image = {"seq": {"N": "1"}, "open": {"N": "0"}} | ({"webhooks": {"S": HAS_WEBHOOKS}} if has_webhooks else {})
    keys = {"owner_id": {"S": "room_1"}, "item": {"S": HEAD}}
    return {"eventName": "MODIFY", "dynamodb": {"Keys": keys, "NewImage": image}}


def is_let_through(record: Json) -> bool:
    patterns = [json.loads(each["Pattern"]) for source in SOURCES for each in source["FilterCriteria"]["Filters"]]
    return any(fits(record, pattern) for pattern in patterns)


def ends_of_memberships(flat: Flat) -> list[Json]:
    """The records that the function gets, without their being delivered."""
    flat.product.deliver(to=ACTIVITY)
    found = records(flat.product.aws, flat.product.aws.stack.arns["LogTable.StreamArn"])
    return [record for record in found if is_let_through(record)]


def test_the_event_filter_lets_through_what_a_duty_wants_and_nothing_else() -> None:
    kinds = list(itertools.product(ActivityResource, ActivityAction))

    entries = [(entry_of(*kind), record_of(*kind)) for kind in kinds]
    heads = [(HeadRecord(1, has), head_record(has)) for has in (True, False)]
    written: list[tuple[Written, Json]] = [*entries, *heads]

    wanted = [record for each, record in written if any(duty.wants(each) for duty in DUTIES.values())]

    assert wanted == [record for _, record in written if is_let_through(record)]
    assert wanted == [record_of(ActivityResource.MEMBERSHIP, ActivityAction.DELETED), head_record(has_webhooks=True)]


def test_a_duty_gets_the_entries_that_it_wants_and_the_failure_of_another_does_not_stop_it() -> None:
    left, joined = (
        entry_of(ActivityResource.MEMBERSHIP, action) for action in (ActivityAction.DELETED, ActivityAction.CREATED)
    )
    got: list[tuple[str, Sequence[Written]]] = []

    def fail(*_: object) -> bool:
        raise DependencyFailed

    def note(log_id: str, wanted: Sequence[Written], _: object) -> bool:
        got.append((log_id, wanted))
        return True

    duties = {
        "broken": Duty(lambda entry: entry is joined, fail),
        "late": Duty(lambda entry: entry is left, lambda *_: False),
        "noted": Duty(lambda entry: entry is left, note),
    }

    with pytest.raises(DependencyFailed):
        hand_out(duties, "room_1", [joined, left], lambda: True)
    finished = [hand_out(duties, "room_1", entries, lambda: True) for entries in ([left], [])]

    assert got == [("room_1", [left])] * 2
    assert finished == [False, True]


def test_old_entries_in_any_order_end_no_later_membership(flat: Flat) -> None:
    for _ in range(2):
        flat.remove_bob(by=flat.ann)
        flat.bob_returns()
    new = flat.plan_for_bob()
    [first, second] = ends_of_memberships(flat)

    failed = hand_over(flat.product, FUNCTION, [second, first, second, first])

    assert failed == []
    assert (flat.now(flat.task)["user_id"], flat.now(flat.task)["version"]) == (None, 2)
    assert flat.now(new) == new


def test_what_the_sweeper_has_finished_is_not_done_again(flat: Flat) -> None:
    """As it is, too, while the version before still unassigns by its own function."""
    flat.remove_bob(by=flat.bob)
    call(flat.product.aws, "SweeperFunction", {"older_than_seconds": 0})
    before = flat.product.items("TasksTableV2")

    assert flat.deliver_entries().failed == []

    assert flat.product.items("TasksTableV2") == before
    assert assignments(flat.product) == 0


@pytest.mark.parametrize("without_joins", [False, True])
def test_the_trail_of_the_version_before_ends_no_assignment_of_somebody_who_is_a_member_now(
    flat: Flat, without_joins: bool
) -> None:
    flat.remove_bob(by=flat.bob)
    flat.product.deliver()
    make_old(flat.product)
    flat.bob_returns()
    task = flat.plan_for_bob()
    if without_joins:
        flat.forget_joins()
    before = flat.now(task)

    delivery = flat.deliver_entries()

    entries = trail(flat.ann, flat.room)
    assert deeds(entries).count(("deleted", "membership")) == len(delivery.records) == 1
    assert delivery.failed == []
    assert flat.now(task) == before
    assert flat.bob.list("/tasks") == [before]


@pytest.mark.parametrize(
    "damage",
    [
        {"at": None},
        {"resource_id": None},
        {"at": {"S": "yesterday"}},
        {"changes": {"S": "{"}},
        {"revision": {"S": "x"}},
    ],
)
def test_an_unreadable_entry_does_not_stop_those_behind_it(
    flat: Flat, damage: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    eve = flat.product.register("eve")
    eve.join(flat.room)
    hers = flat.ann.plan(room_id=flat.room["id"], user_id=eve.id)
    flat.remove_bob(by=flat.bob)
    eve.delete(f"/rooms/{flat.room['id']}/users/{eve.id}")
    [damaged, intact] = ends_of_memberships(flat)
    image = damaged["dynamodb"]["NewImage"] | damage
    damaged["dynamodb"]["NewImage"] = {name: value for name, value in image.items() if value is not None}

    failed = hand_over(flat.product, FUNCTION, [damaged, intact])

    assert failed == []
    assert [flat.now(task)["user_id"] for task in (flat.task, hers)] == [flat.bob.id, None]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["event"] == "entry unreadable"]
    assert (line["owner_id"], line["item"]) == (flat.room["id"], damaged["dynamodb"]["Keys"]["item"]["S"])
    call(flat.product.aws, "SweeperFunction", {"older_than_seconds": 0})
    assert flat.now(flat.task)["user_id"] is None


def test_a_leave_that_the_log_lacks_is_finished_by_the_sweeper(flat: Flat) -> None:
    flat.product.deliver()
    flat.remove_bob(by=flat.bob)
    flat.ann.patch(f"/rooms/{flat.room['id']}", json={"name": "Changed"})
    source = flat.product.aws.stack.arns["RoomsTable.StreamArn"]
    *_, renamed = [
        record
        for record in records(flat.product.aws, source)
        if record["dynamodb"]["Keys"] == {"room_id": {"S": flat.room["id"]}, "item": {"S": "ROOM"}}
    ]
    hand_over(flat.product, ACTIVITY, [renamed])

    deliveries = flat.product.deliver(to=FUNCTION)
    call(flat.product.aws, "SweeperFunction", {"older_than_seconds": 0})

    assert deeds(trail(flat.ann, flat.room))[-2:] == [("refetch", "room"), ("updated", "room")]
    assert deliveries == []
    assert flat.now(flat.task)["user_id"] is None

"""Each change is in the log once and in order, however its record comes: again, late, after a crash or an outage."""

import json
import random
from itertools import count
from typing import Any

import pytest

from tests.functions.activity.trails import FUNCTION, Json, about, head, markers, stored, trail
from tests.functions.room_cleanup.stream_deliveries import Hourglass, hand_over, lost_responses, outage, repeated
from tests.support.client import Person
from tests.support.product import Product
from tests.support.streams import Delivery


def busy_room(product: Product, changes: int) -> tuple[Person, Any, Any]:
    """Ann, her room, and a task in it that was planned, then changed so many times, and a second one purged."""
    ann = product.register("ann")
    room = ann.open_room()
    task, other = ann.plan(room_id=room["id"], title="0"), ann.plan(room_id=room["id"])
    for number in range(1, changes + 1):
        assert ann.patch(f"/tasks/{task['id']}", json={"title": str(number)}).status == 200
    ann.delete_for_good(other)
    return ann, room, task


def titles(person: Person, room: Any, task: Any) -> list[str]:
    return [entry["changes"]["title"]["new"] for entry in about(trail(person, room), task["id"])]


def records(deliveries: list[Delivery]) -> list[Json]:
    return [record for delivery in deliveries for record in delivery.records]


def numbers(records: list[Json]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


def everything(product: Product) -> list[str]:
    return sorted(json.dumps(item, default=str, sort_keys=True) for item in product.items("LogTable"))


def forget(product: Product, owner: str = "") -> None:
    """Empty the logs whose ids begin with ``owner``."""
    for item in product.items("LogTable"):
        key = {name: {"S": item[name]} for name in ("owner_id", "item")}
        if item["owner_id"].startswith(owner):
            product.aws.dynamodb.delete_item(TableName="LogTable", Key=key)


def interleaved(records: list[Json], choices: random.Random) -> list[Json]:
    """The records in another order, but those of each item in theirs, as streams keep it."""
    queues: dict[str, list[Json]] = {}
    for record in records:
        queues.setdefault(json.dumps(record["dynamodb"]["Keys"]), []).append(record)
    found = []
    while queues:
        key = choices.choice(sorted(queues))
        found.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    return found


@pytest.mark.parametrize("fault", [outage, lost_responses])
def test_a_function_may_be_cut_off_after_any_request(product: Product, fault: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], title="0")
    ann.plan(room_id=room["id"], status="completed")
    ann.patch(f"/tasks/{task['id']}", json={"title": "1"})
    delivered = records(product.deliver(to=FUNCTION))
    of_room, of_task, *others = [each for each in delivered if "user_id" not in each["dynamodb"]["Keys"]]

    failed: list[str] = ["not tried yet"]
    for after in count():
        forget(product)
        for batch in ([of_room], [of_task], others):
            with fault("LogTable", after):
                failed = hand_over(product, FUNCTION, batch)
            shown = trail(ann, room)
            assert hand_over(product, FUNCTION, batch) == []
            assert trail(ann, room)[: len(shown)] == shown

        assert [(each["seq"], each["action"]) for each in trail(ann, room)] == [
            (1, "created"),
            (2, "created"),
            (3, "created"),
            (4, "updated"),
        ]
        assert head(product, room) == {"seq": 4, "open": 1, "completed": 1}
        assert {name: each["revision"] for name, each in markers(product).items() if name == task["id"]} == {
            task["id"]: 2
        }
        if not failed:
            break
    # Head, markers, entries, two markers, head.
    assert after == 6


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_write_that_is_carried_out_and_sent_again_is_in_the_log_once(product: Product, operation: str) -> None:
    ann, room, task = busy_room(product, 1)
    of_room, of_task, *_ = records(product.deliver(to=FUNCTION))
    forget(product)

    for each in (of_room, of_task):
        with repeated(operation):
            assert hand_over(product, FUNCTION, [each]) == []

    assert titles(ann, room, task) == ["0"]
    assert [entry["seq"] for entry in trail(ann, room)] == [1, 2]
    assert head(product, room) == {"seq": 2, "open": 1, "completed": 0}


def test_what_is_not_complete_is_not_shown_and_the_next_change_of_the_room_completes_it(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    task = ann.plan(room_id=room["id"])
    [of_task] = records(product.deliver(seconds=0, to=FUNCTION))
    ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"})
    with outage("LogTable", 3):
        assert hand_over(product, FUNCTION, [of_task]) != []
    between = trail(ann, room), head(product, room), set(markers(product))

    renamed = [each for each in records(product.deliver(seconds=0, to=FUNCTION)) if each["eventName"] == "MODIFY"]
    hand_over(product, FUNCTION, renamed)

    assert [entry["seq"] for entry in between[0]] == [1]
    assert between[1:] == ({"seq": 1, "open": 0, "completed": 0}, {room["id"]})
    entries = trail(ann, room)
    assert [(entry["seq"], entry["action"]) for entry in entries] == [(1, "created"), (2, "created"), (3, "updated")]
    assert head(product, room) == {"seq": 3, "open": 1, "completed": 0}
    assert set(markers(product)) == {room["id"], task["id"]}


def test_a_redelivered_record_changes_nothing(product: Product) -> None:
    busy_room(product, 3)
    delivered = records(product.deliver(to=FUNCTION))
    before = everything(product)

    failed = hand_over(product, FUNCTION, delivered * 3)

    assert failed == []
    assert len(delivered) == len(stored(product, "")) == 9
    assert everything(product) == before


def test_records_of_several_items_in_any_order_make_one_log(product: Product) -> None:
    ann, room, task = busy_room(product, 5)
    delivered = records(product.deliver(to=FUNCTION))
    before = trail(ann, room)
    forget(product)

    for record in interleaved(delivered, random.Random(5)):
        hand_over(product, FUNCTION, [record])

    after = trail(ann, room)
    assert titles(ann, room, task) == ["0", "1", "2", "3", "4", "5"]
    assert [entry["seq"] for entry in after] == list(range(1, 11))
    assert {entry["id"]: entry | {"seq": 0} for entry in after} == {e["id"]: e | {"seq": 0} for e in before}


def test_an_interrupted_batch_reports_the_first_record_that_is_not_in_the_log(product: Product) -> None:
    ann, room, _ = busy_room(product, 1)
    other = ann.open_room()
    [of_rooms, of_tasks, _] = product.deliver(seconds=0, to=FUNCTION)

    # Before each log, the time that is left is checked.
    failed = hand_over(product, FUNCTION, of_tasks.records + of_rooms.records, Hourglass(FUNCTION, looks=1))
    interrupted = [len(trail(ann, each)) for each in (room, other)]
    product.deliver(to=FUNCTION)

    assert [of_rooms.failed, of_tasks.failed] == [numbers(of_rooms.records)[:1], numbers(of_tasks.records)[:1]]
    assert failed == numbers(of_rooms.records)[1:]
    assert interrupted == [6, 0]
    assert [[entry["seq"] for entry in trail(ann, each)] for each in (room, other)] == [[1, 2, 3, 4, 5, 6], [1]]


@pytest.mark.parametrize(("table", "after"), [("LogTable", 0), ("LogTable", 1), ("IdempotencyTable", 0)])
@pytest.mark.parametrize("fault", [outage, lost_responses])
def test_a_killed_and_redelivered_batch_appends_each_change_once(
    product: Product, table: str, after: int, fault: Any
) -> None:
    ann, room, task = busy_room(product, 28)

    with fault(table, after):
        interrupted = product.deliver(to=FUNCTION)
    repeated = product.deliver(to=FUNCTION)

    assert any(delivery.failed for delivery in interrupted)
    assert not any(delivery.failed for delivery in repeated)
    assert [entry["seq"] for entry in trail(ann, room)] == list(range(1, 34))
    assert titles(ann, room, task) == [str(number) for number in range(29)]

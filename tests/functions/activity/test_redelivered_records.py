"""Each change is in the trail once and in order, however its record comes: again, late, after a crash or an outage."""

import json
import random
from typing import Any

import pytest

from tests.functions.activity.trails import FUNCTION, Json, about, trail
from tests.functions.room_cleanup.stream_deliveries import Hourglass, hand_over, lost_responses, outage
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


def stored(product: Product) -> list[str]:
    """Every entry as it is stored, in the order of time."""
    return sorted(json.dumps(item, default=str, sort_keys=True) for item in product.items("ActivityTable"))


def test_a_redelivered_record_changes_nothing(product: Product) -> None:
    busy_room(product, 3)
    delivered = records(product.deliver(to=FUNCTION))
    before = stored(product)

    failed = hand_over(product, FUNCTION, delivered * 3)

    assert failed == []
    assert len(before) == len(delivered) == 8
    assert stored(product) == before


def test_records_in_any_order_make_the_same_trail(product: Product) -> None:
    ann, room, task = busy_room(product, 5)
    delivered = records(product.deliver(to=FUNCTION))
    before = stored(product)
    table = [{"PutRequest": {"Item": item}} for item in product.aws.dynamodb.scan(TableName="ActivityTable")["Items"]]
    keys = [
        {"DeleteRequest": {"Key": {name: put["PutRequest"]["Item"][name] for name in ("room_id", "entry_id")}}}
        for put in table
    ]
    product.aws.dynamodb.batch_write_item(RequestItems={"ActivityTable": keys})  # type: ignore[dict-item]  # its type has all kinds of values

    shuffled = random.Random(5).sample(delivered, len(delivered))
    for record in shuffled:
        hand_over(product, FUNCTION, [record])

    assert stored(product) == before
    assert titles(ann, room, task) == ["0", "1", "2", "3", "4", "5"]


def test_an_interrupted_batch_reports_the_first_record_that_is_not_in_the_trail(product: Product) -> None:
    ann, room, task = busy_room(product, 28)
    [of_room, of_tasks] = product.deliver(seconds=0, to=FUNCTION)

    # It is asked whether there is time, and writes 25 entries.
    failed = hand_over(product, FUNCTION, of_room.records + of_tasks.records, Hourglass(FUNCTION, looks=2))
    half = len(product.items("ActivityTable"))
    product.deliver(to=FUNCTION)

    assert [of_room.failed, of_tasks.failed] == [numbers(of_room.records)[:1], numbers(of_tasks.records)[:1]]
    assert failed == [numbers(of_tasks.records)[24]]
    assert half == 25
    assert len(product.items("ActivityTable")) == 33
    assert titles(ann, room, task) == [str(number) for number in range(29)]


@pytest.mark.parametrize(("table", "after"), [("ActivityTable", 0), ("ActivityTable", 1), ("IdempotencyTable", 0)])
@pytest.mark.parametrize("fault", [outage, lost_responses])
def test_a_killed_and_redelivered_batch_writes_each_change_once(
    product: Product, table: str, after: int, fault: Any
) -> None:
    ann, room, task = busy_room(product, 28)

    with fault(table, after):
        interrupted = product.deliver(to=FUNCTION)
    repeated = product.deliver(to=FUNCTION)

    assert any(delivery.failed for delivery in interrupted)
    assert not any(delivery.failed for delivery in repeated)
    entries = trail(ann, room)
    assert len(entries) == len({entry["id"] for entry in entries}) == 33
    assert titles(ann, room, task) == [str(number) for number in range(29)]


def test_an_undecodable_record_is_not_skipped(product: Product) -> None:
    ann, room, _ = busy_room(product, 1)
    delivered = records(product.deliver(to=FUNCTION))
    unreadable = json.loads(json.dumps(delivered[0]).replace('"version"', '"edition"'))

    with pytest.raises(KeyError):
        hand_over(product, FUNCTION, [unreadable])

    assert len(trail(ann, room)) == 6

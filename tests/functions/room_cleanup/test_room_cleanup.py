"""What is left of a room is deleted once, and whole, however the stream's records come."""

from typing import Any

import pytest

from tests.functions.room_cleanup.stream_deliveries import Hourglass, copies, hand_over, lost_responses, outage, record
from tests.support import tables
from tests.support.client import Person
from tests.support.product import Product
from tests.support.rooms_table import of_rooms
from tests.support.stored_tasks import stored_tasks
from tests.support.streams import Delivery

FUNCTION = "RoomCleanupFunction"


def leave(person: Person, room: Any) -> None:
    assert person.delete(f"/rooms/{room['id']}/users/{person.id}").status == 204


def tasks_in(product: Product, room: Any) -> int:
    return sum(item["owner_id"] == room["id"] for item in stored_tasks(product))


def is_kept(product: Product, room: Any) -> bool:
    """Whether the room itself is still in its table."""
    return any(item["room_id"] == room["id"] for item in of_rooms(product))


def code_is_claimed(product: Product, room: Any) -> bool:
    """By the room, and not retired."""
    return any(item.get("owner") == room["id"] for item in of_rooms(product))


def emptied(number: int, room: Any) -> Any:
    """A record that says the room's last member has left, whether or not that is so."""
    image: dict[str, str | int] = {"kind": "room", "code": room["code"], "member_count": 0, "admin_count": 0}
    return record(number, {"room_id": room["id"], "item": "ROOM"}, image)


def of_the_room(delivery: Delivery) -> str:
    """The number of the record that says that the room is empty."""
    [record] = delivery.records
    return str(record["dynamodb"]["SequenceNumber"])


def test_only_the_last_leave_of_a_room_has_a_stream_record_that_matters(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.patch(f"/rooms/{room['id']}", json={"name": "Changed"})
    leave(bob, room)
    before = product.deliver(to=FUNCTION)

    leave(ann, room)
    [delivery] = product.deliver(to=FUNCTION)

    assert before == []
    assert delivery.failed == []
    assert [record["dynamodb"]["Keys"]["item"]["S"] for record in delivery.records] == ["ROOM"]
    assert not is_kept(product, room)
    product.deliver()
    assert of_rooms(product) == []


@pytest.mark.parametrize("number", [1, 25, 26, 130])
def test_all_tasks_are_deleted_however_many_there_are(product: Product, number: int) -> None:
    ann = product.register("ann")
    room, other = ann.open_room(), ann.open_room()
    first = ann.plan(room_id=room["id"])
    copies(product, first, number - 1)
    ann.delete(f"/tasks/{first['id']}")
    kept = [ann.plan(room_id=other["id"]), ann.plan()]
    ann.delete(f"/tasks/{kept[0]['id']}")
    assert tasks_in(product, room) == number

    leave(ann, room)
    product.deliver()

    assert (tasks_in(product, room), is_kept(product, room), code_is_claimed(product, room)) == (0, False, False)
    assert {item["item"] for item in stored_tasks(product)} == {task["id"] for task in kept}


def test_a_redelivered_record_changes_nothing(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(code="GARDEN")
    ann.plan(room_id=room["id"])
    leave(ann, room)
    [delivery] = product.deliver(to=FUNCTION)
    tables.change(product.aws, "RoomsTable", {"room_id": "CODE#GARDEN", "item": "CODE"}, expires_at=1)
    reused = bob.open_room(code="GARDEN")
    bob.plan(room_id=reused["id"])
    before = product.items("RoomsTable"), product.items("TasksTableV2")

    failed = [hand_over(product, FUNCTION, delivery.records * 2) for _ in range(2)]

    assert failed == [[], []]
    assert (product.items("RoomsTable"), product.items("TasksTableV2")) == before
    assert ann.join({"code": "GARDEN"})["id"] == reused["id"]


def test_a_record_of_a_live_room_changes_nothing(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    before = of_rooms(product), product.items("TasksTableV2")

    failed = hand_over(product, FUNCTION, [emptied(1, room)])

    assert failed == []
    assert (of_rooms(product), product.items("TasksTableV2")) == before
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_a_record_of_an_unknown_room_is_processed(product: Product) -> None:
    assert hand_over(product, FUNCTION, [emptied(1, {"id": f"room_{'0' * 32}", "code": "NOSUCH"})]) == []


def test_without_time_the_record_is_reported_and_finished_at_the_next_delivery(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    leave(ann, room)

    [hurried] = product.deliver(seconds=1, to=FUNCTION)
    kept = (tasks_in(product, room), is_kept(product, room), code_is_claimed(product, room))
    joining = bob.post("/rooms/join", json={"code": room["code"]})
    [in_peace] = product.deliver(to=FUNCTION)

    assert hurried.failed == [of_the_room(hurried)]
    assert kept == (1, True, True)
    assert (joining.status, joining.json()["code"]) == (404, "unknown_code")
    assert (of_the_room(in_peace), in_peace.failed) == (of_the_room(hurried), [])
    assert of_rooms(product) == product.items("TasksTableV2") == []


def test_an_interrupted_purge_continues_and_the_room_is_deleted_last(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    copies(product, ann.plan(room_id=room["id"]), 34)
    leave(ann, room)

    # A task is two items, and 25 items are deleted at a time. Time enough to do so twice: the room is read, and each
    # time it is asked, read and deleted.
    failed = hand_over(product, FUNCTION, [emptied(7, room)], Hourglass(FUNCTION, looks=1 + 2 * 3))
    left = len(product.items("TasksTableV2"))
    kept = is_kept(product, room), code_is_claimed(product, room)
    product.deliver()

    assert failed == [emptied(7, room)["dynamodb"]["SequenceNumber"]]
    assert 0 < left < 70
    assert kept == (True, True)
    assert of_rooms(product) == product.items("TasksTableV2") == []


def test_the_first_failed_record_is_reported_and_later_ones_are_not_processed(product: Product) -> None:
    ann = product.register("ann")
    rooms = [ann.open_room() for _ in range(3)]
    for room in rooms:
        ann.plan(room_id=room["id"])
        leave(ann, room)

    # Time enough for the first room: two looks, the second of which finds no more tasks; and its end.
    looks = Hourglass(FUNCTION, 1 + 3 + 2 + 1)
    failed = hand_over(product, FUNCTION, [emptied(i, room) for i, room in enumerate(rooms)], looks)
    kept = [is_kept(product, room) for room in rooms]
    product.deliver()

    assert failed == [emptied(1, rooms[1])["dynamodb"]["SequenceNumber"]]
    assert kept == [False, True, True]
    assert of_rooms(product) == product.items("TasksTableV2") == []


@pytest.mark.parametrize(
    ("table", "after"),
    [("RoomsTable", 0), ("RoomsTable", 1), ("TasksTableV2", 0), ("TasksTableV2", 1)],
)
def test_a_record_interrupted_by_an_outage_is_reported_and_finished_later(
    product: Product, table: str, after: int
) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    leave(ann, room)

    with outage(table, after):
        [interrupted] = product.deliver(to=FUNCTION)
    kept = is_kept(product, room), code_is_claimed(product, room)
    [repeated] = product.deliver(to=FUNCTION)

    assert interrupted.failed == [of_the_room(interrupted)]
    assert kept == (True, True)
    assert repeated.failed == []
    assert of_rooms(product) == product.items("TasksTableV2") == []


@pytest.mark.parametrize("table", ["RoomsTable", "TasksTableV2"])
def test_a_step_whose_response_was_lost_is_found_done(product: Product, table: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    leave(ann, room)

    with lost_responses(table, after=1):
        [interrupted] = product.deliver(to=FUNCTION)
    [repeated] = product.deliver(to=FUNCTION)

    assert (len(interrupted.failed), repeated.failed) == (1, [])
    assert of_rooms(product) == product.items("TasksTableV2") == []

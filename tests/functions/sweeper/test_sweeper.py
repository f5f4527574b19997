"""The sweeper finishes what the streams left, and nothing that lives or was left a moment ago."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tasksync.model import times
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.rooms_table import of_rooms
from tests.support.stored_tasks import assignments, stored_tasks

ALL = {"older_than_seconds": 0}
LONG_AGO = times.timestamp(times.now() - timedelta(minutes=11))


def _sweep(product: Product, event: dict[str, Any] | None = None, seconds: float = 60.0) -> Any:
    return call(product.aws, "SweeperFunction", event or {}, seconds)


def _accept_deletion(product: Product, person: Person, at: str | None = None) -> None:
    """What a request to delete somebody has written when it is cut off."""
    written = {"status": "deleting", "updated_at": at or times.timestamp(times.now()), "unfinished": "user"}
    tables.change(product.aws, "UsersTable", {"user_id": person.id}, **written)


def _nothing(complete: bool = True) -> dict[str, Any]:
    return {"found": 0, "finished": 0, "failed": [], "complete": complete}


def _nothing_of_all() -> dict[str, Any]:
    return {kind: _nothing() for kind in ("users", "rooms", "unassignments", "ranks", "logs", "webhooks", "trash")}


def _one() -> dict[str, Any]:
    return {"found": 1, "finished": 1, "failed": [], "complete": True}


def test_a_room_left_empty_long_ago_is_deleted_with_its_tasks_and_its_code(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    for _ in range(30):
        ann.plan(room_id=room["id"])
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, updated_at=LONG_AGO)

    swept = _sweep(product)

    assert swept == _nothing_of_all() | {"rooms": _one()}
    assert of_rooms(product) == []
    assert product.items("TasksTableV2") == []


def test_a_former_member_is_unassigned_although_the_record_was_lost(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204

    too_early = _sweep(product)
    swept, again = _sweep(product, ALL), _sweep(product, ALL)

    assert too_early["unassignments"] == again["unassignments"] == _nothing()
    assert swept["unassignments"] == _one()
    assert ann.get(f"/tasks/{task['id']}").json()["version"] == task["version"] + 1
    assert assignments(product) == 0


def test_work_finished_by_the_stream_is_not_found(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    assert ann.delete(f"/rooms/{ann.open_room()['id']}").status == 204

    product.deliver()

    assert _sweep(product, ALL) == _nothing_of_all()


def test_a_deleted_user_leaves_no_pending_unassignment(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204

    assert bob.delete("/users/me").status == 204

    assert [item for item in product.items("RoomsTable") if item["room_id"] == f"USER#{bob.id}"] == []


def test_a_user_stuck_in_deletion_is_removed_with_all_their_items(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    bob.plan()
    _accept_deletion(product, bob, LONG_AGO)

    swept = _sweep(product)

    assert swept["users"] == _one()
    assert {item.get("owner", item["user_id"]) for item in product.items("UsersTable")} == {ann.id}
    assert [item.get("user_id") for item in product.items("SessionsTable") if item["kind"] == "session"] == [ann.id]
    assert ann.get(f"/rooms/{room['id']}").json()["user_ids"] == [ann.id]
    assert ann.get(f"/tasks/{task['id']}").json()["user_id"] is None
    assert [item["item"] for item in stored_tasks(product)] == [task["id"]]


def test_a_removed_user_may_leave_an_empty_room_which_is_deleted_too(product: Product) -> None:
    ann = product.register("ann")
    ann.open_room()
    _accept_deletion(product, ann)

    swept = _sweep(product, ALL)

    assert (swept["users"], swept["rooms"]) == (_one(), _one())
    assert of_rooms(product) == []


def test_recent_removals_are_left_to_the_streams(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    _accept_deletion(product, bob)

    assert _sweep(product) == _nothing_of_all()
    assert product.deliver() != []


def test_live_items_are_not_changed(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    before = of_rooms(product), product.items("TasksTableV2"), product.items("UsersTable")

    assert _sweep(product, ALL) == _nothing_of_all()
    assert (of_rooms(product), product.items("TasksTableV2"), product.items("UsersTable")) == before


def test_a_sweep_without_time_stops_and_the_next_one_continues(product: Product) -> None:
    ann = product.register("ann")
    assert ann.delete(f"/rooms/{ann.open_room()['id']}").status == 204

    hurried = _sweep(product, ALL, seconds=1)
    calm = _sweep(product, ALL)

    assert not hurried["rooms"]["complete"]
    assert hurried["rooms"]["finished"] == 0
    assert calm["rooms"] == _one()


def test_a_failing_removal_does_not_block_the_others(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    _accept_deletion(product, bob)
    tables.drop(product.aws, "TasksTableV2")

    swept = _sweep(product, ALL)

    assert swept["users"] == {"found": 1, "finished": 0, "failed": [bob.id], "complete": True}
    assert swept["rooms"] == {"found": 1, "finished": 0, "failed": [room["id"]], "complete": True}
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["kind"]: line["failed"] for line in logged if line["event"] == "swept"} == {
        "users": [bob.id],
        "rooms": [room["id"]],
        "ranks": [],
        "trash": [],
    }

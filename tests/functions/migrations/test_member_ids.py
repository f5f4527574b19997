"""Rooms from before their items named their members are brought to the form of today, while people come and go."""

from typing import Any

import pytest

from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.support import tables
from tests.support.aws import LOCK
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product

Json = dict[str, Any]


@pytest.fixture
def ann(product: Product) -> Person:
    return product.register("ann")


def migrate(product: Product, **event: Any) -> Json:
    """The state of the migration of member ids after a call of the function."""
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, **event})
    assert response["error"] is None
    state: Json = next(each for each in response["migrations"] if each["id"] == "0001-member-ids")
    return state


def item_of(product: Product, room: Json) -> Json:
    key = {"room_id": room["id"], "item": "ROOM"}
    return next(item for item in product.items("RoomsTable") if key.items() <= item.items())


def make_old(product: Product, room: Json) -> None:
    """As it was stored before rooms named their members."""
    key = {"room_id": {"S": room["id"]}, "item": {"S": "ROOM"}}
    with LOCK:
        product.aws.dynamodb.update_item(TableName="RoomsTable", Key=key, UpdateExpression="REMOVE member_ids")


def violations(product: Product, invariant: str) -> int:
    report = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})
    found: int = next(each["violations"] for each in report["findings"] if each["invariant"] == invariant)
    return found


def test_an_older_room_gets_its_member_ids(product: Product, ann: Person) -> None:
    bob, room, new = product.register("bob"), ann.open_room(), ann.open_room()
    bob.join(room)
    make_old(product, room)
    assert violations(product, "I1") == 1

    state = migrate(product)

    assert (state["done"], state["changed"]) == (True, 1)
    assert state["looked_at"] == len(product.items("RoomsTable"))
    assert item_of(product, room)["member_ids"] == {ann.id, bob.id}
    assert item_of(product, new)["member_ids"] == {ann.id}
    assert violations(product, "I1") == 0


def test_joins_and_leaves_since_then_are_included(product: Product, ann: Person) -> None:
    bob, cleo, room = product.register("bob"), product.register("cleo"), ann.open_room()
    bob.join(room)
    make_old(product, room)
    cleo.join(room)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    assert item_of(product, room)["member_ids"] == {cleo.id}

    assert migrate(product)["changed"] == 1

    assert item_of(product, room)["member_ids"] == {ann.id, cleo.id}


def test_the_migration_of_a_room_is_invisible_to_clients(product: Product, ann: Person) -> None:
    room = ann.open_room()
    product.deliver()
    entries = product.items("LogTable")
    make_old(product, room)
    before = ann.get(f"/rooms/{room['id']}")

    migrate(product)
    deliveries = product.deliver()

    after = ann.get(f"/rooms/{room['id']}")
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])
    assert [each.function for each in deliveries] == ["ActivityFunction"]
    assert product.items("LogTable") == entries


def test_a_room_with_wrong_counts_is_left_for_an_operator(product: Product, ann: Person) -> None:
    corrupt, room = ann.open_room(), ann.open_room()
    make_old(product, room)
    tables.change(product.aws, "RoomsTable", {"room_id": corrupt["id"], "item": "ROOM"}, member_count=2)

    state = migrate(product)

    assert (state["done"], state["changed"], state["left"]) == (True, 1, 1)
    assert item_of(product, room)["member_ids"] == {ann.id}


def test_a_room_being_removed_is_skipped(product: Product, ann: Person) -> None:
    room = ann.open_room()
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    before = item_of(product, room)

    assert migrate(product)["changed"] == 0

    assert item_of(product, room) == before


def test_a_concurrent_join_is_included(product: Product, ann: Person) -> None:
    bob, room = product.register("bob"), ann.open_room()
    make_old(product, room)

    with before_the_next_transaction(lambda: bob.join(room)):
        state = migrate(product)

    assert (state["done"], state["changed"]) == (True, 1)
    assert item_of(product, room)["member_ids"] == {ann.id, bob.id}


def test_a_room_closed_during_the_migration_stays_closed(product: Product, ann: Person) -> None:
    room = ann.open_room()
    make_old(product, room)

    with before_the_next_transaction(lambda: ann.delete(f"/rooms/{room['id']}")):
        state = migrate(product)

    assert (state["done"], state["changed"]) == (True, 0)
    assert "member_ids" not in item_of(product, room)

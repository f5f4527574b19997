"""Removals that were begun before they were marked are found by the sweeper again."""

from typing import Any

from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.tables import change, forget

Json = dict[str, Any]


def _changed(product: Product) -> dict[str, int]:
    """By migration, how many items a run has changed."""
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})
    assert response["error"] is None
    return {each["id"]: each["changed"] for each in response["migrations"] if each["changed"]}


def _unmarked(product: Product) -> int:
    report = call(product.aws, "AuditorFunction", {})
    found: int = next(each["violations"] for each in report["findings"] if each["invariant"] == "I17")
    return found


def _swept(product: Product) -> dict[str, int]:
    """By kind, how much a sweep has finished."""
    swept = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
    return {kind: result["finished"] for kind, result in swept.items() if result["finished"]}


def test_unmarked_removals_of_rooms_and_users_are_marked(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.open_room()
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    forget(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, "unfinished")
    change(product.aws, "UsersTable", {"user_id": ann.id}, status="deleting")
    assert _unmarked(product) == 2
    assert _swept(product) == {}

    changed = _changed(product)

    assert changed == {"0004-dead-rooms": 1, "0005-deleted-users": 1}
    assert _unmarked(product) == 0
    assert _swept(product) == {"users": 1, "rooms": 1}


def test_live_rooms_and_users_are_not_marked(product: Product) -> None:
    product.register("ann").open_room()
    before = product.items("RoomsTable"), product.items("UsersTable")

    assert _changed(product) == {}

    assert (product.items("RoomsTable"), product.items("UsersTable")) == before

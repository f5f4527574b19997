"""The audit trails of the version before are the beginning of the change logs: whole, in order, once."""

import json
from itertools import count
from typing import Any

import pytest

from tests.functions.activity.test_redelivered_records import forget
from tests.functions.activity.trails import FUNCTION, Json, about, head, markers, stored, trail
from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.functions.room_cleanup.stream_deliveries import outage
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product

_NEW = {"owner_id", "item", "revision", "version", "open", "completed", "counted", "gone", "head_expires_at"}


def make_old(product: Product) -> None:
    """Let what the logs hold be as the version before stored it, and nothing be in the logs."""
    product.deliver()
    for entry in stored(product):
        old = {name: value for name, value in entry.items() if name not in _NEW}
        tables.put(product.aws, "ActivityTable", **old, room_id=entry["owner_id"], previous="[]")
    forget(product, "room_")


def migrate(product: Product) -> Json:
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})
    assert response["error"] is None
    [state] = [state for state in response["migrations"] if state["id"] == "0010-activity-adopted"]
    return {name: state[name] for name in ("looked_at", "changed", "left", "done")}


def busy_room(product: Product, changes: int = 3) -> tuple[Person, Any, Any]:
    """A room with a member who has left, and a task that was changed."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Garden")
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    for number in range(changes):
        ann.patch(f"/tasks/{task['id']}", json={"title": str(number)})
    ann.patch(f"/tasks/{task['id']}", json={"status": "completed"})
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
    return ann, room, task


def without_seq(entries: list[Json]) -> list[Json]:
    return sorted(({**entry, "seq": 0} for entry in entries), key=lambda entry: str(entry["id"]))


def test_a_room_that_changes_has_its_old_trail_first(product: Product) -> None:
    ann, room, task = busy_room(product)
    product.deliver()
    before = trail(ann, room)
    make_old(product)

    ann.patch(f"/tasks/{task['id']}", json={"title": "new"})
    product.deliver()

    entries = trail(ann, room)
    assert [entry["seq"] for entry in entries] == list(range(1, len(before) + 2))
    assert without_seq(entries[:-1]) == without_seq(before)
    assert [entry["id"] for entry in entries[:-1]] == sorted(entry["id"] for entry in before)
    assert entries[-1]["changes"] == {"title": {"old": "2", "new": "new"}}
    assert [entry["revision"] for entry in about(entries, task["id"])] == [1, 2, 3, 4, 5, 6]
    assert head(product, room) == {"seq": len(entries), "open": 0, "completed": 1}
    assert migrate(product) == {"looked_at": 1, "changed": 0, "left": 0, "done": True}
    assert trail(ann, room) == entries


def test_rooms_in_which_nothing_changes_are_migrated(product: Product) -> None:
    ann, room, task = busy_room(product)
    other = ann.open_room()
    ann.delete(f"/rooms/{other['id']}")
    product.deliver()
    entries, before = trail(ann, room), stored(product)
    make_old(product)

    first, again = migrate(product), migrate(product)

    assert (first["changed"], first["done"]) == (2, True)
    assert again == first
    assert without_seq(trail(ann, room)) == without_seq(entries)
    assert len(stored(product)) == len(before)
    assert markers(product)[task["id"]] == {"revision": 5, "counted": "completed"}
    assert markers(product)[other["id"]].keys() == {"revision", "expires_at"}


def test_entries_are_kept_as_long_as_they_would_have_been(product: Product) -> None:
    busy_room(product)
    make_old(product)
    before = {item["entry_id"]: item for item in product.items("ActivityTable")}
    hour = 3600
    for item in before.values():
        key = {name: item[name] for name in ("room_id", "entry_id")}
        tables.change(product.aws, "ActivityTable", key, at="2026-01-01T00:00:00.000Z")

    migrate(product)

    days = int(product.aws.stack.parameters["ActivityRetentionDays"])
    assert {int(entry["expires_at"]) for entry in stored(product)} == {1767225600 + days * 24 * hour}


def test_an_interrupted_adoption_goes_on_before_anything_new(product: Product) -> None:
    ann, room, task = busy_room(product, changes=60)
    make_old(product)
    ann.patch(f"/tasks/{task['id']}", json={"title": "new"})

    for after in count(2):
        with outage("LogTable", after):
            failed = any(delivery.failed for delivery in product.deliver(to=FUNCTION))
        if not failed:
            break

    entries = trail(ann, room)
    assert after > 5
    assert [entry["seq"] for entry in entries] == list(range(1, 67))
    assert [entry["revision"] for entry in about(entries, task["id"])] == list(range(1, 64))
    assert head(product, room) == {"seq": 66, "open": 0, "completed": 1}


def test_two_that_adopt_one_trail_append_it_once(product: Product) -> None:
    ann, room, task = busy_room(product)
    make_old(product)
    ann.patch(f"/tasks/{task['id']}", json={"title": "new"})

    with before_the_next_transaction(lambda: migrate(product)):
        product.deliver()

    entries = trail(ann, room)
    assert [entry["seq"] for entry in entries] == list(range(1, 10))
    assert [entry["revision"] for entry in about(entries, task["id"])] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("where", ["export", "trail"])
def test_what_people_did_before_is_shown_as_before(product: Product, where: str) -> None:
    ann, room, _ = busy_room(product)
    product.deliver()
    path = "/users/me/export" if where == "export" else f"/rooms/{room['id']}/activity"
    read = (lambda: ann.get(path).json()["activity"]) if where == "export" else (lambda: ann.list(path))
    before = read()
    make_old(product)

    migrate(product)

    assert before
    assert without_seq(read()) == without_seq(before)
    assert json.dumps(before[0], sort_keys=True) in [
        json.dumps(entry | {"seq": before[0]["seq"]}, sort_keys=True) for entry in read()
    ]

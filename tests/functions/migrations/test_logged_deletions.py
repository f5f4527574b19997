"""Rooms, users and tasks whose last record was lost: their logs get an entry saying so, and count them no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tasksync.model import times
from tests.functions.activity.trails import Json, head, markers, stored
from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.functions.room_cleanup.stream_deliveries import let_indexes_settle
from tests.support import tables
from tests.support.function_calls import call
from tests.support.product import Product

ID = "0014-deletions-logged"


def migrate(product: Product) -> int:
    """How many items the migration changed, started anew."""
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, "again": [ID]})
    [state] = [state for state in response["migrations"] if state["id"] == ID]
    assert (response["error"], state["done"], state["left"]) == (None, True, 0)
    changed: int = state["changed"]
    return changed


def faults(product: Product, older_than: timedelta = timedelta(0)) -> list[Json]:
    report = call(product.aws, "AuditorFunction", {"older_than_seconds": older_than.total_seconds()})
    return [fault for each in report["findings"] for fault in each["shown"]]


def let_pass(product: Product, passed: timedelta) -> None:
    """Since the migration has run."""
    for item in product.items("LogTable"):
        if "missing_since" in item:
            key = {name: item[name] for name in ("owner_id", "item")}
            since = times.timestamp(times.parse(item["missing_since"]) - passed)
            tables.change(product.aws, "LogTable", key, missing_since=since)


@contextmanager
def records_get_lost(product: Product) -> Iterator[None]:
    """Of what is written meanwhile, the logs get nothing."""
    product.deliver()
    before = product.items("LogTable")
    yield
    product.deliver()
    for item in product.items("LogTable"):
        key = {name: {"S": item[name]} for name in ("owner_id", "item")}
        product.aws.dynamodb.delete_item(TableName="LogTable", Key=key)
    for item in before:
        tables.put(product.aws, "LogTable", **item)
    product.deliver(to="DispatchFunction")


def purge(person: Any, task: Any) -> None:
    trash = f"/rooms/{task['room_id']}/trash" if task["room_id"] else f"/users/{person.id}/trash"
    for route in ("/tasks", trash):
        assert person.delete(f"{route}/{task['id']}").status == 204


def test_a_purged_task_whose_records_were_lost_is_counted_until_its_log_is_told(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    lost, trashed, listed = (ann.plan(room_id=room["id"]) for _ in range(3))
    ann.delete(f"/tasks/{trashed['id']}")
    with records_get_lost(product):
        purge(ann, lost)

    runs = [(migrate(product), len(faults(product, timedelta(minutes=20))))]
    for passed in (timedelta(hours=24, minutes=59), timedelta(minutes=1)):
        let_pass(product, passed)
        found = [fault["item"] for fault in faults(product, timedelta(minutes=20))]
        runs.append((migrate(product), len(found)))
        assert found == [lost["id"]]
    runs.append((migrate(product), len(faults(product))))

    assert runs == [(1, 0), (0, 1), (1, 1), (0, 0)]
    last = stored(product)[-1]
    assert (last["action"], last["resource_id"], last["revision"]) == ("refetch", lost["id"], 2)
    assert head(product, room) == {"seq": 6, "open": 1, "completed": 0}
    of_room = markers(product)
    assert "expires_at" in of_room[lost["id"]]
    assert (of_room[listed["id"]]["counted"], set(of_room[trashed["id"]])) == ("open", {"revision"})


def test_a_room_and_a_user_whose_records_were_lost_are_gone_for_their_logs(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    bob.plan()
    with records_get_lost(product):
        ann.delete(f"/rooms/{room['id']}")
        bob.delete("/users/me")
        let_indexes_settle(product)
        product.deliver(to="RoomCleanupFunction")
        product.deliver(to="UserRemovalFunction")
        call(product.aws, "SweeperFunction", {"older_than_seconds": 0}, 60.0)

    seen = migrate(product)
    let_pass(product, timedelta(hours=25))
    completed = migrate(product)

    assert (seen, completed, faults(product)) == (4, 4, [])
    assert ("expires_at" in head(product, room), head(product, room)["open"]) == (True, 0)
    [of_bob] = [item for item in product.items("LogTable") if (item["owner_id"], item["item"]) == (bob.id, "head")]
    assert (of_bob["unfinished"], of_bob["open"]) == ("log", 0)


def test_an_entry_in_between_ends_the_note(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    purge(ann, task)
    assert migrate(product) == 1

    product.deliver()
    before = product.items("LogTable")
    let_pass(product, timedelta(hours=25))

    assert (migrate(product), product.items("LogTable"), faults(product)) == (0, before, [])


def test_an_entry_that_comes_before_the_note_is_written_stays(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    purge(ann, task)

    with before_the_next_transaction(product.deliver, "UpdateItem"):
        changed = migrate(product)

    assert changed == 0
    assert set(markers(product)[task["id"]]) == {"revision", "expires_at"}


def test_what_is_put_back_is_not_missing(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    product.deliver()
    items = product.items("TasksTableV2")
    before = product.items("LogTable")
    purge(ann, task)
    assert migrate(product) == 1
    let_pass(product, timedelta(hours=25))

    for item in items:
        tables.put(product.aws, "TasksTableV2", **item)

    assert faults(product) == []
    assert (migrate(product), migrate(product)) == (1, 0)
    assert product.items("LogTable") == before


def test_a_note_that_cannot_be_read_is_left_and_reported(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    product.deliver()
    tables.change(product.aws, "LogTable", {"owner_id": ann.id, "item": f"v#{task['id']}"}, missing_since="long ago")

    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, "again": [ID]})

    assert [(each["left"], each["done"]) for each in response["migrations"] if each["id"] == ID] == [(1, True)]
    assert [fault["invariant"] for fault in faults(product)] == ["I0"]


def test_a_marker_that_outlives_its_log_expires(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    for item in product.items("LogTable"):
        if item["owner_id"] == room["id"] and item["item"] != f"v#{task['id']}":
            key = {name: {"S": item[name]} for name in ("owner_id", "item")}
            product.aws.dynamodb.delete_item(TableName="LogTable", Key=key)
    purge(ann, task)
    assert migrate(product) == 1
    let_pass(product, timedelta(hours=25))

    assert (migrate(product), migrate(product)) == (1, 0)

    assert "expires_at" in markers(product)[task["id"]]
    assert stored(product) == []

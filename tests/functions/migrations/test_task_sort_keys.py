"""Tasks from before today's lists get the sort keys that the lists go by, while people change them."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.support.aws import LOCK
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product

Json = dict[str, Any]

SORT_KEYS = ["by_status", "by_status_deadline", "by_person", "by_person_deadline"]


@pytest.fixture
def ann(product: Product) -> Person:
    return product.register("ann")


@pytest.fixture
def room(ann: Person) -> Json:
    found: Json = ann.open_room()
    return found


def make_old(product: Product, task: Mapping[str, Any]) -> None:
    """As it was stored before there were lists by status and by person."""
    key = {"owner_id": {"S": task["id"].partition(".")[0]}, "task_id": {"S": task["id"]}}
    with LOCK:
        product.aws.dynamodb.update_item(
            TableName="TasksTableV2", Key=key, UpdateExpression="REMOVE " + ", ".join(SORT_KEYS)
        )


def migrate(product: Product) -> Json:
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})
    assert response["error"] is None
    state: Json = next(each for each in response["migrations"] if each["id"] == "0002-task-sort-keys")
    return state


def stored(product: Product) -> list[Json]:
    return sorted(product.items("TasksTableV2"), key=lambda item: str(item["task_id"]))


def test_older_tasks_are_stored_in_todays_form(product: Product, ann: Person, room: Json) -> None:
    tasks = [
        ann.plan(room_id=room["id"]),
        ann.plan(room_id=room["id"], user_id=ann.id, deadline="2026-12-01T12:00:00Z"),
        ann.plan(),
    ]
    before = stored(product)
    for task in tasks:
        make_old(product, task)
    assert stored(product) != before

    state = migrate(product)

    assert (state["done"], state["changed"], state["left"]) == (True, 3, 0)
    assert stored(product) == before


def test_a_concurrently_changed_task_gets_the_sort_keys_of_its_new_values(
    product: Product, ann: Person, room: Json
) -> None:
    task = ann.plan(room_id=room["id"])
    make_old(product, task)

    with before_the_next_transaction(lambda: ann.patch(f"/tasks/{task['id']}", json={"status": "completed"})):
        assert migrate(product)["done"]

    report = call(product.aws, "AuditorFunction", {})
    assert [finding["violations"] for finding in report["findings"] if finding["invariant"] == "I6"] == [0]
    assert ann.list("/tasks", room_id=room["id"], status="completed") == [ann.get(f"/tasks/{task['id']}").json()]


def test_a_concurrently_deleted_task_stays_deleted(product: Product, ann: Person, room: Json) -> None:
    task = ann.plan(room_id=room["id"])
    make_old(product, task)

    with before_the_next_transaction(lambda: ann.delete(f"/tasks/{task['id']}")):
        assert migrate(product)["done"]

    assert stored(product) == []

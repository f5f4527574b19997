"""Tasks of the old table are copied to the new one: whole, once, and none that was deleted."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tasksync.dynamodb.core.connection import shared_connection
from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.old_tasks import delete, put_old
from tests.support.product import Product
from tests.support.request_costs import measured_costs

Json = dict[str, Any]

COPYING = ["0006-tasks-copied", "0007-copies-compared", "0008-copies-of-deleted-tasks", "0009-assignments"]

COSTED = 80

ANYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


class Killed(BaseException):
    """The function's process ended here."""


def stored(product: Product) -> dict[str, Json]:
    """The items of the new table by their sort key."""
    return {item["item"]: item for item in product.items("TasksTableV2")}


def make_old(product: Product) -> dict[str, Json]:
    """Let all tasks be as the version before stored them, and close the routes of tasks. Returns their items as they
    were, and as their copies have to be."""
    items = stored(product)
    product.deliver()
    trail = product.items("LogTable")
    for name, item in items.items():
        if item["item"].startswith(item["owner_id"]):
            put_old(product.aws, item, items.get(f"D#{name}", {}).get("text"))
    clear(product)
    product.deliver()
    # Of what this function itself did to the tables, there is nothing in the change logs.
    for entry in product.items("LogTable"):
        delete(product.aws, "LogTable", owner_id=entry["owner_id"], item=entry["item"])
    for entry in trail:
        tables.put(product.aws, "LogTable", **entry)
    product.aws.deploy(TasksOpen="false")
    return {name: item | ({"copied": "1"} if "title" in item else {}) for name, item in items.items()}


def clear(product: Product) -> None:
    """Begin again, with nothing copied."""
    for table, keys in {"TasksTableV2": ("owner_id", "item"), "IdempotencyTable": ("receipt_id",)}.items():
        for item in product.items(table):
            if table == "TasksTableV2" or item["receipt_id"].startswith("MIGRATION#"):
                delete(product.aws, table, **{name: item[name] for name in keys})


def migrate(product: Product, **event: Any) -> dict[str, Json]:
    """The states of the migrations after a call of the function, by id."""
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, **event})
    assert response["error"] is None
    return {state["id"]: state for state in response["migrations"]}


def changes(product: Product, **event: Any) -> list[int]:
    """How many items each of the four migrations changed."""
    states = migrate(product, **event)
    assert [states[each]["done"] for each in COPYING] == [True] * len(COPYING)
    return [states[each]["changed"] for each in COPYING]


@contextmanager
def watched(see: Callable[[str], None]) -> Iterator[None]:
    """Call ``see`` with the operation before each call of DynamoDB."""
    events = shared_connection().client.events

    def before_send(event_name: str, **_: Any) -> None:
        see(event_name.rpartition(".")[2])

    events.register("before-send.dynamodb", before_send)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", before_send)


def kill_points(product: Product) -> list[int]:
    """The numbers of those calls of a whole run before which a process may end with something written: each
    transaction, and the call after it."""
    operations: list[str] = []
    with watched(operations.append):
        migrate(product)
    written = [number for number, each in enumerate(operations) if each == "TransactWriteItems"]
    return sorted({*written, *(number + 1 for number in written)})


@contextmanager
def killed_before(number: int) -> Iterator[None]:
    """End the function before its call of this number."""
    calls = count()

    def kill(_operation: str) -> None:
        if next(calls) == number:
            raise Killed

    with watched(kill), pytest.raises(Killed):
        yield


@pytest.fixture
def ann(product: Product) -> Person:
    return product.register("ann")


@pytest.fixture
def bob(product: Product) -> Person:
    return product.register("bob")


@pytest.fixture
def room(ann: Person, bob: Person) -> Json:
    found: Json = ann.open_room()
    bob.join(found)
    return found


@pytest.fixture
def tasks(ann: Person, bob: Person, room: Json) -> list[Json]:
    """One of each kind."""
    planned = [
        ann.plan(room_id=room["id"], title="nobody's"),
        bob.plan(room_id=room["id"], user_id=ann.id, deadline="2026-12-01T12:00:00Z", description="short"),
        ann.plan(room_id=room["id"], user_id=bob.id, description="ü😀 long " * 1000, priority="high"),
        ann.plan(title="personal", deadline="2026-12-01T12:00:00Z"),
    ]
    assert ann.patch(f"/tasks/{planned[0]['id']}", json={"status": "completed"}).status == 200
    return planned


def seen(people: list[Person], tasks: list[Json]) -> list[Any]:
    """What people see of tasks, with entity tags."""
    responses = [each.get(f"/tasks/{task['id']}") for each in people for task in tasks]
    return [each.status if each.status != 200 else (each.json(), each.headers["ETag"]) for each in responses]


def test_tasks_are_copied_as_they_are_and_nobody_sees_a_difference(
    product: Product, ann: Person, bob: Person, room: Json, tasks: list[Json]
) -> None:
    product.deliver()
    before = seen([ann, bob], tasks), ann.list(f"/rooms/{room['id']}/tasks"), ann.list("/tasks"), bob.list("/tasks")
    trail = product.items("LogTable")
    expected = make_old(product)
    old = product.items("TasksTable")

    assert changes(product) == [4, 0, 0, 0]

    assert stored(product) == expected
    assert product.items("TasksTable") == old
    product.aws.deploy(TasksOpen="true")
    product.deliver()
    assert product.items("LogTable") == trail
    after = seen([ann, bob], tasks), ann.list(f"/rooms/{room['id']}/tasks"), ann.list("/tasks"), bob.list("/tasks")
    assert after == before
    report = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})
    assert [each for each in report["findings"] if each["violations"]] == []


def test_a_copied_task_is_changed_and_deleted_as_any_other(product: Product, ann: Person, tasks: list[Json]) -> None:
    make_old(product)
    migrate(product)
    product.aws.deploy(TasksOpen="true")
    product.deliver()
    known = len(product.items("LogTable"))

    assert ann.patch(f"/tasks/{tasks[0]['id']}", json={"title": "changed"}).status == 200
    assert ann.delete(f"/tasks/{tasks[1]['id']}").status == 204
    product.deliver()

    assert len(product.items("LogTable")) == known + 2
    assert "copied" not in stored(product)[tasks[0]["id"]]


@pytest.mark.usefixtures("tasks")
def test_a_killed_copy_is_whole_or_not_there_and_is_resumed(product: Product) -> None:
    expected = make_old(product)
    points = kill_points(product)
    assert len(points) == 8

    for number in points:
        clear(product)
        with killed_before(number):
            migrate(product)

        copied = {name.rpartition("#")[2] for name in stored(product)}
        assert stored(product) == {name: item for name, item in expected.items() if name.rpartition("#")[2] in copied}
        migrate(product)
        assert stored(product) == expected


def test_the_handbook_states_the_units_of_copying_1_000_tasks(product: Product, ann: Person, room: Json) -> None:
    for _ in range(COSTED):
        ann.plan(room_id=room["id"])
    make_old(product)

    with measured_costs(product.aws) as costs:
        migrate(product)

    page = (REPOSITORY / "docs" / "guides" / "operate.md").read_text(encoding="utf-8")
    stated = re.search(r"1,000 tasks with one assignee each take ([\d,]+) write units\s+and ([\d,]+) read units", page)
    assert stated is not None
    for figure, units in zip(stated.groups(), (costs.write_units.total(), costs.units), strict=True):
        assert int(figure.replace(",", "")) == pytest.approx(1_000 / COSTED * units, rel=0.1)


@pytest.mark.usefixtures("tasks")
def test_a_second_run_changes_nothing(product: Product) -> None:
    make_old(product)
    migrate(product)
    before = stored(product)

    assert changes(product, again=COPYING) == [0, 0, 0, 0]
    assert stored(product) == before


def test_a_room_deleted_meanwhile_gets_no_task_back(product: Product, ann: Person, bob: Person, room: Json) -> None:
    ann.plan(room_id=room["id"], user_id=bob.id)
    kept = bob.plan()
    make_old(product)

    def close() -> None:
        assert ann.delete(f"/rooms/{room['id']}").status == 204

    with before_the_next_transaction(close):
        changes(product)
    product.deliver()

    assert {item["owner_id"] for item in stored(product).values()} <= {kept["id"].partition(".")[0]}
    assert changes(product, again=COPYING)[0] == 0


def test_a_person_deleted_meanwhile_gets_no_task_back(product: Product, ann: Person) -> None:
    ann.plan()
    make_old(product)

    with before_the_next_transaction(lambda: ann.delete(f"/users/{ann.id}")):
        changes(product)
    product.deliver()

    assert stored(product) == {}


def test_who_left_is_unassigned_with_an_entry_in_the_audit_trail(
    product: Product, ann: Person, bob: Person, room: Json
) -> None:
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    make_old(product)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    product.deliver()

    assert changes(product) == [1, 0, 0, 1]

    product.aws.deploy(TasksOpen="true")
    product.deliver()
    shown = ann.get(f"/tasks/{task['id']}").json()
    assert (shown["user_id"], shown["version"]) == (None, task["version"] + 1)
    entry = max(ann.list(f"/rooms/{room['id']}/activity"), key=lambda each: str(each["at"]))
    assert (entry["resource_id"], entry["action"]) == (task["id"], "updated")


def test_writes_of_the_version_before_during_the_copy_are_copied(product: Product, tasks: list[Json]) -> None:
    expected = make_old(product)
    [changed, deleted] = [item for item in expected.values() if "title" in item][:2]

    def write() -> None:
        """As functions do that began before the deployment."""
        tables.change(product.aws, "TasksTable", old_key(changed), title="late", version=changed["version"] + 1)
        delete(product.aws, "TasksTable", **old_key(deleted))

    migrate(product)
    write()
    changes(product, again=COPYING)

    found = stored(product)
    assert found[changed["item"]]["title"] == "late"
    assert [name for name in found if name.endswith(deleted["item"])] == []
    assert len({name.rpartition("#")[2] for name in found}) == len(tasks) - 1


def test_a_task_changed_right_before_it_is_copied_is_copied_as_it_is_then(product: Product, ann: Person) -> None:
    ann.plan()
    [item] = [item for item in make_old(product).values() if "title" in item]

    def write() -> None:
        with product.aws.permissions.of("function of the version before", ANYTHING):
            tables.change(product.aws, "TasksTable", old_key(item), title="late", version=2)

    with before_the_next_transaction(write):
        assert changes(product)[0] == 1

    assert stored(product)[item["item"]]["title"] == "late"


def test_a_task_deleted_since_is_not_copied_again(product: Product, ann: Person, tasks: list[Json]) -> None:
    make_old(product)
    migrate(product)
    product.aws.deploy(TasksOpen="true")
    in_trash, *gone = tasks
    assert ann.delete(f"/tasks/{in_trash['id']}").status == 204
    for task in gone:
        ann.delete_for_good(task)
    left = stored(product)
    assert left.keys() == {in_trash["id"]}

    assert changes(product, again=COPYING) == [0, 0, 0, 0]
    assert stored(product) == left


def test_a_task_changed_since_is_not_overwritten(product: Product, ann: Person) -> None:
    task = ann.plan()
    make_old(product)
    migrate(product)
    product.aws.deploy(TasksOpen="true")
    assert ann.patch(f"/tasks/{task['id']}", json={"title": "changed"}).status == 200
    before = stored(product)
    product.aws.deploy(TasksOpen="false")

    assert changes(product, again=COPYING) == [0, 0, 0, 0]
    assert stored(product) == before


def test_an_item_with_wrong_content_is_counted_and_blocks_nothing(product: Product, tasks: list[Json]) -> None:
    [wrong, *_] = [item for item in make_old(product).values() if "title" in item]
    tables.change(product.aws, "TasksTable", old_key(wrong), status="postponed")

    states = migrate(product)

    assert [states[each]["left"] for each in COPYING] == [1, 1, 0, 0]
    assert len({name.rpartition("#")[2] for name in stored(product)}) == len(tasks) - 1


def old_key(item: Json) -> Json:
    return {"owner_id": item["owner_id"], "task_id": item["item"]}


CLOSED: list[tuple[str, Callable[[Person, Json, Json], Any]]] = [
    ("POST /tasks", lambda ann, _room, _task: ann.post("/tasks", json={"title": "new"})),
    ("GET /tasks", lambda ann, _room, _task: ann.get("/tasks")),
    ("GET /rooms/{room_id}/tasks", lambda ann, room, _task: ann.get(f"/rooms/{room['id']}/tasks")),
    ("GET /tasks/{task_id}", lambda ann, _room, task: ann.get(f"/tasks/{task['id']}")),
    ("PATCH /tasks/{task_id}", lambda ann, _room, task: ann.patch(f"/tasks/{task['id']}", json={"title": "new"})),
    (
        "POST /tasks/{task_id}/move",
        lambda ann, _room, task: ann.post(f"/tasks/{task['id']}/move", json={"after": None}),
    ),
    ("DELETE /tasks/{task_id}", lambda ann, _room, task: ann.delete(f"/tasks/{task['id']}")),
    ("GET /rooms/{room_id}/trash", lambda ann, room, _task: ann.get(f"/rooms/{room['id']}/trash")),
    ("POST /tasks/{task_id}/restore", lambda ann, _room, task: ann.post(f"/tasks/{task['id']}/restore")),
    ("DELETE /users/{user_id}/trash/{task_id}", lambda ann, _room, task: ann.delete(f"/users/me/trash/{task['id']}")),
    ("POST /keys/resolve", lambda ann, _room, task: ann.post("/keys/resolve", json={"tasks": [task["id"]]})),
    ("GET /", lambda ann, _room, _task: ann.get("/")),
    ("GET /users/{user_id}/export", lambda ann, _room, _task: ann.get(f"/users/{ann.id}/export")),
]


def test_routes_of_tasks_are_closed_meanwhile_and_others_are_not(
    product: Product, ann: Person, room: Json, tasks: list[Json]
) -> None:
    make_old(product)
    before = product.items("TasksTable"), stored(product)

    responses = {name: request(ann, room, tasks[3]) for name, request in CLOSED}

    assert {name: (each.status, each.json()["code"]) for name, each in responses.items()} == {
        name: (503, "dependency_failed") for name, _ in CLOSED
    }
    assert all("Retry-After" in each.headers for each in responses.values())
    assert (product.items("TasksTable"), stored(product)) == before
    assert ann.get("/rooms").status == 200
    assert ann.post("/rooms", json={"name": "new"}).status == 201

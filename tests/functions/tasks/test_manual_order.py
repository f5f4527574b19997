"""The manual order of tasks: moved within a status, and to another one."""

from typing import Any

import pytest

from tests.support import tables
from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.faults import happening
from tests.support.function_calls import call
from tests.support.problems import field_errors, problem
from tests.support.product import Product


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _titles(person: Person, room: Any, **query: str) -> str:
    return "".join(task["title"] for task in person.list(f"/rooms/{room['id']}/tasks", sort="rank", limit=2, **query))


def _move(person: Person, task: Any, after: Any, **fields: Any) -> Any:
    response = person.post(f"/tasks/{task['id']}/move", json={"after": after and after["id"], **fields})
    assert response.status == 200, response
    return response.json()


def test_tasks_are_listed_in_the_order_they_were_moved_to(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    a, b, c, d = (ann.plan(room_id=room["id"], title=title) for title in "abcd")
    assert _titles(ann, room) == "abcd"

    _move(ann, d, None)
    assert _titles(ann, room) == "dabc"
    _move(ann, a, c)
    assert _titles(ann, room) == "dbca"
    _move(ann, c, d)
    assert _titles(ann, room) == "dcba"
    moved = _move(ann, b, None, status="completed")

    assert (moved["status"], moved["version"]) == ("completed", b["version"] + 1)
    assert moved["completed_at"] is not None
    assert _titles(ann, room) == "dcab"
    assert (_titles(ann, room, status="completed"), _titles(ann, room, status="pending")) == ("b", "dca")
    ann.plan(room_id=room["id"], title="e")
    assert _titles(ann, room, status="pending") == "dcae"
    statuses = ["pending", "in progress", "completed"]
    tasks = ann.list(f"/rooms/{room['id']}/tasks")
    tasks.sort(key=lambda task: (statuses.index(task["status"]), task["rank"], task["created_at"], task["id"]))
    assert "".join(task["title"] for task in tasks) == _titles(ann, room)


def test_a_task_is_put_behind_a_live_task_of_the_same_status_alone(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task, done, gone = (ann.plan(room_id=room["id"]) for _ in range(3))
    ann.patch(f"/tasks/{done['id']}", json={"status": "completed"})
    ann.delete(f"/tasks/{gone['id']}")

    for other in (task, done, gone, ann.plan(), {"id": "nothing"}):
        refused = ann.post(f"/tasks/{task['id']}/move", json={"after": other["id"]})
        assert field_errors(refused) == {"/after": "not_in_column"}
    problem(ann.post(f"/tasks/{task['id']}/move", json={"after": None}, headers={"If-Match": '"9"'}), 412)
    assert ann.get(f"/tasks/{task['id']}").json() == task


@pytest.mark.parametrize("query", ["priority=high", "user_id=me", "deadline_from=2027-01-31"])
def test_the_manual_order_has_no_other_filter_than_status(product: Product, query: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    assert ann.get(f"/rooms/{room['id']}/tasks?sort=rank&{query}").status in (400, 422)


def test_a_move_to_where_the_task_is_writes_nothing(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    a, b = (ann.plan(room_id=room["id"], title=title) for title in "ab")
    stored = product.items("TasksTableV2")

    assert (_move(ann, b, a), _move(ann, a, None)) == (b, a)

    assert product.items("TasksTableV2") == stored


def test_a_move_that_another_has_just_made_responds_with_the_task_as_it_is_then(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    others: list[Any] = []

    def move(_: object) -> None:
        """The task has been read, and the order is about to be."""
        if not others:
            others.append(None)
            others.append(_move(ann, task, None, status="completed"))

    with happening(move, to={"Query"}):
        moved = _move(ann, task, None, status="completed")

    assert (moved, moved["status"], moved["version"]) == (others[1], "completed", 2)


@pytest.mark.parametrize("sort", ["rank", "priority"])
def test_a_task_that_changes_while_a_list_is_read_is_listed_once(product: Product, sort: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    tasks = [ann.plan(room_id=room["id"], priority="high") for _ in range(3)]
    queries: list[None] = []

    def change(_: object) -> None:
        """One of several queries has been made."""
        queries.append(None)
        if len(queries) == 2:
            ann.patch(f"/tasks/{tasks[0]['id']}", json={"status": "completed", "priority": "low"})

    with happening(change, to={"Query"}):
        listed = ann.list(f"/rooms/{room['id']}/tasks", sort=sort)

    assert len(queries) > 2
    assert [task["id"] for task in listed] == [task["id"] for task in tasks]


def test_the_trail_tells_that_a_task_was_moved(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    a, b = (ann.plan(room_id=room["id"]) for _ in range(2))
    _move(ann, b, None)
    _move(ann, a, None, status="completed")

    product.deliver()

    moves = [entry for entry in ann.list(f"/rooms/{room['id']}/activity") if entry["action"] == "moved"]
    assert [(entry["resource_id"], entry["changes"]) for entry in moves] == [
        (a["id"], {"status": {"old": "pending", "new": "completed"}}),
        (b["id"], {}),
    ]


def _place(product: Product, task: Any, rank: str) -> None:
    """Let the task have this rank, as many moves would have."""
    owner_id, _, created = task["id"].rpartition(".")
    key = {"owner_id": owner_id, "item": task["id"]}
    tables.change(product.aws, "TasksTableV2", key, rank=rank, by_rank=f"T#1#{rank}#{created}")


def _ranks(product: Product) -> list[str]:
    return sorted(item["rank"] for item in product.items("TasksTableV2") if "title" in item)


def _sweep(product: Product, seconds: float = 60.0) -> Any:
    return call(product.aws, "SweeperFunction", {}, seconds)["ranks"]


def _crowded(product: Product, room: Any, ann: Person) -> list[Any]:
    """Tasks of which the last forty are so close to each other that the next move behind the first of them gets a long
    rank."""
    tasks = [ann.plan(room_id=room["id"], title=str(number)) for number in range(50)]
    start = "h0Qabcdef" + "0" * 200
    for number, task in enumerate(tasks[10:]):
        _place(product, task, f"{start}{number + 10}V")
    return tasks


def _without_ranks(ann: Person, room: Any) -> list[Any]:
    return [{**task, "rank": None} for task in ann.list(f"/rooms/{room['id']}/tasks", limit=100)]


def _numbers(ann: Person, room: Any) -> list[str]:
    return [task["title"] for task in ann.list(f"/rooms/{room['id']}/tasks", sort="rank", limit=100)]


def test_long_ranks_become_short_again_and_nothing_else_changes(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    tasks = _crowded(product, room, ann)
    order = [*_numbers(ann, room)]
    moved = _move(ann, tasks[0], tasks[20])
    tag = ann.get(f"/tasks/{moved['id']}").headers["ETag"]
    order.remove("0")
    order.insert(order.index("20") + 1, "0")
    assert _numbers(ann, room) == order
    shown = _without_ranks(ann, room)
    product.deliver()
    trail = ann.list(f"/rooms/{room['id']}/activity", limit=100)

    # A move that began before may be at work still.
    assert _sweep(product)["found"] == 0
    clock.pass_by(31)
    # In the middle, time is over: what comes next goes on from there.
    hurried = _sweep(product, seconds=1)
    between = _move(ann, tasks[30], tasks[40])
    swept = _sweep(product)

    assert (hurried["finished"], swept["finished"], _sweep(product)["found"]) == (0, 1, 0)
    order.remove("30")
    order.insert(order.index("40") + 1, "30")
    assert _numbers(ann, room) == order
    assert max(map(len, _ranks(product))) < 50
    product.deliver()
    entries = ann.list(f"/rooms/{room['id']}/activity", limit=100)
    new = entries[: len(entries) - len(trail)]
    order_kept = [entry for entry in new if entry["action"] == "order"]
    assert [entry["action"] for entry in new if entry not in order_kept] == ["moved"]
    assert len(order_kept) >= 40
    for entry in order_kept:
        assert (entry["actor_id"], entry["changes"].keys()) == (None, {"rank"})
        assert len(entry["changes"]["rank"]["old"]) > len(entry["changes"]["rank"]["new"])
    unlike = [each for each in _without_ranks(ann, room) if each not in shown]
    assert [each["id"] for each in unlike] == [between["id"]]
    now = ann.get(f"/tasks/{moved['id']}", headers={"If-None-Match": tag})
    assert (now.status, now.json()) == (200, {**moved, "rank": now.json()["rank"]})
    assert ann.put(f"/tasks/{moved['id']}", json={**moved, "title": "New"}).status == 200
    assert [item for item in product.items("TasksTableV2") if item["item"].startswith("J#")] == []


def test_a_move_while_ranks_become_short_stays_where_it_was_put(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    tasks = _crowded(product, room, ann)
    _move(ann, tasks[0], tasks[20])
    order = _numbers(ann, room)
    clock.pass_by(31)
    left = [(tasks[1], tasks[12]), (tasks[2], tasks[48]), (tasks[3], None)]

    def move(_: object) -> None:
        """The sweeper has read all ranks, and is about to write."""
        if left:
            task, behind = left.pop(0)
            _move(ann, task, behind)

    with happening(move, to={"TransactWriteItems"}):
        assert _sweep(product)["finished"] == 1

    for title in ("1", "2", "3"):
        order.remove(title)
    order.insert(order.index("12") + 1, "1")
    order.insert(order.index("48") + 1, "2")
    assert _numbers(ann, room) == ["3", *order]
    assert max(map(len, _ranks(product))) < 50


def test_a_place_that_is_used_up_before_the_sweeper_comes_is_a_conflict(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    a, b, c = (ann.plan(room_id=room["id"]) for _ in range(3))
    _place(product, a, "h0Qabcdef" + "0" * 900 + "1")
    _place(product, b, "h0Qabcdef" + "0" * 900 + "2")
    before = product.items("TasksTableV2")

    problem(ann.post(f"/tasks/{c['id']}/move", json={"after": a["id"]}), 409, "rank_too_long")

    assert product.items("TasksTableV2") == before

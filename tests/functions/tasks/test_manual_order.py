"""The manual order of tasks: moved within a status, and to another one."""

from typing import Any

import pytest

from tests.support.client import Person
from tests.support.problems import field_errors, problem
from tests.support.product import Product


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


def test_a_task_that_is_moved_to_where_it_is_gets_no_new_version(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    a, b, c = (ann.plan(room_id=room["id"], title=title) for title in "abc")

    first = _move(ann, a, None)
    assert first == a
    assert _move(ann, b, a) == b
    assert _move(ann, c, b, status="pending") == c
    once = _move(ann, c, a)
    assert _move(ann, c, a) == once
    assert (once["version"], _titles(ann, room)) == (c["version"] + 1, "acb")


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

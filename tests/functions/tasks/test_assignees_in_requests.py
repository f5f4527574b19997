"""Whom a request names: the caller as ``me``, nobody as ``none`` in a filter and as null in a body."""

import pytest

from tests.support.problems import field_errors
from tests.support.product import Product


def test_me_is_the_caller_wherever_a_task_names_a_user(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    planned = bob.plan(room_id=room["id"], user_id="me")
    personal = bob.plan(user_id="me")
    taken = ann.patch(f"/tasks/{planned['id']}", json={"user_id": "me"}).json()
    given_back = bob.put(f"/tasks/{planned['id']}", json={"user_id": "me"}).json()

    assert [task["user_id"] for task in (planned, personal, taken, given_back)] == [bob.id, bob.id, ann.id, bob.id]


def test_the_filter_finds_the_callers_tasks_and_unassigned_tasks(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    mine = ann.plan(room_id=room["id"], priority="low")
    bobs = ann.plan(room_id=room["id"], user_id=bob.id)
    free = [
        ann.plan(room_id=room["id"], user_id=None, priority=priority, deadline=deadline)
        for priority, deadline in (("high", "2027-01-02T00:00:00Z"), ("low", None), ("high", "2027-01-01T00:00:00Z"))
    ]
    released = ann.patch(f"/tasks/{bobs['id']}", json={"user_id": None}).json()
    personal = ann.plan()
    path = f"/rooms/{room['id']}/tasks"

    assert ann.list(path, user_id="me") == [mine]
    assert ann.list("/tasks", user_id="me") == [mine, personal]
    assert ann.list(path, user_id="none") == [released, *free]
    assert ann.list("/tasks", user_id="none", room_id=room["id"]) == [released, *free]
    assert ann.list(path, user_id="none", priority="high", sort="deadline") == [free[2], free[0]]
    assert ann.list(path, user_id="none", limit=2) == [released, *free]
    assert ann.list("/tasks", user_id="none") == []


@pytest.mark.parametrize("value", ["null", "nobody", "ann", "usr_1", "Me", "NONE"])
def test_a_wrong_filter_value_is_an_error_that_lists_the_valid_ones(product: Product, value: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    for path in ("/tasks", f"/rooms/{room['id']}/tasks"):
        response = ann.get(path, params={"user_id": value})

        assert field_errors(response, 400).keys() == {"/user_id"}
        assert all(word in response.json()["errors"][0]["detail"] for word in ("user", "me", "none"))

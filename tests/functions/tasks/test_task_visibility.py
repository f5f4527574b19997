"""Who sees which task, one by one and in lists."""

from typing import Any

import pytest

from tests.support.client import Person
from tests.support.problems import field_errors
from tests.support.product import Product


def responses(person: Person, task_id: str) -> list[tuple[int, dict[str, str], str]]:
    """What is said of one task to each request about it, without what differs between any two responses."""
    found = []
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "", {"headers": {"If-None-Match": "*"}}),
        ("PUT", "", {"json": {"title": "Mine"}}),
        ("PATCH", "", {"json": {"title": "Mine"}}),
        ("PATCH", "", {"json": {"user_id": person.id}, "headers": {"If-Match": '"99"'}}),
        ("PATCH", "", {"json": {"room_id": None}}),
        ("DELETE", "", {}),
        ("DELETE", "", {"headers": {"If-Match": '"99"'}}),
        ("POST", "/move", {"json": {"after": None}}),
        ("POST", "/move", {"json": {"after": task_id}, "headers": {"If-Match": '"99"'}}),
        ("POST", "/restore", {}),
        ("POST", "/restore", {"headers": {"If-Match": '"99"'}}),
    ]
    for method, below, options in requests:
        response = person.request(method, f"/tasks/{task_id}{below}", **options)
        found.append(response.told())
    return found


def test_a_stranger_gets_the_response_of_an_unknown_task(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    room = ann.open_room()
    in_room, personal = ann.plan(room_id=room["id"]), ann.plan()
    trashed = [ann.plan(room_id=room["id"]), ann.plan()]
    for task in trashed:
        ann.delete(f"/tasks/{task['id']}")
    unknown = f"{eve.open_room()['id']}.{'0' * 32}"

    told = responses(eve, unknown)

    assert {status for status, _, _ in told} == {404}
    for task in (in_room, personal, *trashed):
        assert responses(eve, task["id"]) == told
    for made_up in (f"room_{'0' * 32}.{'0' * 32}", f"{ann.id}.{'0' * 32}", f"{eve.id}.{'0' * 32}", "nothing"):
        assert responses(eve, made_up) == told
    assert [ann.get(f"/tasks/{task['id']}").json() for task in (in_room, personal)] == [in_room, personal]


@pytest.mark.parametrize("way", ["left", "was removed"])
def test_a_former_member_sees_no_task_of_the_room_including_their_own(product: Product, way: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    tasks = [bob.plan(room_id=room["id"]), ann.plan(room_id=room["id"], user_id=bob.id)]
    personal = bob.plan()

    (bob if way == "left" else ann).delete(f"/rooms/{room['id']}/users/{bob.id}")

    unknown = responses(bob, f"{room['id']}.{'0' * 32}")
    assert [responses(bob, task["id"]) for task in tasks] == [unknown, unknown]
    assert bob.list("/tasks") == [personal]
    assert bob.get("/tasks", params={"room_id": room["id"]}).status == 404
    assert ann.list(f"/rooms/{room['id']}/tasks") == tasks


def test_a_rejoining_member_sees_the_tasks_and_is_assigned_none(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    bob.join(room)

    assert bob.list("/tasks") == []
    assert bob.list(f"/rooms/{room['id']}/tasks") == [task]
    assert bob.get(f"/tasks/{task['id']}").json() == task


def test_hidden_tasks_leave_no_gaps_in_the_pages(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(3)]
    for room in rooms:
        bob.join(room)
    tasks = [ann.plan(room_id=rooms[number % 3]["id"], user_id=bob.id) for number in range(9)]
    bob.delete(f"/rooms/{rooms[1]['id']}/users/{bob.id}")
    visible = {task["id"] for task in tasks if task["room_id"] != rooms[1]["id"]}

    for limit in (1, 2, 3, 5, 6, 7):
        pages = []
        parameters: dict[str, Any] = {"limit": limit}
        while True:
            page = bob.get("/tasks", params=parameters).json()
            pages.append([task["id"] for task in page["items"]])
            if page["next_cursor"] is None:
                break
            parameters["cursor"] = page["next_cursor"]
        assert {task_id for page in pages for task_id in page} == visible
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert sum(len(page) for page in pages) == len(visible)
        assert pages[-1] != []


def test_the_callers_list_has_all_tasks_assigned_to_them(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    ours, anns = ann.open_room(), ann.open_room()
    bob.join(ours)
    mine = [
        ann.plan(title="Personal"),
        ann.plan(title="In our room", room_id=ours["id"]),
        ann.plan(title="In my room", room_id=anns["id"]),
        bob.plan(title="By Bob", room_id=ours["id"], user_id=ann.id),
    ]
    bobs = ann.plan(title="For Bob", room_id=ours["id"], user_id=bob.id)
    ann.plan(title="For nobody", room_id=ours["id"], user_id=None)

    seen = ann.list("/tasks")

    assert sorted(task["title"] for task in seen) == sorted(task["title"] for task in mine)
    assert {task["id"]: task for task in seen} == {task["id"]: task for task in mine}
    assert bob.list("/tasks") == [bobs]


def test_the_callers_list_is_in_order_of_creation_across_rooms(product: Product) -> None:
    ann = product.register("ann")
    first, second = ann.open_room(), ann.open_room()
    tasks = [ann.plan(**where) for where in ({"room_id": second["id"]}, {}, {"room_id": first["id"]}, {})]

    assert ann.list("/tasks") == tasks
    assert ann.list("/tasks", sort="-created_at") == tasks[::-1]
    assert ann.list("/tasks", sort="priority") == tasks
    assert ann.list("/tasks", sort="deadline", limit=1) == tasks


def test_with_a_room_filter_the_list_is_that_rooms(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room, other = ann.open_room(), ann.open_room()
    bob.join(room)
    tasks = [ann.plan(room_id=room["id"], user_id=user_id) for user_id in (ann.id, bob.id, None)]
    ann.plan(room_id=other["id"])
    ann.plan()

    for person in (ann, bob):
        assert person.list("/tasks", room_id=room["id"]) == tasks
        assert person.list(f"/rooms/{room['id']}/tasks") == tasks
    assert bob.list("/tasks", room_id=room["id"], user_id=bob.id) == [tasks[1]]
    assert bob.get("/tasks", params={"room_id": other["id"]}).status == 404
    assert bob.get(f"/rooms/{other['id']}/tasks").status == 404


def test_the_callers_list_has_no_tasks_of_other_users(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.plan(room_id=room["id"], user_id=bob.id)
    mine = ann.plan(room_id=room["id"])

    assert ann.list("/tasks", user_id=ann.id) == [mine]
    assert ann.list("/tasks", user_id=bob.id) == []
    assert ann.list("/tasks", user_id=f"usr_{'0' * 32}") == []


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "deadline", "-deadline", "priority", "-priority"])
def test_a_range_that_ends_before_it_starts_is_empty(product: Product, sort: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"], deadline="2027-06-01T00:00:00Z")
    backwards = {"deadline_from": "2028-01-01T00:00:00Z", "deadline_to": "2027-01-01T00:00:00Z", "sort": sort}

    assert ann.list("/tasks", **backwards) == []
    assert ann.list(f"/rooms/{room['id']}/tasks", **backwards) == []


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({"status": "done"}, {"/status"}),
        ({"status": ["pending", "done"]}, {"/status"}),
        ({"status": ""}, {"/status"}),
        ({"priority": "urgent"}, {"/priority"}),
        ({"sort": "title"}, {"/sort"}),
        ({"sort": "+deadline"}, {"/sort"}),
        ({"sort": ["deadline", "priority"]}, {"/sort"}),
        ({"deadline_from": "tomorrow", "deadline_to": "2027-01-01T00:00:00"}, {"/deadline_from", "/deadline_to"}),
        ({"deadline_from": "9999-12-31T23:59:59-01:00"}, {"/deadline_from"}),
        ({"deadline_to": "1800000000"}, {"/deadline_to"}),
        ({"user_id": "no id"}, {"/user_id"}),
        ({"user_id": ["a", "b"]}, {"/user_id"}),
        ({"limit": "0", "offset": "5"}, {"/limit", "/offset"}),
    ],
)
def test_wrong_and_unknown_query_parameters_are_named(
    product: Product, parameters: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    told = [ann.get(path, params=parameters) for path in ("/tasks", f"/rooms/{room['id']}/tasks")]

    for response in told:
        assert field_errors(response, 400).keys() == pointers


def test_a_rooms_list_refuses_a_room_filter(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    response = ann.get(f"/rooms/{room['id']}/tasks", params={"room_id": room["id"]})

    assert field_errors(response, 400).keys() == {"/room_id"}

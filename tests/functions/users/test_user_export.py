"""GET /users/{user_id}/export: everything that is held about oneself, and nothing that only a thief could use."""

from typing import Any

import pytest

from tests.functions.room_cleanup.stream_deliveries import copies
from tests.functions.users.administrators import administrator
from tests.support.builders import PASSWORD
from tests.support.client import Person
from tests.support.problems import field_errors, problem
from tests.support.product import Product


def signed_in_again(product: Product, person: Person) -> None:
    response = product.anonymous.post("/auth/login", json={"username": person.username, "password": PASSWORD})
    assert response.status == 200, response


def test_it_contains_the_profile_the_sessions_the_rooms_and_the_tasks(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    signed_in_again(product, ann)
    kitchen, garden = ann.open_room(), bob.open_room()
    ann.join(garden)
    personal = ann.plan(title="Water the plants")
    planned = ann.plan(title="Paint the door", room_id=kitchen["id"])
    given = bob.plan(title="Mow the lawn", room_id=garden["id"], user_id=ann.id)
    bob.plan(title="Bob's own", room_id=garden["id"])

    export = ann.get("/users/me/export").json()

    assert export["user"] == ann.get("/users/me").json()
    assert export["sessions"] == ann.get("/auth/sessions").json()["items"]
    assert {room["id"]: room["role"] for room in export["rooms"]} == {kitchen["id"]: "admin", garden["id"]: "member"}
    assert {task["id"]: task for task in export["tasks"]} == {task["id"]: task for task in (personal, planned, given)}
    assert export["next_cursor"] is None


def test_it_contains_the_date_of_joining(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    [exported] = bob.get("/users/me/export").json()["rooms"]

    members = ann.get(f"/rooms/{room['id']}/users").json()["items"]
    assert exported["joined_at"] == next(each["joined_at"] for each in members if each["user_id"] == bob.id)


def test_it_contains_no_hash_and_no_token(product: Product) -> None:
    ann = product.register("ann")
    stored = [item for table in ("UsersTable", "SessionsTable") for item in product.items(table)]
    secrets = {
        str(value) for item in stored for name, value in item.items() if name.endswith(("hash", "salt")) and value
    }

    text = ann.get("/users/me/export").text

    assert secrets
    assert not any(secret in text for secret in secrets)
    assert ann.refresh_token not in text


def test_it_contains_no_tasks_of_former_rooms(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    bob.plan(room_id=room["id"])
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    export = bob.get("/users/me/export").json()

    assert (export["rooms"], export["tasks"]) == ([], [])


def test_a_large_export_continues_in_the_next_response(product: Product) -> None:
    ann = product.register("ann")
    copies(product, ann.plan(description='"' * 10_000), 109)
    planned = [task["id"] for task in ann.list("/tasks")]

    pages, path = [], "/users/me/export"
    while path:
        response = ann.get(path)
        assert response.status == 200, response
        pages.append(response)
        cursor = response.json()["next_cursor"]
        path = f"/users/me/export?cursor={cursor}" if cursor else ""

    assert len(pages) > 1
    assert all(len(page.text.encode()) < 6_000_000 for page in pages)
    assert len(planned) == 110
    assert [task["id"] for page in pages for task in page.json()["tasks"]] == planned
    assert 'rel="next"' in pages[0].headers["Link"]


@pytest.mark.parametrize("role", ["housemate", "administrator"])
def test_other_users_cannot_read_it(product: Product, role: str) -> None:
    ann = product.register("ann")
    other = administrator(product) if role == "administrator" else product.register("bob")
    other.join(ann.open_room())

    response = other.get(f"/users/{ann.id}/export")

    problem(response, 403, "role_too_low")


def test_a_cursor_of_another_list_is_refused(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(2):
        ann.plan()
    cursor = ann.get("/tasks?limit=1").json()["next_cursor"]

    response = ann.get(f"/users/me/export?cursor={cursor}")

    assert response.status == 400, response


def test_it_accepts_no_parameter_but_a_cursor(product: Product) -> None:
    ann = product.register("ann")

    response = ann.get("/users/me/export?limit=5")

    assert field_errors(response, 400) == {"/limit": "unknown_parameter"}


def exported(person: Person) -> dict[str, list[Any]]:
    """All parts of an export, from all of its pages."""
    parts: dict[str, list[Any]] = {"sessions": [], "rooms": [], "tasks": [], "activity": []}
    params: dict[str, str] = {}
    while True:
        response = person.get("/users/me/export", params=params)
        assert response.status == 200, response
        for name in parts:
            parts[name] += response.json()[name]
        if response.json()["next_cursor"] is None:
            return parts
        params = {"cursor": response.json()["next_cursor"]}


def test_it_contains_tasks_created_for_others_and_unassigned_ones(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    for_bob = ann.plan(title="For Bob", room_id=room["id"], user_id=bob.id)
    for_nobody = ann.plan(title="For nobody", room_id=room["id"], user_id=None)
    own = ann.plan(title="Own", room_id=room["id"])
    bobs = bob.plan(title="Bob's", room_id=room["id"])
    gone = ann.plan(room_id=room["id"], user_id=None)
    ann.delete(f"/tasks/{gone['id']}")

    tasks = exported(ann)["tasks"]

    assert tasks == [own, for_bob, for_nobody]
    assert {task["id"] for task in exported(bob)["tasks"]} == {for_bob["id"], bobs["id"]}


def test_tasks_created_in_a_former_room_belong_to_the_room(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    bob.plan(title="Secret since", room_id=room["id"], user_id=ann.id)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    assert exported(bob)["tasks"] == []


def test_it_contains_the_users_audit_entries_of_all_rooms_without_codes(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Office move")
    bob.join(room)
    task = bob.plan(title="Order the desks", room_id=room["id"])
    ann.patch(f"/tasks/{task['id']}", json={"title": "Order twelve desks"})
    bob.plan()
    product.deliver()
    trail = ann.list(f"/rooms/{room['id']}/activity")
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
    product.deliver()

    of_both = [*exported(ann)["activity"], *exported(bob)["activity"]]
    mine = [entry for entry in of_both if entry["room_id"] is None]
    of_ann, of_bob = (
        [entry for entry in of_both if (entry["room_id"], entry["actor_id"]) == (room["id"], person.id)]
        for person in (ann, bob)
    )

    assert [(entry["action"], entry["resource"], entry["actor_id"]) for entry in mine] == [
        ("created", "user", ann.id),
        ("created", "user", bob.id),
        ("created", "task", bob.id),
    ]
    assert [(entry["action"], entry["resource"]) for entry in of_bob] == [
        ("created", "membership"),
        ("created", "task"),
        ("deleted", "membership"),
    ]
    assert len(of_both) == len([*mine, *of_ann, *of_bob])
    assert {entry["id"] for entry in of_ann} == {entry["id"] for entry in trail if entry["actor_id"] == ann.id}
    assert room["code"] not in str([of_ann, of_bob])
    assert of_ann[-1]["changes"] == {"title": {"old": "Order the desks", "new": "Order twelve desks"}}


def test_its_number_of_calls_does_not_grow_with_the_tasks(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    copies(product, ann.plan(room_id=room["id"], user_id=None), 120)
    product.aws.permissions.calls.clear()

    response = ann.get("/users/me/export")

    assert response.status == 200
    assert len(product.aws.permissions.calls) <= 22
    assert len(exported(ann)["tasks"]) == 121

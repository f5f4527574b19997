"""GET /users/{user_id}/export: everything that is held about oneself, and nothing that only a thief could use."""

import pytest

from tests.functions.users.administrators import administrator
from tests.support.builders import PASSWORD
from tests.support.client import Person
from tests.support.problems import faults, problem
from tests.support.product import Product


def signed_in_again(product: Product, person: Person) -> None:
    answer = product.anonymous.post("/auth/login", json={"username": person.username, "password": PASSWORD})
    assert answer.status == 200, answer


def test_it_holds_the_profile_the_sessions_the_rooms_and_the_tasks(product: Product) -> None:
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


def test_when_somebody_joined_is_in_it(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    [exported] = bob.get("/users/me/export").json()["rooms"]

    members = ann.get(f"/rooms/{room['id']}/users").json()["items"]
    assert exported["joined_at"] == next(each["joined_at"] for each in members if each["user_id"] == bob.id)


def test_no_hash_and_no_token_is_in_it(product: Product) -> None:
    ann = product.register("ann")
    stored = [item for table in ("UsersTable", "SessionsTable") for item in product.items(table)]
    secrets = {
        str(value) for item in stored for name, value in item.items() if name.endswith(("hash", "salt")) and value
    }

    text = ann.get("/users/me/export").text

    assert secrets
    assert not any(secret in text for secret in secrets)
    assert ann.refresh_token not in text


def test_tasks_of_a_room_one_has_left_are_not_in_it(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    bob.plan(room_id=room["id"])
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    export = bob.get("/users/me/export").json()

    assert (export["rooms"], export["tasks"]) == ([], [])


def test_what_one_answer_cannot_hold_comes_with_the_next(product: Product) -> None:
    ann = product.register("ann")
    planned = [ann.plan(title=f"Task {number}", description="ä" * 10_000)["id"] for number in range(80)]

    pages, path = [], "/users/me/export"
    while path:
        answer = ann.get(path)
        assert answer.status == 200, answer
        pages.append(answer)
        cursor = answer.json()["next_cursor"]
        path = f"/users/me/export?cursor={cursor}" if cursor else ""

    assert len(pages) > 1
    assert all(len(page.text.encode()) < 6_000_000 for page in pages)
    assert [task["id"] for page in pages for task in page.json()["tasks"]] == planned
    assert 'rel="next"' in pages[0].headers["Link"]


@pytest.mark.parametrize("role", ["housemate", "administrator"])
def test_it_is_for_nobody_else(product: Product, role: str) -> None:
    ann = product.register("ann")
    other = administrator(product) if role == "administrator" else product.register("bob")
    other.join(ann.open_room())

    answer = other.get(f"/users/{ann.id}/export")

    problem(answer, 403, "role_too_low")


def test_a_cursor_of_something_else_is_refused(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(2):
        ann.plan()
    cursor = ann.get("/tasks?limit=1").json()["next_cursor"]

    answer = ann.get(f"/users/me/export?cursor={cursor}")

    assert answer.status == 400, answer


def test_nothing_but_a_cursor_may_be_asked_for(product: Product) -> None:
    ann = product.register("ann")

    answer = ann.get("/users/me/export?limit=5")

    assert faults(answer, 400) == {"/limit": "unknown_parameter"}

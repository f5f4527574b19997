"""POST /tasks: what a task is right after it was planned, and who may plan which."""

import re
from typing import Any

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product


def test_a_title_is_sufficient_for_a_personal_task(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/tasks", json={"title": "Order the desks"})

    task = response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/tasks/{task['id']}"
    assert response.tagged_version == 1
    assert task == {
        "id": task["id"],
        "room_id": None,
        "user_id": ann.id,
        "assignee_ids": [ann.id],
        "title": "Order the desks",
        "description": None,
        "status": "pending",
        "priority": "medium",
        "deadline": None,
        "created_by": ann.id,
        "created_at": task["created_at"],
        "updated_by": ann.id,
        "updated_at": task["created_at"],
        "completed_at": None,
        "rank": task["rank"],
        "version": 1,
    }
    assert re.fullmatch(r"[A-Za-z0-9._~-]{1,100}", task["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", task["created_at"])
    assert ann.get(response.headers["Location"]).json() == task


def test_every_field_of_a_task_is_stored(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    said = {
        "room_id": room["id"],
        "user_id": bob.id,
        "title": "Schreibtische bestellen — 机を注文する \U0001f4dd",
        "description": "Two lines,\nand a tab\t.",
        "status": "in progress",
        "priority": "high",
        "deadline": "2027-03-01T09:30:00Z",
    }

    response = ann.post("/tasks", json=said)

    task = response.json()
    assert response.status == 201
    assert task == {**task, **said, "created_by": ann.id, "updated_by": ann.id, "completed_at": None, "version": 1}
    assert bob.get(f"/tasks/{task['id']}").json() == task


def test_the_longest_texts_are_stored_whole(product: Product) -> None:
    ann = product.register("ann")

    task = ann.plan(title="\U0001f4dd" * 255, description="ä" * 10_000)

    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert (len(task["title"]), len(task["description"])) == (255, 10_000)


def test_null_is_accepted_for_optional_fields(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    task = ann.plan(room_id=room["id"], description=None, deadline=None, user_id=None)

    assert (task["description"], task["deadline"], task["user_id"]) == (None, None, None)
    assert ann.plan(room_id=None)["room_id"] is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
        ("2027-01-01T01:00:00+05:30", "2026-12-31T19:30:00Z"),
        ("2027-01-31T12:00:00.250-01:00", "2027-01-31T13:00:00.25Z"),
        ("2027-01-31T12:00:00.123456Z", "2027-01-31T12:00:00.123Z"),
        # Cut to milliseconds, never rounded.
        ("2027-06-30T23:59:59.9999999Z", "2027-06-30T23:59:59.999Z"),
        ("2027-06-30T23:59:59.999999999999999+00:00", "2027-06-30T23:59:59.999Z"),
        ("2027-07-01T01:59:59.9996+02:00", "2027-06-30T23:59:59.999Z"),
        ("2027-06-30T23:59:59.0004999Z", "2027-06-30T23:59:59Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_deadline_is_stored_in_utc(product: Product, given: str, kept: str) -> None:
    ann = product.register("ann")

    task = ann.plan(deadline=given)

    assert task["deadline"] == kept
    assert ann.get(f"/tasks/{task['id']}").json()["deadline"] == kept


def test_a_deadline_out_of_range_is_reported_with_the_other_errors(product: Product) -> None:
    ann = product.register("ann")
    body = {"title": "", "deadline": "9999-12-31T23:59:59-01:00"}

    assert field_errors(ann.post("/tasks", json=body)) == {"/title": "too_short", "/deadline": "out_of_range"}
    assert field_errors(ann.post("/tasks", json={"title": "x", "deadline": f"2027-01-01T00:00:00.{'0' * 60}Z"})) == {
        "/deadline": "too_long"
    }


def test_deadline_filters_are_rounded_like_deadlines(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], deadline="2027-06-30T23:59:59.9999999Z")
    ann.plan(room_id=room["id"], deadline="2027-07-01T00:00:00Z")

    for path in ("/tasks", f"/rooms/{room['id']}/tasks"):
        bounds = {"deadline_from": "2027-06-30T23:59:59.9999999Z", "deadline_to": "2027-06-30T23:59:59.99999999Z"}
        assert ann.list(path, **bounds) == [task]
        assert ann.list(path, deadline_to="9999-12-31T23:59:59.9999999Z")[0] == task
        response = ann.get(path, params={"deadline_from": "0001-01-01T00:00:00+01:00", "sort": "title"})
        assert field_errors(response, 400) == {"/deadline_from": "out_of_range", "/sort": "not_allowed"}


def test_a_task_created_as_completed_has_that_completion_date(product: Product) -> None:
    ann = product.register("ann")

    task = ann.plan(status="completed")

    assert task["completed_at"] == task["created_at"]


@pytest.mark.parametrize("role", ["admin", "member"])
def test_admins_and_members_create_tasks_and_are_the_default_assignee(product: Product, role: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": role})

    task = bob.plan(room_id=room["id"])

    assert (task["room_id"], task["user_id"], task["created_by"]) == (room["id"], bob.id, bob.id)
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_viewers_read_and_cannot_create(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})
    task = ann.plan(room_id=room["id"])

    response = bob.post("/tasks", json={"title": "Mine", "room_id": room["id"]})

    problem(response, 403, "role_too_low")
    assert bob.list(f"/rooms/{room['id']}/tasks") == [task]


def test_a_viewer_can_be_the_assignee(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})

    task = ann.plan(room_id=room["id"], user_id=bob.id)

    assert bob.list("/tasks") == [task]


def test_the_assignee_must_be_a_member_of_the_room(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    responses = [
        ann.post("/tasks", json={"title": "Yours", "room_id": room["id"], "user_id": user_id})
        for user_id in (bob.id, cleo.id, "nobody")
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(422, "assignee_not_member")] * 3
    assert {fault["pointer"] for response in responses for fault in response.json()["errors"]} == {"/user_id"}
    assert ann.list(f"/rooms/{room['id']}/tasks") == []


def test_a_personal_task_is_visible_to_its_owner_only(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())

    own = ann.post("/tasks", json={"title": "Mine", "user_id": ann.id})
    others = ann.post("/tasks", json={"title": "Yours", "user_id": bob.id})

    assert (own.status, own.json()["user_id"]) == (201, ann.id)
    problem(others, 422, "assignee_not_member")
    assert bob.list("/tasks") == []
    assert bob.get(f"/tasks/{own.json()['id']}").status == 404


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/title"}),
        ({"title": None}, {"/title"}),
        ({"title": ""}, {"/title"}),
        ({"title": " \n"}, {"/title"}),
        ({"title": "x" * 256}, {"/title"}),
        ({"title": "x", "description": "x" * 10_001}, {"/description"}),
        ({"title": "x", "status": "done"}, {"/status"}),
        ({"title": "x", "status": None, "priority": None}, {"/status", "/priority"}),
        ({"title": "x", "status": ["pending"]}, {"/status"}),
        ({"title": "x", "priority": "urgent"}, {"/priority"}),
        ({"title": "x", "priority": 1}, {"/priority"}),
        ({"title": "x", "deadline": "tomorrow"}, {"/deadline"}),
        ({"title": "x", "deadline": "2027-01-31T12:00:00"}, {"/deadline"}),
        ({"title": "x", "deadline": "2027-02-30T12:00:00Z"}, {"/deadline"}),
        ({"title": "x", "deadline": "9999-12-31T23:59:59-01:00"}, {"/deadline"}),
        ({"title": "x", "deadline": 1_800_000_000}, {"/deadline"}),
        ({"title": "x", "room_id": "no id", "user_id": ""}, {"/room_id", "/user_id"}),
        ({"title": "x", "id": "1", "version": 7, "created_by": "me"}, {"/id", "/version", "/created_by"}),
        ({"title": "x", "completed_at": None, "updated_at": None}, {"/completed_at", "/updated_at"}),
        ({"title": 5, "status": 5, "deadline": {}, "a/b~c": 1}, {"/title", "/status", "/deadline", "/a~1b~0c"}),
    ],
)
def test_all_wrong_missing_and_unknown_fields_are_named_at_once(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")

    response = ann.post("/tasks", json=body)

    assert field_errors(response).keys() == pointers
    assert ann.list("/tasks") == []

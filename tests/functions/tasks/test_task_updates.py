"""PUT, PATCH and DELETE /tasks/{task_id}."""

from typing import Any

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product

COMPLETED = {"status": "completed"}
CHANGES_WITH_STATUS = ("status", "completed_at", "updated_by", "updated_at", "version")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_given_fields_change_and_absent_fields_stay(product: Product, method: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], description="As before", deadline="2027-03-01T09:30:00Z", priority="low")

    response = bob.request(method, f"/tasks/{task['id']}", json={"title": "Order chairs", "priority": "high"})

    changed = response.json()
    assert (response.status, response.tagged_version) == (200, 2)
    assert changed == {
        **task,
        "title": "Order chairs",
        "priority": "high",
        "updated_by": bob.id,
        "updated_at": changed["updated_at"],
        "version": 2,
    }
    assert changed["updated_at"] > task["updated_at"]
    assert ann.get(f"/tasks/{task['id']}").json() == changed


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_null_clears_optional_fields(product: Product, method: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], description="Gone soon", deadline="2027-03-01T09:30:00Z")

    response = ann.request(
        method, f"/tasks/{task['id']}", json={"description": None, "deadline": None, "user_id": None}
    )

    changed = response.json()
    assert response.status == 200
    assert changed == {
        **task,
        "description": None,
        "deadline": None,
        "user_id": None,
        "assignee_ids": [],
        "updated_at": changed["updated_at"],
        "version": 2,
    }
    assert ann.get(f"/tasks/{task['id']}").json() == changed
    assert ann.list("/tasks") == []
    assert ann.list("/tasks", room_id=room["id"], sort="deadline") == [changed]


def test_a_task_can_be_assigned_to_another_member_only(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])

    given = ann.patch(f"/tasks/{task['id']}", json={"user_id": bob.id})
    refused = ann.patch(f"/tasks/{task['id']}", json={"user_id": cleo.id, "title": "For Cleo"})

    assert (given.status, given.json()["user_id"]) == (200, bob.id)
    problem(refused, 422, "assignee_not_member")
    assert (ann.list("/tasks"), bob.list("/tasks"), cleo.list("/tasks")) == ([], [given.json()], [])
    assert bob.patch(f"/tasks/{task['id']}", json={"user_id": ann.id}).json()["user_id"] == ann.id


def test_a_task_keeps_an_assignee_who_left_until_it_is_reassigned(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    renamed = ann.patch(f"/tasks/{task['id']}", json={"title": "Bob's desk"})
    taken_over = ann.patch(f"/tasks/{task['id']}", json={"user_id": ann.id})
    given_back = ann.patch(f"/tasks/{task['id']}", json={"user_id": bob.id})

    assert (renamed.status, renamed.json()["user_id"]) == (200, bob.id)
    assert (taken_over.status, taken_over.json()["user_id"]) == (200, ann.id)
    problem(given_back, 422, "assignee_not_member")


def test_a_personal_task_cannot_be_assigned_to_another_user(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())
    task = ann.plan()

    response = ann.patch(f"/tasks/{task['id']}", json={"user_id": bob.id})

    problem(response, 422, "assignee_not_member")
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_completion_is_dated_once_and_cleared_when_reopened(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    begun = ann.patch(path, json={"status": "in progress"}).json()
    completed = ann.patch(path, json={"status": "completed"}).json()
    renamed = ann.patch(path, json={"title": "Completed long ago"}).json()
    again = ann.patch(path, json={"status": "completed", "priority": "low"}).json()
    reopened = ann.patch(path, json={"status": "pending"}).json()
    anew = ann.patch(path, json={"status": "completed"}).json()

    assert begun["completed_at"] is None
    assert completed["completed_at"] == completed["updated_at"]
    assert renamed["completed_at"] == again["completed_at"] == completed["completed_at"]
    assert reopened["completed_at"] is None
    assert anew["completed_at"] == anew["updated_at"] > completed["completed_at"]
    assert ann.get(path).json() == anew


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_without_effect_makes_no_new_version(product: Product, method: str) -> None:
    ann = product.register("ann")
    task = ann.plan(deadline="2027-03-01T09:30:00Z")

    responses = [
        ann.request(method, f"/tasks/{task['id']}", json=body)
        for body in ({}, {"title": task["title"]}, {"deadline": "2027-03-01T10:30:00+01:00"})
    ]

    assert [(response.status, response.json()) for response in responses] == [(200, task)] * 3


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"room_id": "x"}, {"/room_id"}),
        ({"id": "x", "created_by": "x", "created_at": "x"}, {"/id", "/created_by", "/created_at"}),
        ({"updated_by": "x", "updated_at": "x", "completed_at": None, "created_at": "x"}, {"/created_at"}),
        ({"version": 1, "colour": "red", "id": "x"}, {"/id", "/colour"}),
        ({"title": None, "status": None, "priority": None}, {"/title", "/status", "/priority"}),
        ({"title": "", "deadline": "soon", "description": 5}, {"/title", "/deadline", "/description"}),
        ({"deadline": "0001-01-01T00:00:00+01:00"}, {"/deadline"}),
    ],
)
def test_read_only_fields_are_named_and_nothing_changes(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")
    task = ann.plan()

    responses = [ann.request(method, f"/tasks/{task['id']}", json=body) for method in ("PUT", "PATCH")]

    assert [field_errors(response).keys() for response in responses] == [pointers] * 2
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_a_task_cannot_move_to_another_room(product: Product) -> None:
    ann = product.register("ann")
    here, there = ann.open_room(), ann.open_room()
    task = ann.plan(room_id=here["id"])

    responses = [
        ann.request(method, f"/tasks/{task['id']}", json={"room_id": room["id"]})
        for method in ("PUT", "PATCH")
        for room in (here, there)
    ]

    assert [response.status for response in responses] == [200, 422] * 2
    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert ann.list(f"/rooms/{there['id']}/tasks") == []


def test_each_change_makes_the_next_version_and_another_etag(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    responses = [ann.patch(path, json={"title": f"Title {number}"}) for number in range(3)]

    assert [(response.json()["version"], response.tagged_version) for response in responses] == [(2, 2), (3, 3), (4, 4)]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_applies_only_to_the_version_it_names(product: Product, method: str) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"
    ann.patch(path, json={"title": "Changed meanwhile"})
    before = ann.get(path).json()
    body: dict[str, Any] = {} if method == "DELETE" else {"json": {"title": "Changed again"}}

    refused = [
        ann.request(method, path, headers={"If-Match": condition}, **body)
        for condition in ('"1"', '"3"', 'W/"2"', '""')
    ]
    unchanged = ann.get(path).json()
    made = ann.request(method, path, headers={"If-Match": '"9", "2"'}, **body)

    assert [(response.status, response.json()["code"]) for response in refused] == [(412, "version_mismatch")] * 4
    assert unchanged == before
    assert made.status == (204 if method == "DELETE" else 200)


def test_of_two_conflicting_changes_the_second_is_refused(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/tasks/{ann.plan(room_id=room['id'])['id']}"
    tag = ann.get(path).headers["ETag"]

    first = ann.patch(path, json={"title": "Ann's"}, headers={"If-Match": tag})
    second = bob.patch(path, json={"title": "Bob's"}, headers={"If-Match": tag})
    deletion = bob.delete(path, headers={"If-Match": tag})
    merged = bob.patch(path, json={"title": "Bob's"}, headers={"If-Match": first.headers["ETag"]})

    assert [response.status for response in (first, second, deletion, merged)] == [200, 412, 412, 200]
    assert ann.get(path).json()["title"] == "Bob's"


def test_an_unchanged_task_is_a_304(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    first = ann.get(path)
    again = ann.get(path, headers={"If-None-Match": first.headers["ETag"]})
    ann.patch(path, json={"title": "Changed"})
    changed = ann.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])
    assert (changed.status, changed.tagged_version) == (200, 2)


def test_any_member_deletes_a_task_for_all(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])

    response = bob.delete(f"/tasks/{task['id']}")

    assert (response.status, response.text) == (204, "")
    assert [person.get(f"/tasks/{task['id']}").status for person in (ann, bob)] == [404, 404]
    assert bob.delete(f"/tasks/{task['id']}").status == 404
    assert bob.patch(f"/tasks/{task['id']}", json={"title": "Too late"}).status == 404
    assert ann.list("/tasks") == ann.list(f"/rooms/{room['id']}/tasks") == []


def test_a_viewer_changes_only_the_status_of_their_assigned_tasks(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    path = f"/tasks/{task['id']}"

    refused = [
        bob.put(path, json={"title": "Mine"}),
        bob.patch(path, json={"status": "completed", "priority": "high"}),
        bob.patch(path, json={"user_id": None}),
        bob.patch(path, json={"user_id": ann.id}),
        bob.delete(path),
    ]
    done = bob.put(path, json={"status": "completed", "title": task["title"], "user_id": "me"})

    assert [(response.status, response.json()["code"]) for response in refused] == [(403, "role_too_low")] * 5
    assert (done.status, done.json()["status"], done.json()["updated_by"]) == (200, "completed", bob.id)
    assert done.json()["completed_at"] is not None
    assert {**done.json(), **{name: task[name] for name in CHANGES_WITH_STATUS}} == task


def test_a_viewer_cannot_change_tasks_that_are_not_assigned_to_them(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    members = f"/rooms/{room['id']}/users"
    ann.post(members, json={"user_id": bob.id, "role": "viewer"})
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    others = [ann.plan(room_id=room["id"], user_id=None), ann.plan(room_id=room["id"])]

    refused = [bob.patch(f"/tasks/{other['id']}", json=change) for other in others for change in ({}, COMPLETED)]
    stale = bob.patch(f"/tasks/{task['id']}", json=COMPLETED, headers={"If-Match": '"7"'})
    bob.delete(f"{members}/{bob.id}")
    gone = bob.patch(f"/tasks/{task['id']}", json=COMPLETED)
    ann.post(members, json={"user_id": bob.id, "role": "viewer"})
    back = bob.patch(f"/tasks/{task['id']}", json=COMPLETED)

    assert [response.status for response in refused] == [403] * 4
    assert (stale.status, gone.status, back.status) == (412, 404, 403)
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_a_lowered_role_takes_effect_at_the_next_request(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/tasks/{bob.plan(room_id=room['id'])['id']}"

    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "viewer"})

    assert bob.patch(path, json={"title": "Too late"}).status == 403
    assert bob.post("/tasks", json={"title": "Too late", "room_id": room["id"]}).status == 403

"""A task is assigned to up to ten members of its room."""

from typing import Any

import pytest

from tests.support.client import Response
from tests.support.product import Product
from tests.support.stored_tasks import TABLE

Json = dict[str, Any]


class Office:
    """Ann's room, with Bob and Cid in it."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob, self.cid = (product.register(name) for name in ("ann", "bob", "cid"))
        self.room: Json = self.ann.open_room()
        self.bob.join(self.room)
        self.cid.join(self.room)

    @property
    def everybody(self) -> list[str]:
        return [self.ann.id, self.bob.id, self.cid.id]

    def plan(self, **fields: Any) -> Json:
        task: Json = self.ann.plan(room_id=self.room["id"], **fields)
        return task

    def change(self, task: Json, **fields: Any) -> Response:
        return self.ann.patch(f"/tasks/{task['id']}", json=fields)

    def listed(self, of: str) -> list[str]:
        return [task["id"] for task in self.ann.list(f"/rooms/{self.room['id']}/tasks", user_id=of)]


@pytest.fixture
def office(product: Product) -> Office:
    return Office(product)


def assigned(response: Response) -> tuple[str | None, list[str]]:
    assert response.status in (200, 201), response
    task = response.json()
    return task["user_id"], task["assignee_ids"]


def test_a_task_is_in_the_lists_of_all_its_assignees(office: Office) -> None:
    task = office.plan(assignee_ids=[office.cid.id, "me", office.cid.id])

    assert (task["user_id"], task["assignee_ids"]) == (office.cid.id, [office.cid.id, office.ann.id])
    assert [person.list("/tasks") for person in (office.ann, office.bob, office.cid)] == [[task], [], [task]]
    assert [office.listed(each) for each in (*office.everybody, "none")] == [[task["id"]], [], [task["id"]], []]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"user_id": "bob"}, ["bob"]),
        ({"user_id": "ann"}, ["ann"]),
        ({"user_id": None}, []),
        ({"assignee_ids": ["cid", "bob"]}, ["cid", "bob"]),
        ({"assignee_ids": []}, []),
        ({"user_id": "ann", "assignee_ids": ["bob"]}, ["bob"]),
        ({"user_id": "cid", "assignee_ids": ["ann", "bob"]}, ["cid"]),
        ({"user_id": "cid", "assignee_ids": ["cid", "bob"]}, ["cid", "bob"]),
        ({"user_id": "ann", "assignee_ids": ["ann", "bob"]}, ["ann", "bob"]),
        ({"user_id": None, "assignee_ids": []}, []),
        ({"user_id": None, "assignee_ids": ["ann", "bob"]}, []),
        ({"title": "Other"}, ["ann", "bob"]),
    ],
    ids=str,
)
def test_of_user_id_and_assignee_ids_the_one_that_changes_counts(
    office: Office, sent: Json, expected: list[str]
) -> None:
    ids = {"ann": office.ann.id, "bob": office.bob.id, "cid": office.cid.id, None: None}
    body = {
        name: [ids[each] for each in value] if isinstance(value, list) else ids.get(value, value)
        for name, value in sent.items()
    }
    task = office.plan(assignee_ids=[office.ann.id, office.bob.id])

    response = office.change(task, **body)

    wanted = [ids[each] for each in expected]
    assert assigned(response) == (wanted[0] if wanted else None, wanted)
    for name, user_id in {**ids, "none": "none"}.items():
        if user_id is not None:
            expected_there = name in expected or (name == "none" and not expected)
            assert office.listed(user_id) == ([task["id"]] if expected_there else []), name


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_both_changed_and_unequal_is_refused(office: Office, method: str) -> None:
    task = office.plan(assignee_ids=[office.ann.id])
    body = {"user_id": office.bob.id, "assignee_ids": [office.cid.id]}

    response = office.ann.request(method, f"/tasks/{task['id']}", json=body)
    made = office.ann.post("/tasks", json={"title": "New", "room_id": office.room["id"], **body})

    for refused in (response, made):
        assert refused.status == 422
        assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
            ("/user_id", "assignees_differ")
        ]
    assert office.ann.get(f"/tasks/{task['id']}").json() == task


def test_what_get_returned_can_be_sent_back_with_one_of_the_two_changed(office: Office) -> None:
    task = office.plan(assignee_ids=[office.ann.id, office.bob.id])
    path = f"/tasks/{task['id']}"

    unchanged = office.ann.put(path, json=task)
    first = office.ann.put(path, json={**task, "user_id": office.cid.id})
    second = office.ann.put(path, json={**first.json(), "assignee_ids": [office.bob.id, office.cid.id]})

    assert unchanged.json() == task
    assert assigned(first) == (office.cid.id, [office.cid.id])
    assert assigned(second) == (office.bob.id, [office.bob.id, office.cid.id])


def test_at_most_ten_members_can_be_named(office: Office) -> None:
    strangers = [f"usr_{number:032x}" for number in range(11)]

    too_many = office.ann.post("/tasks", json={"title": "New", "room_id": office.room["id"], "assignee_ids": strangers})
    stranger = office.change(office.plan(), assignee_ids=[office.bob.id, strangers[0]])
    personal = office.ann.post("/tasks", json={"title": "New", "assignee_ids": [office.ann.id, office.bob.id]})

    found = [response.json()["errors"] for response in (too_many, stranger, personal)]
    assert [[(each["pointer"], each["code"]) for each in errors] for errors in found] == [
        [("/assignee_ids", "too_many")],
        [("/assignee_ids", "assignee_not_member")],
        [("/assignee_ids", "assignee_not_member")],
    ]


def test_the_largest_change_of_assignees_is_one_transaction(office: Office) -> None:
    people = [office.product.register(f"person{number}") for number in range(19)]
    for person in people:
        person.join(office.room)
    first, second = ([person.id for person in part] for part in (people[:10], people[9:]))
    task = office.plan(assignee_ids=first, description="long " * 200)
    office.product.aws.permissions.calls.clear()

    response = office.change(task, assignee_ids=second, description="short", status="completed")

    assert assigned(response) == (second[0], second)
    assert office.product.aws.permissions.calls.count("TransactWriteItems") == 1
    assert people[0].list("/tasks") == []
    assert people[18].list("/tasks") == [{**response.json()}]


def test_whoever_leaves_is_unassigned_and_the_others_stay(office: Office) -> None:
    task = office.plan(assignee_ids=[office.bob.id, office.cid.id, office.ann.id])

    office.bob.delete(f"/rooms/{office.room['id']}/users/{office.bob.id}")
    before = office.listed(office.bob.id)
    office.product.deliver()

    left = office.ann.get(f"/tasks/{task['id']}")
    assert before == []
    assert assigned(left) == (office.cid.id, [office.cid.id, office.ann.id])
    assert left.json()["version"] == task["version"] + 1
    entry = office.ann.list(f"/rooms/{office.room['id']}/activity")[0]
    assert (entry["actor_id"], entry["changes"]) == (
        None,
        {
            "user_id": {"old": office.bob.id, "new": office.cid.id},
            "assignee_ids": {
                "old": f"{office.bob.id},{office.cid.id},{office.ann.id}",
                "new": f"{office.cid.id},{office.ann.id}",
            },
        },
    )
    assert [task["id"] for task in office.cid.list("/tasks")] == [task["id"]]


def test_a_late_unassignment_does_not_undo_an_assignment_by_a_new_membership(office: Office) -> None:
    kept, dropped = (office.plan(assignee_ids=[office.ann.id, office.bob.id]) for _ in range(2))
    office.bob.delete(f"/rooms/{office.room['id']}/users/{office.bob.id}")
    office.bob.join(office.room)
    office.change(kept, assignee_ids=[office.bob.id, office.ann.id])
    assert [task["id"] for task in office.bob.list("/tasks")] == [kept["id"]]

    office.product.deliver()

    assert assigned(office.ann.get(f"/tasks/{kept['id']}")) == (office.bob.id, [office.bob.id, office.ann.id])
    assert assigned(office.ann.get(f"/tasks/{dropped['id']}")) == (office.ann.id, [office.ann.id])


def test_a_viewer_changes_the_status_of_what_is_also_assigned_to_them(office: Office) -> None:
    task = office.plan(assignee_ids=[office.ann.id, office.bob.id])
    assert office.ann.patch(f"/rooms/{office.room['id']}/users/{office.bob.id}", json={"role": "viewer"}).status == 200

    done = office.bob.patch(f"/tasks/{task['id']}", json={"status": "completed"})
    refused = office.bob.patch(f"/tasks/{task['id']}", json={"assignee_ids": [office.bob.id]})

    assert (done.status, refused.status) == (200, 403)


def test_a_deleted_account_is_taken_from_the_assignees(office: Office) -> None:
    task = office.plan(assignee_ids=[office.bob.id, office.ann.id])

    assert office.bob.delete("/users/me").status == 204
    office.product.deliver()

    assert assigned(office.ann.get(f"/tasks/{task['id']}")) == (office.ann.id, [office.ann.id])
    assert not [item for item in office.product.items(TABLE) if office.bob.id in str(item["item"])]


def test_the_export_has_each_task_once(office: Office) -> None:
    office.plan(assignee_ids=[office.bob.id, office.ann.id])
    office.plan(assignee_ids=[office.bob.id])
    office.plan(assignee_ids=[])

    exported = office.ann.get("/users/me/export").json()["tasks"]

    assert sorted(task["assignee_ids"] for task in exported) == sorted(
        [[office.bob.id, office.ann.id], [office.bob.id], []]
    )

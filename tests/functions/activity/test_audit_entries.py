"""Every change of a room, of who is in it and of its tasks has one entry: who, what, old and new, which request."""

from tests.functions.activity.trails import about, deeds, gone, new, stored, trail
from tests.functions.users.administrators import administrator
from tests.support.client import Response
from tests.support.product import Product


def request_of(response: Response) -> str:
    assert response.status < 300, response
    return response.headers["X-Request-Id"]


def test_the_first_entry_of_a_trail_is_the_opening_of_the_room(product: Product) -> None:
    ann = product.register("ann")
    opened = ann.post("/rooms", json={"name": "Garden", "code": "GARDEN"})
    product.deliver()

    [entry] = trail(ann, opened.json())

    assert entry.pop("id")
    assert entry == {
        "seq": 1,
        "version": 1,
        "revision": 1,
        "at": opened.json()["created_at"],
        "actor_id": ann.id,
        "action": "created",
        "resource": "room",
        "resource_id": opened.json()["id"],
        "changes": new(name="Garden", code="GARDEN", join_role="member"),
        "request_id": request_of(opened),
    }


def test_a_room_change_has_old_and_new_values(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="Garden", code="GARDEN")
    renamed = ann.patch(f"/rooms/{room['id']}", json={"name": "Yard"})
    unnamed = ann.patch(f"/rooms/{room['id']}", json={"name": None})
    recoded = ann.post(f"/rooms/{room['id']}/code")
    closed = ann.patch(f"/rooms/{room['id']}", json={"join_role": None})
    viewed = ann.patch(f"/rooms/{room['id']}", json={"join_role": "viewer"})
    product.deliver()

    entries = trail(ann, room)[1:]

    assert deeds(entries) == [("updated", "room")] * 5
    assert [entry["changes"] for entry in entries] == [
        {"name": {"old": "Garden", "new": "Yard"}},
        gone(name="Yard"),
        {"code": {"old": "GARDEN", "new": recoded.json()["code"]}},
        gone(join_role="member"),
        new(join_role="viewer"),
    ]
    responses = (renamed, unnamed, recoded, closed, viewed)
    assert [entry["request_id"] for entry in entries] == [request_of(each) for each in responses]


def test_joining_leaving_and_removal_record_who_did_it(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    members = f"/rooms/{room['id']}/users"
    responses = [
        bob.post("/rooms/join", json={"code": room["code"]}),
        ann.post(members, json={"user_id": cleo.id, "role": "viewer"}),
        ann.patch(f"{members}/{cleo.id}", json={"role": "admin"}),
        cleo.delete(f"{members}/{bob.id}"),
        cleo.delete(f"{members}/{cleo.id}"),
    ]
    product.deliver()

    entries = trail(ann, room)[1:]

    assert [(e["action"], e["resource_id"], e["actor_id"], e["changes"]["role"]) for e in entries] == [
        ("created", bob.id, bob.id, {"old": None, "new": "member"}),
        ("created", cleo.id, ann.id, {"old": None, "new": "viewer"}),
        ("updated", cleo.id, ann.id, {"old": "viewer", "new": "admin"}),
        ("deleted", bob.id, cleo.id, {"old": "member", "new": None}),
        ("deleted", cleo.id, cleo.id, {"old": "admin", "new": None}),
    ]
    assert {entry["resource"] for entry in entries} == {"membership"}
    assert all(entry["changes"].keys() == {"role"} for entry in entries)
    assert [entry["request_id"] for entry in entries] == [request_of(each) for each in responses]


def test_a_task_is_recorded_from_creation_to_deletion(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    planned = ann.post(
        "/tasks", json={"title": "Desks", "room_id": room["id"], "deadline": "2027-01-31T12:00:00+01:00"}
    )
    path = f"/tasks/{planned.json()['id']}"
    changed = bob.patch(path, json={"status": "completed", "description": "Six", "deadline": None, "user_id": bob.id})
    trashed = ann.delete(path)
    purged = bob.delete(f"/rooms/{room['id']}/trash/{planned.json()['id']}")
    product.deliver()

    entries = about(trail(ann, room), planned.json()["id"])

    assert deeds(entries) == [("created", "task"), ("updated", "task"), ("trashed", "task"), ("purged", "task")]
    assert [entry["actor_id"] for entry in entries] == [ann.id, bob.id, ann.id, bob.id]
    requests = (planned, changed, trashed, purged)
    assert [entry["request_id"] for entry in entries] == [request_of(each) for each in requests]
    assert [entry["changes"] for entry in entries] == [
        new(
            title="Desks",
            status="pending",
            priority="medium",
            user_id=ann.id,
            assignee_ids=ann.id,
            deadline="2027-01-31T11:00:00Z",
        ),
        {
            "description": {"old": None, "new": "Six"},
            "status": {"old": "pending", "new": "completed"},
            "user_id": {"old": ann.id, "new": bob.id},
            "assignee_ids": {"old": ann.id, "new": bob.id},
            "deadline": {"old": "2027-01-31T11:00:00Z", "new": None},
        },
        {},
        gone(
            title="Desks", description="Six", status="completed", priority="medium", user_id=bob.id, assignee_ids=bob.id
        ),
    ]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


def test_refused_requests_and_changes_without_effect_leave_no_entry(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Garden")
    task = ann.plan(room_id=room["id"], title="Desks")
    bob.join(room)
    product.deliver()
    before = trail(ann, room)

    same = [
        ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"}),
        ann.patch(f"/tasks/{task['id']}", json={"title": "Desks"}),
        ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "member"}),
    ]
    refused = [
        bob.patch(f"/rooms/{room['id']}", json={"name": "Yard"}),
        ann.delete(f"/tasks/{task['id']}", headers={"If-Match": '"9"'}),
        bob.post("/rooms/join", json={"code": room["code"]}),
    ]
    product.deliver()

    assert [response.status for response in same + refused] == [200, 200, 200, 403, 412, 409]
    assert trail(ann, room) == before


def test_a_replayed_idempotent_request_has_one_entry(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    body, headers = {"title": "Desks", "room_id": room["id"]}, {"Idempotency-Key": "one"}
    first = ann.post("/tasks", json=body, headers=headers)
    ann.post("/tasks", json=body, headers=headers)
    product.deliver()

    [entry] = about(trail(ann, room), first.json()["id"])

    assert entry["request_id"] == request_of(first)


def test_personal_tasks_are_in_no_trail_of_a_room(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    ann.delete(f"/tasks/{task['id']}")
    ann.post(f"/tasks/{task['id']}/restore")
    ann.delete_for_good(task)
    product.deliver()

    assert product.items("TasksTableV2") == stored(product) == []


def test_resources_deleted_with_a_room_are_recorded_as_purged_by_the_service(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="Garden", code="GARDEN")
    task = ann.plan(room_id=room["id"], title="Desks")
    closed = ann.delete(f"/rooms/{room['id']}")
    product.deliver()

    entries = {(item["action"], item["resource"]): item for item in stored(product)}

    assert entries.keys() == {
        ("created", "room"),
        ("created", "task"),
        ("deleted", "room"),
        ("purged", "task"),
        ("purged", "room"),
    }
    assert {item["owner_id"] for item in entries.values()} == {room["id"]}
    assert (entries["deleted", "room"]["actor_id"], entries["deleted", "room"]["request_id"]) == (
        ann.id,
        request_of(closed),
    )
    purged = entries["purged", "task"]
    assert purged["resource_id"] == task["id"]
    assert "actor_id" not in purged
    assert '"title": ["Desks", null]' in purged["changes"]


def test_the_last_members_leave_is_recorded_as_the_end_of_a_membership(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}/users/{ann.id}")
    product.deliver()

    assert deeds(stored(product)) == [
        ("created", "room"),
        ("deleted", "membership"),
        ("purged", "room"),
    ]


def test_deleting_an_account_hands_over_its_rooms_and_leaves_them_in_one_change(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = bob.plan(room_id=room["id"], user_id=ann.id)
    gone_for_good = ann.delete("/users/me")
    product.deliver()

    by_her = [entry for entry in trail(bob, room) if entry["request_id"] == request_of(gone_for_good)]

    assert {entry["resource_id"]: entry["changes"] for entry in by_her} == {
        ann.id: {"role": {"old": "admin", "new": None}},
        bob.id: {"role": {"old": "member", "new": "admin"}},
        task["id"]: gone(user_id=ann.id, assignee_ids=ann.id),
    }
    assert {entry["actor_id"] for entry in by_her} == {ann.id}


def test_an_administrator_cannot_read_the_trail_of_a_room(product: Product) -> None:
    admin = administrator(product)
    room = product.register("ann").open_room()
    product.deliver()

    assert admin.get(f"/rooms/{room['id']}/activity").status == 404

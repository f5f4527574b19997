"""Ann opens a room, Bob joins it, both plan, Eve sees nothing of it, and when both have left it is gone for good."""

from typing import Any

from tests.journeys.service import Service, eventually
from tests.support import builders
from tests.support.client import Person
from tests.support.problems import problem


def leftovers(service: Service, room: Any) -> list[dict[str, Any]]:
    """Every item of every table that still speaks of the room or its code; the code itself, once retired, aside."""
    tables = ("RoomsTable", "TasksTableV2")
    return [
        item
        for table in tables
        for item in service.items(table)
        if "expires_at" not in item
        and any(str(value).startswith(room["id"]) or room["code"] in str(value) for value in item.values())
    ]


def sees_nothing(person: Person, room: Any, task: Any, somebody: Person) -> bool:
    """Whether each request about the room, of any kind, is answered as if there were no room."""
    member = f"/rooms/{room['id']}/users/{somebody.id}"
    for method, path, body in [
        ("GET", f"/rooms/{room['id']}", None),
        ("PATCH", f"/rooms/{room['id']}", {"name": "Mine now"}),
        ("PUT", f"/rooms/{room['id']}", {"name": "Mine now"}),
        ("DELETE", f"/rooms/{room['id']}", None),
        ("POST", f"/rooms/{room['id']}/code", {}),
        ("GET", f"/rooms/{room['id']}/users", None),
        ("POST", f"/rooms/{room['id']}/users", {"user_id": person.id}),
        ("PATCH", member, {"role": "viewer"}),
        ("DELETE", member, None),
        ("GET", f"/rooms/{room['id']}/tasks", None),
        ("GET", f"/tasks?room_id={room['id']}", None),
        ("POST", "/tasks", builders.task(room_id=room["id"])),
        ("GET", f"/tasks/{task['id']}", None),
        ("PATCH", f"/tasks/{task['id']}", {"title": "Mine now"}),
        ("PUT", f"/tasks/{task['id']}", {"title": "Mine now"}),
        ("DELETE", f"/tasks/{task['id']}", None),
        ("POST", f"/tasks/{task['id']}/move", {"after": None}),
        ("POST", f"/tasks/{task['id']}/restore", {}),
        ("GET", f"/rooms/{room['id']}/trash", None),
        ("DELETE", f"/rooms/{room['id']}/trash/{task['id']}", None),
    ]:
        response = person.request(method, path) if body is None else person.request(method, path, json=body)
        problem(response, 404, "not_found")
    return True


def test_a_room_exists_as_long_as_it_has_members(service: Service) -> None:
    ann, bob, eve = service.register("ann"), service.register("bob"), service.register("eve")

    # Ann opens a room, and Bob joins it with the code, however he types it.
    room = ann.open_room(name="Summer fair")
    response = bob.post("/rooms/join", json={"code": room["code"].lower()})
    assert response.status == 200, response
    assert response.json()["role"] == "member"
    assert response.json()["user_ids"] == [ann.id, bob.id]
    problem(bob.post("/rooms/join", json={"code": room["code"]}), 409, "already_member")

    # Both plan, and both find what they look for.
    tents = ann.plan(room_id=room["id"], title="Borrow tents", priority="high", deadline="2027-06-01T09:00:00+02:00")
    music = bob.plan(room_id=room["id"], title="Find a band", user_id=ann.id, status="in progress")
    bob.plan(room_id=room["id"], title="Print posters", status="completed", priority="low")
    mistake = bob.plan(room_id=room["id"], title="Print postres", assignee_ids=[ann.id, bob.id])
    assert ann.delete(f"/tasks/{mistake['id']}").status == 204
    path = f"/rooms/{room['id']}/tasks"
    assert [task["title"] for task in ann.list(path)] == ["Borrow tents", "Find a band", "Print posters"]
    assert [task["title"] for task in bob.list(path, status=["pending", "in progress"], sort="-priority")] == [
        "Borrow tents",
        "Find a band",
    ]
    assert [task["title"] for task in bob.list(path, deadline_to="2027-06-01T07:00:00Z")] == ["Borrow tents"]
    assert {task["title"] for task in ann.list("/tasks")} == {"Borrow tents", "Find a band"}
    assert [task["title"] for task in bob.list("/tasks")] == ["Print posters"]

    # Bob updates Ann's task; Ann, who has not seen that, is told so.
    updated = bob.patch(f"/tasks/{tents['id']}", json={"status": "completed"}, headers={"If-Match": '"1"'})
    assert updated.status == 200, updated
    assert updated.json()["updated_by"] == bob.id
    assert updated.json()["completed_at"] is not None
    stale = ann.patch(f"/tasks/{tents['id']}", json={"title": "Rent tents"}, headers={"If-Match": '"1"'})
    problem(stale, 412, "version_mismatch")

    # Eve is no member: there is nothing here that she may see.
    assert sees_nothing(eve, room, music, ann)
    problem(eve.post("/rooms/join", json={"code": "WRONG0000"}), 404, "unknown_code")
    assert room["id"] not in str(eve.list("/rooms") + eve.list("/tasks") + eve.list("/users"))

    # Ann cannot leave Bob without an admin; she hands the role over, and leaves.
    problem(ann.delete(f"/rooms/{room['id']}/users/{ann.id}"), 409, "last_admin")
    assert ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "admin"}).status == 200
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    assert sees_nothing(ann, room, music, bob)
    assert ann.list("/tasks") == []
    assert bob.get(f"/rooms/{room['id']}").json()["member_count"] == 1

    # Bob is the last to leave: the room is gone at once, and soon there is no trace of it.
    assert leftovers(service, room)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    assert sees_nothing(bob, room, music, ann)
    problem(eve.post("/rooms/join", json={"code": room["code"]}), 404, "unknown_code")
    assert eventually(lambda: not leftovers(service, room)), leftovers(service, room)

    # Its code is nobody else's for a while.
    problem(eve.post("/rooms", json={"code": room["code"]}), 409, "code_taken")


def test_closing_a_room_ends_every_membership_at_once(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = bob.plan(room_id=room["id"])

    problem(bob.delete(f"/rooms/{room['id']}"), 403, "role_too_low")
    assert ann.delete(f"/rooms/{room['id']}").status == 204

    assert sees_nothing(bob, room, task, ann)
    assert sees_nothing(ann, room, task, bob)
    assert eventually(lambda: not leftovers(service, room)), leftovers(service, room)


def test_a_room_with_many_tasks_is_deleted_completely(service: Service) -> None:
    ann = service.register("ann")
    room = ann.open_room()
    tasks = [ann.plan(room_id=room["id"], title=f"Task {number}") for number in range(60)]

    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204

    problem(ann.get(f"/tasks/{tasks[-1]['id']}"), 404, "not_found")
    assert eventually(lambda: not leftovers(service, room)), len(leftovers(service, room))


def test_a_deleted_user_leaves_consistent_data(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    shared, own = ann.open_room(), ann.open_room()
    bob.join(shared)
    assigned = bob.plan(room_id=shared["id"], user_id=ann.id)
    both = ann.plan(room_id=shared["id"], assignee_ids=[ann.id, bob.id])
    trashed = ann.plan(room_id=shared["id"], assignee_ids=[ann.id, bob.id])
    personal, dropped = ann.plan(), ann.plan(description="x" * 600)
    for task in (trashed, ann.plan(room_id=own["id"]), dropped):
        assert ann.delete(f"/tasks/{task['id']}").status == 204
    ann.plan(room_id=own["id"])

    assert ann.delete("/users/me").status == 204

    # She is gone at once: her session, her sign-in, and she as somebody to look at.
    problem(ann.get("/users/me"), 401, "token_revoked")
    problem(service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}), 401, "invalid_token")
    credentials = {"username": ann.username, "password": ann.password}
    problem(service.anonymous.post("/auth/login", json=credentials), 401, "invalid_credentials")
    problem(bob.get(f"/users/{ann.id}"), 404, "not_found")

    # Bob inherits the room; the task is nobody's; what was hers alone is gone soon after.
    room = bob.get(f"/rooms/{shared['id']}").json()
    assert (room["role"], room["user_ids"], room["member_count"]) == ("admin", [bob.id], 1)
    assert bob.get(f"/tasks/{assigned['id']}").json()["user_id"] is None
    assert bob.get(f"/tasks/{both['id']}").json()["assignee_ids"] == [bob.id]
    assert bob.post(f"/tasks/{trashed['id']}/restore").json()["assignee_ids"] == [bob.id]
    assert eventually(lambda: not leftovers(service, own)), leftovers(service, own)
    for task in (personal, dropped):
        assert not [item for item in service.items("TasksTableV2") if task["id"] in str(item)]
    assert not [item for item in service.items("SessionsTable") if item.get("user_id") == ann.id]
    # Her name is free again.
    assert service.register(username=ann.username, email=ann.email).username == ann.username

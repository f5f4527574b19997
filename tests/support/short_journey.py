"""One short journey through filters, trash, a leave, the clean-up and the audit trail, wherever the product runs."""

from collections.abc import Callable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.support.client import Client
from tests.support.problems import problem

Eventually = Callable[[Callable[[], object]], bool]


def short_journey(anonymous: Client, dynamodb: Any, eventually: Eventually) -> None:
    """``dynamodb``: a boto3 client. ``eventually``: waits for what streams bring about."""
    ann, bob = anonymous.register("ann"), anonymous.register("bob")

    # Both plan in one room, and filters find what is wanted.
    room = ann.open_room(name="Office move")
    bob.join(room)
    ann.plan(room_id=room["id"], title="Order desks", priority="high", deadline="2027-01-31T12:00:00+01:00")
    shelves = bob.plan(room_id=room["id"], title="Paint shelves", status="in progress", user_id=bob.id)
    path = f"/rooms/{room['id']}/tasks"
    assert [task["title"] for task in bob.list(path)] == ["Order desks", "Paint shelves"]
    assert [task["title"] for task in bob.list(path, status="in progress", user_id="me")] == ["Paint shelves"]
    assert [task["title"] for task in ann.list(path, deadline_to="2027-01-31T11:00:00Z")] == ["Order desks"]
    assert [task["title"] for task in bob.list("/tasks", sort="-priority")] == ["Paint shelves"]

    # A change is seen, and a change of what was seen before it is refused.
    changed = ann.patch(f"/tasks/{shelves['id']}", json={"status": "completed"}, headers={"If-Match": '"1"'})
    assert changed.status == 200, changed
    problem(
        bob.patch(f"/tasks/{shelves['id']}", json={"title": "-"}, headers={"If-Match": '"1"'}), 412, "version_mismatch"
    )

    # What was deleted by mistake comes back, and into another place.
    assert bob.delete(f"/tasks/{shelves['id']}").status == 204
    assert [task["title"] for task in ann.list(f"/rooms/{room['id']}/trash")] == ["Paint shelves"]
    restored = ann.post(f"/tasks/{shelves['id']}/restore")
    assert restored.status == 200, restored
    assert restored.json()["assignee_ids"] == [bob.id]
    moved = bob.post(f"/tasks/{shelves['id']}/move", json={"after": None, "status": "pending"})
    assert moved.status == 200, moved
    assert [task["title"] for task in bob.list(path, sort="rank")] == ["Paint shelves", "Order desks"]

    # Whoever leaves is unassigned, and the trail tells of it.
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    problem(bob.get(f"/rooms/{room['id']}"), 404, "not_found")
    assert eventually(lambda: ann.get(f"/tasks/{shelves['id']}").json()["user_id"] is None)
    trail = f"/rooms/{room['id']}/activity"
    wanted = {("room", "created"), ("membership", "created"), ("membership", "deleted")}
    wanted |= {("task", action) for action in ("created", "updated", "trashed", "restored", "moved")}
    assert eventually(lambda: wanted <= {(entry["resource"], entry["action"]) for entry in ann.list(trail)})

    # The last to leave takes the room and its tasks along.
    assert sorted(item["title"] for item in _stored(dynamodb, room) if "title" in item) == [
        "Order desks",
        "Paint shelves",
    ]
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    problem(ann.get(f"/rooms/{room['id']}"), 404, "not_found")
    assert eventually(lambda: _stored(dynamodb, room) == [])


def _stored(dynamodb: Any, room: Any) -> list[dict[str, Any]]:
    """The tasks of a room, and all items that belong to them."""
    read = TypeDeserializer().deserialize
    items = dynamodb.scan(TableName="TasksTableV2")["Items"]
    found = [{name: read(value) for name, value in item.items()} for item in items]
    return [item for item in found if item["owner_id"] == room["id"]]

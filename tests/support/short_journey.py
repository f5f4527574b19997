"""One short journey through filters, a leave, the clean-up and the audit trail, wherever the product runs."""

from collections.abc import Callable

from tests.support.client import Client
from tests.support.problems import problem

Eventually = Callable[[Callable[[], object]], bool]


def short_journey(anonymous: Client, tasks_of: Callable[[str], list[str]], eventually: Eventually) -> None:
    """``tasks_of``: titles of the tasks stored for a room. ``eventually``: waits for what streams bring about."""
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

    # Whoever leaves is unassigned, and the trail tells of it.
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    problem(bob.get(f"/rooms/{room['id']}"), 404, "not_found")
    assert eventually(lambda: ann.get(f"/tasks/{shelves['id']}").json()["user_id"] is None)
    trail = f"/rooms/{room['id']}/activity"
    wanted = {("room", "created"), ("membership", "created"), ("task", "updated"), ("membership", "deleted")}
    assert eventually(lambda: wanted <= {(entry["resource"], entry["action"]) for entry in ann.list(trail)})

    # The last to leave takes the room and its tasks along.
    assert tasks_of(room["id"]) == ["Order desks", "Paint shelves"]
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    problem(ann.get(f"/rooms/{room['id']}"), 404, "not_found")
    assert eventually(lambda: tasks_of(room["id"]) == [])

"""Every field that can be changed is changed, and then found wherever the resource is shown: in the response, by GET,
in lists, in the export, and in the audit trail of its room: a webhook is in neither of these two. Every response is
held against the API's description, too.

Generated from the schemas of PATCH: a new field fails here until it has a line in ``OTHER``, and then until it is kept
and shown everywhere.
"""

import json
from typing import Any

import pytest

from infrastructure.openapi.routes import declared_routes
from tests.functions.activity.trails import about, own, trail
from tests.support.client import Person
from tests.support.product import Product

Json = dict[str, Any]

USER, ROOM, MEMBER, TASK, WEBHOOK = (
    "/users/{user_id}",
    "/rooms/{room_id}",
    "/rooms/{room_id}/users/{user_id}",
    "/tasks/{task_id}",
    "/rooms/{room_id}/webhooks/{webhook_id}",
)

# Another value than the one that the resource of the test has.
OTHER: dict[tuple[str, str], Any] = {
    (USER, "username"): "anna",
    (USER, "email"): "anna@example.org",
    (USER, "added_by"): "shared",
    (ROOM, "name"): "Garden",
    (ROOM, "join_role"): "viewer",
    (MEMBER, "role"): "viewer",
    (TASK, "title"): "Mow the lawn",
    (TASK, "description"): "Before noon",
    (TASK, "status"): "completed",
    (TASK, "priority"): "high",
    (TASK, "deadline"): "2027-01-31T12:00:00Z",
    (TASK, "user_id"): "{bob}",
    (TASK, "assignee_ids"): ["{bob}"],
    (WEBHOOK, "url"): "https://hooks.example.org/other",
    (WEBHOOK, "events"): ["task.created"],
}

FIELDS = sorted(
    (each.route.path, field)
    for each in declared_routes()
    if each.route.method == "PATCH" and each.route.body is not None
    for field in each.route.body.__struct_fields__
)


class Scene:
    """Ann, her room with Bob in it, and a task of hers there, unassigned to Bob."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob = product.register("ann"), product.register("bob")
        self.room = self.ann.open_room(name="Kitchen")
        self.bob.join(self.room)
        self.task = self.ann.plan(title="Paint the door", room_id=self.room["id"])
        self.webhooks = f"/rooms/{self.room['id']}/webhooks"
        self.webhook = self.ann.post(self.webhooks, json={"url": "https://hooks.example.org/"}).json()

    def path(self, route: str) -> str:
        ids = {"room_id": self.room["id"], "task_id": self.task["id"], "webhook_id": self.webhook["id"]}
        ids["user_id"] = self.bob.id if route == MEMBER else self.ann.id
        return route.format(**ids)

    def id_of(self, route: str) -> str:
        return self.path(route).rpartition("/")[2]

    def lists(self, route: str) -> list[Json]:
        """The resource as each list shows it that has it."""
        room = f"/rooms/{self.room['id']}"
        paths: dict[str, list[tuple[Person, str]]] = {
            USER: [],
            ROOM: [(self.ann, "/rooms")],
            MEMBER: [(self.ann, f"{room}/users")],
            WEBHOOK: [(self.ann, self.webhooks)],
            # By the table, and by an index of the assignee.
            TASK: [(self.ann, f"{room}/tasks"), (self.ann, "/tasks"), (self.bob, "/tasks")],
        }
        key = "user_id" if route == MEMBER else "id"
        found = [each for person, path in paths[route] for each in person.list(path) if each[key] == self.id_of(route)]
        assert found or route == USER
        return found

    def exported(self, route: str) -> list[Json]:
        if route == WEBHOOK:
            return []  # it is the room's, and in no export
        export = self.ann.get("/users/me/export").json()
        if route == USER:
            return [export["user"]]
        # What one is in a room is a field of the room there.
        export = self.bob.get("/users/me/export").json() if route == MEMBER else export
        kind, wanted = ("tasks", self.task["id"]) if route == TASK else ("rooms", self.room["id"])
        found = [each for each in export[kind] if each["id"] == wanted]
        assert found
        return found


@pytest.mark.parametrize(("route", "field"), FIELDS)
def test_a_changed_field_is_visible_wherever_the_resource_is(product: Product, route: str, field: str) -> None:
    assert (route, field) in OTHER, f"OTHER has no other value of {field} of {route}"
    scene = Scene(product)
    value = json.loads(json.dumps(OTHER[route, field]).replace("{bob}", scene.bob.id))
    product.deliver()
    before = len(trail(scene.ann, scene.room))

    response = scene.ann.patch(scene.path(route), json={field: value})

    assert response.status == 200, response
    assert response.json()[field] == value
    if route != MEMBER:  # which has no GET of its own
        assert scene.ann.get(scene.path(route)).json()[field] == value
    assert all(each[field] == value for each in scene.lists(route) + scene.exported(route))

    if route == WEBHOOK:
        return  # the log is of what all members see
    product.deliver()
    entries = own(scene.ann) if route == USER else trail(scene.ann, scene.room)[before:]
    entry = about(entries, scene.id_of(route))[-1]
    shown = ",".join(value) if isinstance(value, list) else value if value is None else str(value)
    assert entry["changes"][field]["new"] == shown

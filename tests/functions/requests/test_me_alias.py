"""``me`` is the caller wherever the id of a user stands in a request: in a path, a body or a filter.

Where ids of users stand follows from the routes and schemas, and each such place has its request here.
"""

import re
from collections.abc import Callable
from typing import Any

from infrastructure.openapi.routes import declared_routes
from tests.support.client import Person, Response
from tests.support.product import Product

# How what holds a user's id is called, in a path, a body or a query.
NAMES = re.compile(r"(user|member|assignee|actor|owner)s?(_ids?)?|\w+_by")
# Who may add somebody to rooms: a kind of people, and nobody's id.
OTHERS = {"added_by"}

Ask = Callable[[Person, str], Response]
"""A request in which the second argument stands for the caller."""


def places() -> set[tuple[str, str]]:
    """Each route with each name in what it takes that is that of a user's id."""
    found = set()
    for route in (each.route for each in declared_routes()):
        taken = set(re.findall(r"\{(\w+)\}", route.path))
        taken |= {field for shape in (route.body, route.query) if shape for field in shape.__struct_fields__}
        found |= {(f"{route.method} {route.path}", name) for name in taken - OTHERS if NAMES.fullmatch(name)}
    return found


class Scene:
    """A room of Ann's, with Bob as an admin too, so that anybody may go."""

    def __init__(self, product: Product) -> None:
        self.ann, self.bob = product.register("ann"), product.register("bob")
        self.room = self.ann.open_room()
        self.path = f"/rooms/{self.room['id']}"
        self.bob.join(self.room)
        self.ann.patch(f"{self.path}/users/{self.bob.id}", json={"role": "admin"})
        self.task = self.ann.plan(room_id=self.room["id"], user_id=self.bob.id)
        self.trashed = self.ann.plan()["id"]
        self.ann.delete(f"/tasks/{self.trashed}")

    def asks(self) -> dict[tuple[str, str], Ask]:
        """In this order each is answered well."""
        task, room, bob = f"/tasks/{self.task['id']}", self.path, self.bob.id
        in_room = {"title": "B", "room_id": self.room["id"]}
        user, member = "/users/{user_id}", "/rooms/{room_id}/users/{user_id}"
        return {
            (f"GET {user}", "user_id"): lambda ann, me: ann.get(f"/users/{me}"),
            (f"GET {user}/export", "user_id"): lambda ann, me: ann.get(f"/users/{me}/export"),
            (f"GET {user}/activity", "user_id"): lambda ann, me: ann.get(f"/users/{me}/activity"),
            (f"GET {user}/changes", "user_id"): lambda ann, me: ann.get(f"/users/{me}/changes"),
            (f"PUT {user}", "user_id"): lambda ann, me: ann.put(f"/users/{me}", json={"email": None}),
            (f"PATCH {user}", "user_id"): lambda ann, me: ann.patch(f"/users/{me}", json={"email": None}),
            ("POST /rooms", "user_id"): lambda ann, me: ann.post("/rooms", json={"user_id": me}),
            ("POST /tasks", "user_id"): lambda ann, me: ann.post("/tasks", json={**in_room, "user_id": me}),
            ("POST /tasks", "assignee_ids"): lambda ann, me: ann.post(
                "/tasks", json={**in_room, "assignee_ids": [bob, me]}
            ),
            ("PUT /tasks/{task_id}", "assignee_ids"): lambda ann, me: ann.put(task, json={"assignee_ids": [bob, me]}),
            ("PATCH /tasks/{task_id}", "assignee_ids"): lambda ann, me: ann.patch(task, json={"assignee_ids": [me]}),
            ("PUT /tasks/{task_id}", "user_id"): lambda ann, me: ann.put(task, json={"user_id": me}),
            ("PATCH /tasks/{task_id}", "user_id"): lambda ann, me: ann.patch(task, json={"user_id": me}),
            ("GET /tasks", "user_id"): lambda ann, me: ann.get(f"/tasks?user_id={me}"),
            ("GET /rooms/{room_id}/tasks", "user_id"): lambda ann, me: ann.get(f"{room}/tasks?user_id={me}"),
            ("POST /keys/resolve", "users"): lambda ann, me: ann.post("/keys/resolve", json={"users": [me, bob]}),
            ("POST /rooms/{room_id}/users", "user_id"): lambda ann, me: ann.post(f"{room}/users", json={"user_id": me}),
            (f"PATCH {member}", "user_id"): lambda ann, me: ann.patch(f"{room}/users/{me}", json={"role": "admin"}),
            (f"GET {user}/trash", "user_id"): lambda ann, me: ann.get(f"/users/{me}/trash"),
            (f"DELETE {user}/trash/{{task_id}}", "user_id"): lambda ann, me: ann.delete(
                f"/users/{me}/trash/{self.trashed}"
            ),
            (f"DELETE {member}", "user_id"): lambda ann, me: ann.delete(f"{room}/users/{me}"),
            (f"DELETE {user}", "user_id"): lambda ann, me: ann.delete(f"/users/{me}"),
        }


def test_every_place_of_a_user_id_is_covered(product: Product) -> None:
    assert Scene(product).asks().keys() == places()


def test_me_is_the_caller_in_every_place(product: Product) -> None:
    said: list[list[Any]] = []
    for word in ("me", "{ann}"):
        scene = Scene(product)
        said.append([])
        for place, ask in scene.asks().items():
            response = ask(scene.ann, word.format(ann=scene.ann.id))
            said[-1].append((place, response.status, _comparable(response, scene)))

    for spoken, spelt in zip(*said, strict=True):
        assert spoken == spelt
        assert spoken[1] in (200, 201, 204, 409), spoken


def test_an_anonymous_request_has_no_me(product: Product) -> None:
    scene = Scene(product)

    assert scene.ann.get("/users/ME").status == 404
    assert scene.ann.get(f"{scene.path}/tasks?user_id=ME").status == 400
    resolved = scene.ann.post("/keys/resolve", json={"users": ["me", scene.ann.id, "ME"], "rooms": ["me"]}).json()
    assert resolved["users"].keys() == {"me", scene.ann.id}
    assert resolved["missing"] == ["ME", "me"]


def _comparable(response: Response, scene: Scene) -> str:
    """What was answered, less what differs between two scenes."""
    text = response.text.replace(scene.ann.id, "me").replace(scene.ann.username, "ann").replace(scene.bob.id, "bob")
    text = text.replace(scene.bob.username, "bob").replace(scene.room["id"], "room").replace(scene.room["code"], "code")
    text = re.sub(r"(room_|usr_|ses_)?[0-9a-f]{32}", "id", re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "time", text))
    text = re.sub(r'"code":"\w{9}"', '"code":"code"', re.sub(r'"rank":"\w+"', '"rank":"rank"', text))
    text = re.sub(r'"next_cursor":"[^"]+"', '"next_cursor":"cursor"', text)
    return re.sub(r'"request_id":"[^"]*"', "", re.sub(r'"[\w.-]+@example.org"', '"address"', text))

"""Every write with a token: what is asked, of what, and by whom; for all that is promised of each of them."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.functions.users.administrators import administrator
from tests.support import builders, tables
from tests.support.client import Person, Response
from tests.support.product import Product

OTHER_PASSWORD = "nine purple umbrellas in the rain"

Request = tuple[str, str, Any]

READS = {"POST /keys/resolve", "POST /sync"}
"""Routes that take a body and change nothing."""


class Scene:
    """Ann, admin of a room with Bob in it and a task; Cleo, and a room of hers that Ann is not in."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob, self.cleo = (product.register(name) for name in ("ann", "bob", "cleo"))
        self.room = self.ann.open_room()
        self.bob.join(self.room)
        self.task = self.ann.plan(room_id=self.room["id"])
        self.cleos_room = self.cleo.open_room()
        self.path = f"/rooms/{self.room['id']}"

    @functools.cached_property
    def webhook(self) -> str:
        """The path of a webhook of the room."""
        made = self.ann.post(f"{self.path}/webhooks", json={"url": "https://hooks.example.org/"})
        assert made.status == 201, made
        return f"{self.path}/webhooks/{made.json()['id']}"

    @functools.cached_property
    def suspended(self) -> str:
        """The path of a webhook of the room that is suspended."""
        key = {"room_id": self.room["id"], "item": f"H#{self.webhook.rpartition('/')[2]}"}
        tables.change(self.product.aws, "WebhooksTable", key, state="suspended")
        return self.webhook

    @functools.cached_property
    def another_task(self) -> Any:
        """A task of the room, behind the first one."""
        return self.ann.plan(room_id=self.room["id"])

    @functools.cached_property
    def trashed(self) -> Any:
        """A task in the trash of the room."""
        return self._deleted(self.ann.plan(room_id=self.room["id"]))

    @functools.cached_property
    def trashed_personal(self) -> Any:
        """A personal task in Ann's trash."""
        return self._deleted(self.ann.plan())

    def _deleted(self, task: Any) -> Any:
        assert self.ann.delete(f"/tasks/{task['id']}").status == 204
        return task

    @functools.cached_property
    def root(self) -> Person:
        """An admin of the installation."""
        return administrator(self.product)

    @functools.cached_property
    def another_session(self) -> str:
        """The id of one more session of Ann's."""
        return self.product.anonymous.sign_in(self.ann.username, self.ann.password).refresh_token.partition(".")[0]


@dataclass(frozen=True)
class Write:
    """A request to a route of the template."""

    route: str
    request: Callable[[Scene], Request]
    by: Callable[[Scene], Person] = lambda scene: scene.ann
    ends_token: bool = False
    """Whether the token that it is sent with is refused from then on."""


def send(person: Person, request: Request, **headers: str) -> Response:
    method, path, body = request
    options = {} if body is None else {"json": body}
    return person.request(method, path, headers=_named(headers), **options)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    """Python's names of header fields as HTTP spells them."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def effects(product: Product) -> list[list[dict[str, Any]]]:
    tables_of_effects = ("UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable", "LiveTable", "WebhooksTable")
    return [product.items(table) for table in tables_of_effects]


WRITES: dict[str, Write] = {
    "open a room": Write("POST /rooms", lambda _: ("POST", "/rooms", {"name": "Once"})),
    "join a room": Write("POST /rooms/join", lambda scene: ("POST", "/rooms/join", {"code": scene.cleos_room["code"]})),
    "PUT a room": Write("PUT /rooms/{room_id}", lambda scene: ("PUT", scene.path, {"name": "Once"})),
    "PATCH a room": Write("PATCH /rooms/{room_id}", lambda scene: ("PATCH", scene.path, {"name": "Once"})),
    "delete a room": Write("DELETE /rooms/{room_id}", lambda scene: ("DELETE", scene.path, None)),
    "change the code": Write("POST /rooms/{room_id}/code", lambda scene: ("POST", f"{scene.path}/code", {})),
    "change the code without a body": Write(
        "POST /rooms/{room_id}/code", lambda scene: ("POST", f"{scene.path}/code", None)
    ),
    "add somebody": Write(
        "POST /rooms/{room_id}/users", lambda scene: ("POST", f"{scene.path}/users", {"user_id": scene.cleo.id})
    ),
    "change a role": Write(
        "PATCH /rooms/{room_id}/users/{user_id}",
        lambda scene: ("PATCH", f"{scene.path}/users/{scene.bob.id}", {"role": "viewer"}),
    ),
    "remove somebody": Write(
        "DELETE /rooms/{room_id}/users/{user_id}", lambda scene: ("DELETE", f"{scene.path}/users/{scene.bob.id}", None)
    ),
    "make a webhook": Write(
        "POST /rooms/{room_id}/webhooks",
        lambda scene: ("POST", f"{scene.path}/webhooks", {"url": "https://hooks.example.org/"}),
    ),
    "change a webhook": Write(
        "PATCH /rooms/{room_id}/webhooks/{webhook_id}",
        lambda scene: ("PATCH", scene.webhook, {"events": ["task.created"]}),
    ),
    "delete a webhook": Write(
        "DELETE /rooms/{room_id}/webhooks/{webhook_id}", lambda scene: ("DELETE", scene.webhook, None)
    ),
    "renew the secret of a webhook": Write(
        "POST /rooms/{room_id}/webhooks/{webhook_id}/secret",
        lambda scene: ("POST", f"{scene.webhook}/secret", {}),
    ),
    "resume a webhook": Write(
        "POST /rooms/{room_id}/webhooks/{webhook_id}/resume",
        lambda scene: ("POST", f"{scene.suspended}/resume", {}),
    ),
    "test a webhook": Write(
        "POST /rooms/{room_id}/webhooks/{webhook_id}/test", lambda scene: ("POST", f"{scene.webhook}/test", {})
    ),
    "replay events": Write(
        "POST /rooms/{room_id}/webhooks/{webhook_id}/replay",
        lambda scene: ("POST", f"{scene.webhook}/replay", {"from": 1, "to": 9}),
    ),
    "plan a task": Write(
        "POST /tasks", lambda scene: ("POST", "/tasks", {"title": "Once", "room_id": scene.room["id"]})
    ),
    "plan a personal task": Write("POST /tasks", lambda _: ("POST", "/tasks", {"title": "Once"})),
    "PUT a task": Write("PUT /tasks/{task_id}", lambda scene: ("PUT", f"/tasks/{scene.task['id']}", {"title": "Once"})),
    "PATCH a task": Write(
        "PATCH /tasks/{task_id}", lambda scene: ("PATCH", f"/tasks/{scene.task['id']}", {"status": "completed"})
    ),
    "delete a task": Write("DELETE /tasks/{task_id}", lambda scene: ("DELETE", f"/tasks/{scene.task['id']}", None)),
    "move a task": Write(
        "POST /tasks/{task_id}/move",
        lambda scene: ("POST", f"/tasks/{scene.task['id']}/move", {"after": scene.another_task["id"]}),
    ),
    "restore a task": Write(
        "POST /tasks/{task_id}/restore", lambda scene: ("POST", f"/tasks/{scene.trashed['id']}/restore", {})
    ),
    "delete a task for good": Write(
        "DELETE /rooms/{room_id}/trash/{task_id}",
        lambda scene: ("DELETE", f"{scene.path}/trash/{scene.trashed['id']}", None),
    ),
    "delete a personal task for good": Write(
        "DELETE /users/{user_id}/trash/{task_id}",
        lambda scene: ("DELETE", f"/users/me/trash/{scene.trashed_personal['id']}", None),
    ),
    "PUT a profile": Write("PUT /users/{user_id}", lambda _: ("PUT", "/users/me", {"email": None})),
    "PATCH a profile": Write(
        "PATCH /users/{user_id}", lambda scene: ("PATCH", f"/users/{scene.ann.id}", {"email": None})
    ),
    "delete somebody": Write(
        "DELETE /users/{user_id}", lambda scene: ("DELETE", f"/users/{scene.bob.id}", None), lambda scene: scene.root
    ),
    "change the password": Write(
        "POST /auth/password",
        lambda _: (
            "POST",
            "/auth/password",
            {"current_password": builders.PASSWORD, "new_password": OTHER_PASSWORD},
        ),
    ),
    "show the password again": Write(
        "POST /auth/reauthenticate", lambda _: ("POST", "/auth/reauthenticate", {"password": builders.PASSWORD})
    ),
    "end a session": Write(
        "DELETE /auth/sessions/{session_id}", lambda scene: ("DELETE", f"/auth/sessions/{scene.another_session}", None)
    ),
    "get a ticket": Write("POST /live/tickets", lambda _: ("POST", "/live/tickets", None)),
    "end all sessions": Write("DELETE /auth/sessions", lambda _: ("DELETE", "/auth/sessions", None), ends_token=True),
}

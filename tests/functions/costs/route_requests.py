"""A request to each route that asks DynamoDB for anything, to be counted what it asks."""

import itertools
from collections.abc import Callable
from typing import Any

from tests.support.client import Person, Response
from tests.support.product import Product

Request = Callable[[], Response]

TASK = {"title": "Order the desks"}


class Team:
    """Ann's room with Bob and Cleo in it and with twelve tasks, six of them Ann's; and what each route is asked.

    Dan is in a room of Eve's, who comes and goes.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob, self.cleo, self.dan, self.eve = map(product.register, ("ann", "bob", "cleo", "dan", "eve"))
        self.room = self.ann.open_room()
        self.bob.join(self.room)
        self.cleo.join(self.room)
        self.tasks = [
            self.ann.plan(room_id=self.room["id"], user_id=self.ann.id if number % 2 else self.bob.id)
            for number in range(12)
        ]
        self.personal = self.ann.plan()
        self.other = self.bob.open_room()
        self.old = self.bob.open_room()
        self.eves, shared = self.eve.open_room(), self.eve.open_room()
        self.dan.join(shared)

    def requests(self) -> dict[str, Request]:
        """By method and path, with what is special about it behind a comma. In this order each is answered well."""
        return (
            self._of_tasks()
            | self._of_webhooks()
            | self._of_rooms()
            | self._across()
            | self._of_people()
            | self._of_sessions()
        )

    def _of_tasks(self) -> dict[str, Request]:
        ann, room, room_id = self.ann, f"/rooms/{self.room['id']}", self.room["id"]
        task, *others = [f"/tasks/{each['id']}" for each in self.tasks]
        deleted = iter(others)
        return {
            "GET /tasks": self._get("/tasks"),
            "GET /tasks, one status": self._get("/tasks?status=pending"),
            "GET /rooms/{room_id}/tasks": self._get(f"{room}/tasks"),
            "GET /rooms/{room_id}/tasks, by deadline": self._get(f"{room}/tasks?sort=deadline"),
            "GET /rooms/{room_id}/tasks, one status": self._get(f"{room}/tasks?status=pending"),
            "GET /rooms/{room_id}/tasks, of one person": self._get(f"{room}/tasks?user_id={ann.id}"),
            "GET /tasks/{task_id}": self._get(task),
            "POST /tasks": lambda: ann.post("/tasks", json={**TASK, "room_id": room_id}),
            "POST /tasks, for somebody else": lambda: ann.post(
                "/tasks", json={**TASK, "room_id": room_id, "user_id": self.bob.id}
            ),
            "POST /tasks, personal": lambda: ann.post("/tasks", json=TASK),
            "POST /tasks, with an idempotency key": lambda: ann.post(
                "/tasks", json={**TASK, "room_id": room_id}, headers={"Idempotency-Key": "a key"}
            ),
            "PUT /tasks/{task_id}": lambda: ann.put(task, json={"title": "B"}),
            "PATCH /tasks/{task_id}": lambda: ann.patch(task, json={"title": "C"}),
            "POST /tasks/{task_id}/move": lambda: ann.post(f"{task}/move", json={"after": others[-1][7:]}),
            "DELETE /tasks/{task_id}": lambda: ann.delete(next(deleted)),
            "DELETE /tasks/{task_id}, with If-Match": lambda: ann.delete(next(deleted), headers={"If-Match": '"1"'}),
            "DELETE /tasks/{task_id}, personal": lambda: ann.delete(f"/tasks/{self.personal['id']}"),
            "GET /rooms/{room_id}/trash": self._get(f"{room}/trash"),
            "GET /users/{user_id}/trash": self._get("/users/me/trash"),
            "POST /tasks/{task_id}/restore": lambda: ann.post(f"{others[0]}/restore"),
            "DELETE /rooms/{room_id}/trash/{task_id}": lambda: ann.delete(f"{room}/trash{others[1][6:]}"),
            "DELETE /users/{user_id}/trash/{task_id}": lambda: ann.delete(f"/users/me/trash/{self.personal['id']}"),
        }

    def _of_webhooks(self) -> dict[str, Request]:
        ann, webhooks = self.ann, f"/rooms/{self.room['id']}/webhooks"
        body = {"url": "https://hooks.example.org/"}
        webhook, other = (f"{webhooks}/{ann.post(webhooks, json=body).json()['id']}" for _ in range(2))
        return {
            "POST /rooms/{room_id}/webhooks": lambda: ann.post(webhooks, json=body),
            "GET /rooms/{room_id}/webhooks": self._get(webhooks),
            "GET /rooms/{room_id}/webhooks/{webhook_id}": self._get(webhook),
            "PATCH /rooms/{room_id}/webhooks/{webhook_id}": lambda: ann.patch(
                webhook, json={"events": ["task.created"]}
            ),
            "POST /rooms/{room_id}/webhooks/{webhook_id}/secret": lambda: ann.post(f"{webhook}/secret"),
            "POST /rooms/{room_id}/webhooks/{webhook_id}/resume": lambda: ann.post(f"{webhook}/resume"),
            "POST /rooms/{room_id}/webhooks/{webhook_id}/test": lambda: ann.post(f"{webhook}/test"),
            "POST /rooms/{room_id}/webhooks/{webhook_id}/replay": lambda: ann.post(
                f"{webhook}/replay", json={"from": 1, "to": 9}
            ),
            "GET /rooms/{room_id}/webhooks/{webhook_id}/deliveries": self._get(f"{webhook}/deliveries"),
            "DELETE /rooms/{room_id}/webhooks/{webhook_id}": lambda: ann.delete(other),
        }

    def _of_rooms(self) -> dict[str, Request]:
        ann, room = self.ann, f"/rooms/{self.room['id']}"
        dan = f"{room}/users/{self.dan.id}"
        return {
            "GET /rooms": self._get("/rooms"),
            "GET /rooms/{room_id}": self._get(room),
            "GET /rooms/{room_id}/users": self._get(f"{room}/users"),
            "GET /rooms/{room_id}/activity": self._get(f"{room}/activity"),
            "GET /rooms/{room_id}/changes": self._get(f"{room}/changes"),
            "POST /rooms": lambda: ann.post("/rooms", json={"name": "A"}),
            "PUT /rooms/{room_id}": lambda: ann.put(room, json={"name": "B"}),
            "PATCH /rooms/{room_id}": lambda: ann.patch(room, json={"name": "C"}),
            "POST /rooms/{room_id}/code": lambda: ann.post(f"{room}/code"),
            "POST /rooms/join": lambda: ann.post("/rooms/join", json={"code": self.other["code"]}),
            "POST /rooms/{room_id}/users": lambda: ann.post(f"{room}/users", json={"user_id": self.dan.id}),
            "POST /rooms/{room_id}/users, who is in a room with the caller": lambda: self.eve.post(
                f"/rooms/{self.eves['id']}/users", json={"user_id": self.dan.id}
            ),
            "PATCH /rooms/{room_id}/users/{user_id}": lambda: ann.patch(dan, json={"role": "viewer"}),
            "DELETE /rooms/{room_id}/users/{user_id}": lambda: ann.delete(dan),
            "DELETE /rooms/{room_id}": lambda: self.bob.delete(f"/rooms/{self.old['id']}"),
        }

    def _across(self) -> dict[str, Request]:
        keys = {"tasks": [self.tasks[0]["id"]], "rooms": [self.room["id"]], "users": [self.bob.id]}
        return {
            "GET /": lambda: self.ann.get("/", headers={"Cache-Control": "no-cache"}),
            "GET /, from the cache": self._get("/"),
            "GET /sync": self._get("/sync"),
            "POST /sync": lambda: self.ann.post("/sync", json={}),
            "POST /keys/resolve": lambda: self.ann.post("/keys/resolve", json=keys),
        }

    def _of_people(self) -> dict[str, Request]:
        number = itertools.count()

        def change(send: Callable[..., Response]) -> Request:
            return lambda: send("/users/me", json={"username": f"{self.cleo.username}-{next(number)}"})

        return {
            "POST /users": lambda: self._registered("/users"),
            "GET /users": self._get("/users"),
            "GET /users/{user_id}": self._get("/users/me"),
            "GET /users/{user_id}, somebody else": self._get(f"/users/{self.bob.id}"),
            "GET /users/{user_id}/export": self._get("/users/me/export"),
            "GET /users/{user_id}/activity": self._get("/users/me/activity"),
            "GET /users/{user_id}/changes": self._get("/users/me/changes"),
            "PUT /users/{user_id}": change(self.cleo.put),
            "PATCH /users/{user_id}": change(self.cleo.patch),
            "DELETE /users/{user_id}": lambda: self.cleo.delete("/users/me"),
        }

    def _of_sessions(self) -> dict[str, Request]:
        eve, anonymous = self.eve, self.product.anonymous
        password = "another correct horse"
        again = self._signed_in(eve)
        once_more = self._signed_in(eve)
        return {
            "POST /auth/register": lambda: self._registered("/auth/register"),
            "POST /auth/login": lambda: anonymous.post(
                "/auth/login", json={"username": eve.username, "password": eve.password}
            ),
            "POST /auth/refresh": lambda: anonymous.post("/auth/refresh", json={"refresh_token": eve.refresh_token}),
            "POST /auth/logout": lambda: anonymous.post("/auth/logout", json={"refresh_token": again}),
            "GET /auth/sessions": lambda: eve.get("/auth/sessions"),
            "DELETE /auth/sessions/{session_id}": lambda: eve.delete(f"/auth/sessions/{once_more.partition('.')[0]}"),
            "POST /auth/password": lambda: eve.post(
                "/auth/password", json={"current_password": eve.password, "new_password": password}
            ),
            "POST /auth/reauthenticate": lambda: eve.post("/auth/reauthenticate", json={"password": password}),
            "POST /auth/recovery/complete": lambda: anonymous.post(
                "/auth/recovery/complete",
                json={"token": self.product.recovery_token(self.bob.username), "new_password": password},
            ),
            "POST /live/tickets": lambda: eve.post("/live/tickets"),
            "DELETE /auth/sessions": lambda: eve.delete("/auth/sessions"),
            "GET /.well-known/jwks.json": lambda: anonymous.get("/.well-known/jwks.json"),
            "HEAD /.well-known/jwks.json": lambda: anonymous.request("HEAD", "/.well-known/jwks.json"),
        }

    def _registered(self, path: str) -> Response:
        body: dict[str, Any] = {"username": f"new-{path.rpartition('/')[2]}", "password": self.ann.password}
        return self.product.anonymous.post(path, json=body)

    def _signed_in(self, person: Person) -> str:
        """The refresh token of one more session."""
        return self.product.anonymous.sign_in(person.username, person.password).refresh_token

    def _get(self, path: str) -> Request:
        return lambda: self.ann.get(path)

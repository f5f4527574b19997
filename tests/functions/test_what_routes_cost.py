"""What each route asks of DynamoDB, against the table of docs/performance.md: neither may change without the other."""

import json
import re
from collections.abc import Callable

import pytest

from infrastructure.template import REPOSITORY
from tests.support.client import Answer
from tests.support.product import Product
from tests.support.spending import spending

PAGE = REPOSITORY / "docs" / "performance.md"
Request = Callable[[], Answer]
Row = tuple[str, ...]


class Team:
    """Ann's room with Bob and Cleo in it and with twelve tasks, six of them Ann's; and what each route is asked."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob, self.cleo, self.dan = map(product.register, ("ann", "bob", "cleo", "dan"))
        self.room = self.ann.open_room()
        self.bob.join(self.room)
        self.cleo.join(self.room)
        self.tasks = [
            self.ann.plan(room_id=self.room["id"], user_id=self.ann.id if number % 2 else self.bob.id)
            for number in range(12)
        ]
        self.ann.plan()
        other = self.bob.open_room()
        self.requests: dict[str, Request] = {
            "GET /tasks": self.get("/tasks"),
            "GET /tasks, one status": self.get("/tasks?status=pending"),
            "GET /rooms/{room_id}/tasks": self.get(f"/rooms/{self.room['id']}/tasks"),
            "GET /rooms/{room_id}/tasks, by deadline": self.get(f"/rooms/{self.room['id']}/tasks?sort=deadline"),
            "GET /rooms/{room_id}/tasks, one status": self.get(f"/rooms/{self.room['id']}/tasks?status=pending"),
            "GET /rooms/{room_id}/tasks, of one person": self.get(
                f"/rooms/{self.room['id']}/tasks?user_id={self.ann.id}"
            ),
            "GET /tasks/{task_id}": self.get(f"/tasks/{self.tasks[0]['id']}"),
            "POST /tasks": lambda: self.ann.post("/tasks", json={"title": "A", "room_id": self.room["id"]}),
            "PATCH /tasks/{task_id}": lambda: self.ann.patch(f"/tasks/{self.tasks[0]['id']}", json={"title": "B"}),
            "DELETE /tasks/{task_id}": lambda: self.ann.delete(f"/tasks/{self.tasks[1]['id']}"),
            "GET /rooms": self.get("/rooms"),
            "GET /rooms/{room_id}": self.get(f"/rooms/{self.room['id']}"),
            "GET /rooms/{room_id}/users": self.get(f"/rooms/{self.room['id']}/users"),
            "GET /rooms/{room_id}/activity": self.get(f"/rooms/{self.room['id']}/activity"),
            "POST /rooms": lambda: self.ann.post("/rooms", json={"name": "A"}),
            "PATCH /rooms/{room_id}": lambda: self.ann.patch(f"/rooms/{self.room['id']}", json={"name": "C"}),
            "POST /rooms/join": lambda: self.ann.post("/rooms/join", json={"code": other["code"]}),
            "POST /rooms/{room_id}/users": lambda: self.ann.post(
                f"/rooms/{self.room['id']}/users", json={"user_id": self.dan.id}
            ),
            "PATCH /rooms/{room_id}/users/{user_id}": lambda: self.ann.patch(
                f"/rooms/{self.room['id']}/users/{self.dan.id}", json={"role": "viewer"}
            ),
            "DELETE /rooms/{room_id}/users/{user_id}": lambda: self.ann.delete(
                f"/rooms/{self.room['id']}/users/{self.dan.id}"
            ),
            "GET /users": self.get("/users"),
            "GET /users/{user_id}": self.get("/users/me"),
            "GET /auth/sessions": self.get("/auth/sessions"),
            "GET /": lambda: self.ann.get("/", headers={"Cache-Control": "no-cache"}),
            "GET /, from the cache": self.get("/"),
            "POST /keys/resolve": lambda: self.ann.post(
                "/keys/resolve",
                json={"tasks": [self.tasks[0]["id"]], "rooms": [self.room["id"]], "users": [self.bob.id]},
            ),
        }

    def get(self, path: str) -> Request:
        return lambda: self.ann.get(path)


def test_each_route_costs_what_the_page_says(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    team = Team(product)
    product.aws.deploy(LogLevel="INFO")
    measured = []

    for name, request in team.requests.items():
        capsys.readouterr()
        with spending(product.aws) as spent:
            answer = request()
        assert answer.status < 300, answer
        [line] = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["event"] == "request"]
        calls = (line[name] - spent.shares for name in ("round_trips_in_sequence", "round_trips"))
        measured.append((f"`{name}`", *map(str, (*calls, spent.items, f"{spent.units:g}", spent.writes))))

    assert _written() == measured, "\n".join("| " + " | ".join(row) + " |" for row in measured)


def _written() -> list[Row]:
    text = PAGE.read_text(encoding="utf-8").partition("## What each route asks of DynamoDB")[2].partition("\n## ")[0]
    return [tuple(row.split(" | ")) for row in re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)]

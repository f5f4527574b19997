"""Dependencies that do not answer, and items that should not be there: 503 and 500, and nothing half-written."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.layers.http import calls
from tests.support import builders
from tests.support.aws import LOCK
from tests.support.client import Person, Response
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.stack import Stack
from tests.support.tables import change, drop

TABLES = ["UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable", "IdempotencyTable"]
COUNTERS = "RateLimitsTable"


class Scene:
    """Ann and Bob in a room with a task of Ann's, who also has a personal one."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann = product.register("ann")
        self.bob = product.register("bob")
        self.eve = product.register("eve")
        self.room = self.ann.open_room()
        self.bob.join(self.room)
        self.task = self.ann.plan(room_id=self.room["id"])
        self.personal = self.ann.plan()

    def __getitem__(self, name: str) -> str:
        """The paths that the requests below are written with."""
        return {
            "room": f"/rooms/{self.room['id']}",
            "task": f"/tasks/{self.task['id']}",
            "personal": f"/tasks/{self.personal['id']}",
        }[name]

    def state(self, without: str) -> list[Any]:
        """What the other tables hold."""
        return [sorted(self.product.items(table), key=repr) for table in TABLES if table != without]


Call = Callable[[Scene], Response]


def _credentials(person: Person) -> dict[str, str]:
    return {"username": person.username, "password": person.password}


SIGNING_IN: dict[str, Call] = {
    "POST /auth/register": lambda s: s.product.anonymous.post("/auth/register", json=builders.person()),
    "POST /auth/login": lambda s: s.product.anonymous.post("/auth/login", json=_credentials(s.ann)),
    "POST /auth/refresh": lambda s: s.product.anonymous.post(
        "/auth/refresh", json={"refresh_token": s.ann.refresh_token}
    ),
}
LOGGING_OUT: dict[str, Call] = {
    "POST /auth/logout": lambda s: s.product.anonymous.post(
        "/auth/logout", json={"refresh_token": s.ann.refresh_token}
    ),
}
MAKING_USERS: dict[str, Call] = {
    "POST /users": lambda s: s.product.anonymous.post("/users", json=builders.person()),
}
ROOMS: dict[str, Call] = {
    "POST /rooms": lambda s: s.ann.post("/rooms", json={}),
    "GET /rooms": lambda s: s.ann.get("/rooms"),
    "GET /rooms/{room_id}": lambda s: s.ann.get(s["room"]),
    "PUT /rooms/{room_id}": lambda s: s.ann.put(s["room"], json={"name": "x"}),
    "PATCH /rooms/{room_id}": lambda s: s.ann.patch(s["room"], json={"name": "x"}),
    "DELETE /rooms/{room_id}": lambda s: s.ann.delete(s["room"]),
    "POST /rooms/{room_id}/code": lambda s: s.ann.post(s["room"] + "/code"),
    "POST /rooms/join": lambda s: s.eve.post("/rooms/join", json={"code": s.room["code"]}),
    "GET /rooms/{room_id}/users": lambda s: s.ann.get(s["room"] + "/users"),
    "POST /rooms/{room_id}/users": lambda s: s.ann.post(s["room"] + "/users", json={"user_id": s.eve.id}),
    "PATCH /rooms/{room_id}/users/{user_id}": lambda s: s.ann.patch(
        f"{s['room']}/users/{s.bob.id}", json={"role": "viewer"}
    ),
    "DELETE /rooms/{room_id}/users/{user_id}": lambda s: s.bob.delete(f"{s['room']}/users/{s.bob.id}"),
    "GET /rooms/{room_id}/tasks": lambda s: s.ann.get(s["room"] + "/tasks"),
    "GET /users": lambda s: s.ann.get("/users"),
    "GET /users/{user_id}": lambda s: s.ann.get(f"/users/{s.bob.id}"),
}
TASKS_IN_ROOMS: dict[str, Call] = {
    "POST /tasks": lambda s: s.ann.post("/tasks", json=builders.task(room_id=s.room["id"], user_id=s.bob.id)),
    "GET /tasks": lambda s: s.ann.get("/tasks"),
    "GET /tasks/{task_id}": lambda s: s.ann.get(s["task"]),
    "PUT /tasks/{task_id}": lambda s: s.ann.put(s["task"], json={"title": "x"}),
    "PATCH /tasks/{task_id}": lambda s: s.ann.patch(s["task"], json={"title": "x"}),
    "POST /tasks/{task_id}/move": lambda s: s.ann.post(s["task"] + "/move", json={"after": None}),
    "DELETE /tasks/{task_id}": lambda s: s.ann.delete(s["task"]),
    "POST /tasks/{task_id}/restore": lambda s: s.ann.post(s["task"] + "/restore"),
    "GET /rooms/{room_id}/trash": lambda s: s.ann.get(s["room"] + "/trash"),
    "DELETE /rooms/{room_id}/trash/{task_id}": lambda s: s.ann.delete(f"{s['room']}/trash/{s.task['id']}"),
    "GET /rooms/{room_id}/tasks": ROOMS["GET /rooms/{room_id}/tasks"],
}
PERSONAL_TASKS: dict[str, Call] = {
    "POST /tasks (personal)": lambda s: s.ann.post("/tasks", json=builders.task()),
    "PATCH /tasks/{task_id} (personal)": lambda s: s.ann.patch(s["personal"], json={"title": "x"}),
    "GET /users/{user_id}/trash": lambda s: s.ann.get("/users/me/trash"),
    "DELETE /users/{user_id}/trash/{task_id}": lambda s: s.ann.delete(f"/users/me/trash/{s.personal['id']}"),
}


def keyed(s: Scene) -> Response:
    return s.ann.post("/tasks", json=builders.task(), headers={"Idempotency-Key": "once"})


# Public routes answer by themselves; all others are answered by the gateway when the authorizer cannot look.
NEEDS: dict[str, dict[str, Call]] = {
    "UsersTable": {**SIGNING_IN, **MAKING_USERS},
    "SessionsTable": {**SIGNING_IN, **LOGGING_OUT},
    "RoomsTable": {**ROOMS, **TASKS_IN_ROOMS},
    "TasksTableV2": {**TASKS_IN_ROOMS, **PERSONAL_TASKS},
    "IdempotencyTable": {"POST /tasks (keyed)": keyed},
}


def test_every_route_of_tasks_needs_their_table() -> None:
    routes = {f"{event['Method'].upper()} {event['Path']}" for event in Stack().events("TasksFunction", "Api")}

    assert {name.partition(" (")[0] for name in NEEDS["TasksTableV2"]} == {
        route for route in routes if not route.startswith("OPTIONS")
    }


@pytest.mark.parametrize("table", TABLES)
def test_an_unavailable_table_is_a_503_and_nothing_is_half_written(product: Product, table: str) -> None:
    scene = Scene(product)
    before = scene.state(without=table)
    drop(product.aws, table)

    for name, request in NEEDS[table].items():
        response = request(scene)
        assert response.status == 503, (name, response)
        problem(response, 503, "dependency_failed")
        assert "Table" not in response.text, "nothing is said of what failed"

    assert scene.state(without=table) == before


@pytest.mark.parametrize("table", ["UsersTable", "SessionsTable"])
def test_nobody_is_authorized_while_the_caller_cannot_be_identified(product: Product, table: str) -> None:
    scene = Scene(product)
    before = scene.state(without=table)
    drop(product.aws, table)

    for route in calls.WITH_TOKEN:
        problem(calls.call(scene.ann, route), 503, "dependency_failed")

    assert scene.state(without=table) == before


@pytest.mark.parametrize("secret", ["SigningSecret", "PepperSecret"])
def test_an_unreadable_secret_is_a_503_and_nobody_is_registered(product: Product, secret: str) -> None:
    _delete_secret(product, secret)

    problem(product.anonymous.post("/auth/register", json=builders.person()), 503, "dependency_failed")

    assert sessions(product) == []
    assert product.items("UsersTable") == []


def test_a_failed_sign_in_stores_no_session(product: Product) -> None:
    body = builders.person()
    # Made without a token, so that nothing has been signed yet.
    assert product.anonymous.post("/users", json=body).status == 201
    _delete_secret(product, "SigningSecret")

    response = product.anonymous.post("/auth/login", json={name: body[name] for name in ("username", "password")})

    problem(response, 503, "dependency_failed")
    assert sessions(product) == []


def test_an_unreadable_cursor_secret_is_a_503(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(2):
        ann.open_room()
    _delete_secret(product, "HttpSecret")

    problem(ann.get("/rooms", params={"limit": 1}), 503, "dependency_failed")
    assert ann.get("/rooms").status == 200


def sessions(product: Product) -> list[Any]:
    return [item for item in product.items("SessionsTable") if item["kind"] == "session"]


def _delete_secret(product: Product, secret: str) -> None:
    with LOCK:
        client = boto3.client("secretsmanager")
        client.delete_secret(SecretId=product.aws.stack.arns[secret], ForceDeleteWithoutRecovery=True)


CORRUPT = {
    "GET /users/me": ("UsersTable", {"created_at": "not a time"}),
    "GET /tasks": ("TasksTableV2", {"status": "lost"}),
    "GET /rooms": ("RoomsTable", {"role": "emperor"}),
}


@pytest.mark.parametrize("request_line", CORRUPT)
def test_an_internal_error_is_a_500_without_details(
    product: Product, request_line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    table, damage = CORRUPT[request_line]
    for item in product.items(table):
        if item.get("kind") in ("user", "membership", "task") or item.get("title") == task["title"]:
            change(product.aws, table, {name: item[name] for name in _key(product, table)}, **damage)

    response = ann.get(request_line.removeprefix("GET "))

    document = problem(response, 500, "internal_error")
    assert document["title"] == "Internal Server Error"
    for word in ("not a time", "lost", "emperor", "Error:", "Traceback", ".py"):
        assert word not in response.text.replace("Internal Server Error", "")
    [line] = [
        line for line in capsys.readouterr().out.splitlines() if document["request_id"] in line and "trace" in line
    ]
    assert "not a time" not in line
    assert json.loads(line)["level"] == "ERROR"


def _key(product: Product, table: str) -> list[str]:
    schema = product.aws.stack.of_type("AWS::DynamoDB::Table")[table]["KeySchema"]
    return [key["AttributeName"] for key in schema]

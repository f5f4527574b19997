"""What each request of a typical mix takes of everything that AWS has a price for.

The product runs in process (``tests/support``). Counted are capacity units, calls of functions, bytes that are answered
and logged, those included that the functions behind the streams cause; times are not.
"""

import contextlib
import gzip
import importlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from authorizer import store
from tests.support.aws import Aws, environment
from tests.support.client import Response
from tests.support.function_calls import call
from tests.support.gateway import start_cold
from tests.support.product import Product
from tests.support.request_costs import RequestCosts, measured_costs
from tests.support.tasks_table import size_of

Json = dict[str, Any]
Request = Callable[[], Response]

_PEOPLE = 8
_TASKS = 50
_TASK = {
    "description": "Ask three suppliers, and compare.",
    "deadline": "2027-01-31T12:00:00Z",
    "priority": "high",
}

# What Lambda writes for each call by itself (``platform.start``, ``platform.report``), in bytes, and what CloudWatch
# adds to each line.
_OF_PLATFORM = 600
_OF_LINE = 26

# An entry of an index has some bytes more than the item.
_OF_ENTRY = 100


# What the variables of the gateway's access log stand for, at their usual lengths.
_OF_ACCESS = {
    "requestId": "8f1f2c1e-6f0a-4f7e-9a43-0c6d2a1b7e55",
    "httpMethod": "GET",
    "resourcePath": "/rooms/{room_id}/tasks",
    "status": "200",
    "identity.sourceIp": "203.0.113.10",
    "authorizer.user_id": "usr_0190c8e27b5e7c3e9a430c6d2a1b7e55",
    "responseLength": "2500",
    "responseLatency": "25",
    "integrationStatus": "200",
    "authorizer.status": "200",
    "error.responseType": "-",
}


@dataclass(frozen=True)
class Line:
    """One line that a function wrote."""

    text: str
    fields: Json


@dataclass
class Written:
    """Lines that functions wrote while something was measured."""

    text: io.StringIO

    def of(self, authorizer: bool) -> list[Line]:
        lines = [Line(text, json.loads(text)) for text in self.text.getvalue().splitlines()]
        return [line for line in lines if line.fields["event"].startswith("access ") == authorizer]


class Team:
    """Eight people in a room of fifty tasks, each with another room; and Ann, who asks."""

    def __init__(self, aws: Aws) -> None:
        self.product = product = Product(aws)
        self.ann, self.bob, *others = [product.register("person") for _ in range(_PEOPLE)]
        self.room = self.ann.open_room()
        for person in (self.bob, *others):
            person.join(self.room)
        self.tasks = [
            self.ann.plan(room_id=self.room["id"], user_id=(self.ann, self.bob)[number % 2].id, **_TASK)
            for number in range(_TASKS)
        ]
        self.ann.open_room()
        self.new = product.register("person")
        self.others_room = self.bob.open_room()
        product.deliver()

    def requests(self) -> dict[str, Request]:
        """By what the mix calls them. In this order each is answered."""
        ann, room, task = self.ann, f"/rooms/{self.room['id']}", f"/tasks/{self.tasks[0]['id']}"
        members = f"{room}/users"
        reads: dict[str, Request] = {
            "GET /": lambda: ann.get("/", headers={"Cache-Control": "no-cache"}),
            "GET /tasks": lambda: ann.get("/tasks"),
            "GET /tasks, one status": lambda: ann.get("/tasks?status=pending"),
            "GET /tasks/{task_id}": lambda: ann.get(task),
            "GET /rooms": lambda: ann.get("/rooms"),
            "GET /rooms/{room_id}": lambda: ann.get(room),
            "GET /rooms/{room_id}/tasks": lambda: ann.get(f"{room}/tasks"),
            "GET /rooms/{room_id}/tasks, one status": lambda: ann.get(f"{room}/tasks?status=pending"),
            "GET /rooms/{room_id}/tasks, of one person": lambda: ann.get(f"{room}/tasks?user_id={ann.id}"),
            "GET /rooms/{room_id}/tasks, in manual order": lambda: ann.get(f"{room}/tasks?sort=rank"),
            "GET /rooms/{room_id}/users": lambda: ann.get(members),
            "GET /rooms/{room_id}/activity": lambda: ann.get(f"{room}/activity"),
            "GET /users/{user_id}": lambda: ann.get("/users/me"),
            "POST /keys/resolve": lambda: ann.post(
                "/keys/resolve", json={"tasks": [each["id"] for each in self.tasks[:5]], "users": [self.bob.id]}
            ),
        }
        new = {"title": "Order", "room_id": self.room["id"], **_TASK}
        deleted = f"/tasks/{self.tasks[1]['id']}"
        changes: dict[str, Request] = {
            "POST /tasks": lambda: _once(ann.post, "/tasks", {**new, "user_id": ann.id}),
            "POST /tasks, for two people": lambda: ann.post(
                "/tasks", json={**new, "assignee_ids": [ann.id, self.bob.id]}, headers={"Idempotency-Key": "for two"}
            ),
            "POST /tasks/{task_id}/move": lambda: ann.post(f"{task}/move", json={"after": self.tasks[9]["id"]}),
            "PATCH /tasks/{task_id}": lambda: ann.patch(task, json={"status": "completed"}),
            "DELETE /tasks/{task_id}": lambda: ann.delete(deleted),
            "GET /rooms/{room_id}/trash": lambda: ann.get(f"{room}/trash"),
            "POST /tasks/{task_id}/restore": lambda: ann.post(f"{deleted}/restore"),
            "POST /rooms": lambda: _once(ann.post, "/rooms", {"name": "Office"}),
            "POST /rooms/join": lambda: _once(ann.post, "/rooms/join", {"code": self.others_room["code"]}),
            "PATCH /rooms/{room_id}": lambda: ann.patch(room, json={"name": "Office"}),
            "POST /rooms/{room_id}/users": lambda: _once(ann.post, members, {"user_id": self.new.id}),
            "PATCH /rooms/{room_id}/users/{user_id}": lambda: ann.patch(
                f"{members}/{self.new.id}", json={"role": "viewer"}
            ),
            "DELETE /rooms/{room_id}/users/{user_id}": lambda: ann.delete(f"{members}/{self.new.id}"),
            "PATCH /users/{user_id}": lambda: ann.patch("/users/me", json={"email": "ann@example.org"}),
        }
        return reads | changes | self._sign_ins()

    def _sign_ins(self) -> dict[str, Request]:
        anonymous, new = self.product.anonymous, self.new
        return {
            "POST /auth/refresh": lambda: anonymous.post("/auth/refresh", json={"refresh_token": new.refresh_token}),
            "POST /auth/login": lambda: anonymous.post(
                "/auth/login", json={"username": new.username, "password": new.password}
            ),
            "POST /auth/register": lambda: anonymous.post(
                "/auth/register", json={"username": "somebody-else", "password": new.password}
            ),
        }


def _once(send: Callable[..., Response], path: str, body: Json) -> Response:
    return send(path, json=body, headers={"Idempotency-Key": f"key-of-{path}"})


def counted() -> Json:
    """What each request of the mix takes, what a call of the authorizer and a sweep do, what it takes that a sweep
    deletes a task from the trash, and what is stored."""
    aws = Aws()
    with environment(aws.stack.all_variables()):
        team = Team(aws)
        stored = _stored(aws)
        aws.deploy(LogLevel="INFO")
        least = int(aws.stack.resources["Api"]["Properties"]["MinimumCompressionSize"])
        requests = team.requests()
        return {
            "authorizer": _of_authorizer(aws, requests["GET /users/{user_id}"]),
            "routes": {name: _of_request(aws, team.product, requests[name], least) for name in requests},
            "sweep": _of_sweep(aws),
            "purge": _of_purge(aws, team),
            "access": len(_access_line(aws)) + _OF_LINE,
            "stored": stored,
        }


def _of_request(aws: Aws, product: Product, request: Request, least: int) -> Json:
    for properties in aws.stack.functions.values():
        start_cold(properties["Handler"])
        _warm(properties["Handler"])
    with _written() as written, measured_costs(aws, leases=True) as costs:
        response = request()
    if response.status >= 300:
        raise RuntimeError(str(response))
    [line] = [line.fields for line in written.of(authorizer=False) if line.fields["event"] == "request"]
    [function] = [r.function for r in product.gateway.routes if (r.method, r.path) == (line["method"], line["route"])]
    return {
        "memory": int(aws.stack.resolve(_memory(aws, function))),
        "in_sequence": line["round_trips_in_sequence"],
        **_units(costs),
        "answered": _on_the_wire(response, least),
        "logged": _logged(written.of(authorizer=False), 1),
        "token": bool(line["user_id"]),
        "route": f"{line['method']} {line['route']}",
        "metrics": _metrics(line),
        "behind": _behind(aws, product),
    }


def _warm(handler: str) -> None:
    """Let a function's container have been used before: the line of its first request is longer."""
    api = getattr(importlib.import_module(handler.rpartition(".")[0]), "api", None)
    if api is not None:
        api._cold = False  # noqa: SLF001  # it has no other way to be told, and needs none


def _behind(aws: Aws, product: Product) -> Json:
    """What functions behind the streams do then."""
    before = len(aws.permissions.calls)
    with _written() as written, measured_costs(aws) as costs:
        deliveries = product.deliver()
    return {
        "calls": len(deliveries),
        "in_sequence": len(aws.permissions.calls) - before,
        **_units(costs),
        "logged": _logged(written.of(authorizer=False), len(deliveries)),
        "metrics": {
            line.fields["function"]: _metrics(line.fields)
            for line in written.of(authorizer=False)
            if "function" in line.fields
        },
    }


def _of_sweep(aws: Aws) -> Json:
    """A sweep that finds nothing."""
    with _written() as written, measured_costs(aws) as costs:
        call(aws, "SweeperFunction", {})
    lines = written.of(authorizer=False)
    return {
        "memory": int(aws.stack.resolve(_memory(aws, "SweeperFunction"))),
        "in_sequence": sum(line.fields["round_trips"] for line in lines),
        **_units(costs),
        "logged": _logged(lines, 1),
        "metrics": sum(_metrics(line.fields).get("kind", 0) for line in lines),
    }


def _of_purge(aws: Aws, team: Team) -> Json:
    """What a sweep takes that finds a task in the trash, beside one that finds nothing."""
    team.ann.delete(f"/tasks/{team.tasks[2]['id']}")
    team.product.deliver()
    without = _of_sweep(aws)
    aws.deploy(LogLevel="INFO", TrashDays="0")
    found = _of_sweep(aws)
    further = {name: found[name] - without[name] for name in ("in_sequence", "reads", "writes", "logged", "metrics")}
    return {"memory": found["memory"], **further, "behind": _behind(aws, team.product)}


def _metrics(fields: Json) -> dict[str, int]:
    """How many metrics a line adds to, by the dimensions that tell them apart; cold starts are reckoned apart."""
    found: Counter[str] = Counter()
    for directive in fields.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            found[", ".join(names)] += sum(metric["Name"] != "cold_starts" for metric in directive["Metrics"])
    return {dimensions: number for dimensions, number in found.items() if number}


def _access_line(aws: Aws) -> str:
    """What the gateway logs of a request where that is switched on."""
    _, settings, _ = aws.stack.resources["Api"]["Properties"]["AccessLogSetting"]["Fn::If"]
    return re.sub(r"\$context\.([\w.]+)", lambda found: _OF_ACCESS[found[1]], settings["Format"])


def _of_authorizer(aws: Aws, request: Request) -> Json:
    client = store._client()  # noqa: SLF001  # it has no other way to be listened to, and needs none
    with _written(), measured_costs(aws) as without:
        request()
    with _written() as written, measured_costs(aws, also=[client]) as costs:
        request()
    return {
        "memory": int(aws.stack.resolve(_memory(aws, "AuthorizerFunction"))),
        "in_sequence": 1,
        "reads": costs.units - without.units,
        "logged": _logged(written.of(authorizer=True), 1),
    }


def _units(costs: RequestCosts) -> Json:
    return {"reads": costs.units, "writes": costs.write_units.total()}


def _memory(aws: Aws, function: str) -> Any:
    common = aws.stack.template["Globals"]["Function"]["MemorySize"]
    return aws.stack.functions[function].get("MemorySize", common)


def _on_the_wire(response: Response, least: int) -> int:
    """Bytes, as the gateway sends them to who takes them compressed, without those of TLS."""
    body = response.text.encode()
    if len(body) >= least and "content-encoding" not in response.headers:
        body = gzip.compress(body, 6, mtime=0)
    return len(body) + sum(len(name) + len(value) + 4 for name, value in response.headers.items())


def _logged(lines: list[Line], calls: int) -> int:
    return calls * _OF_PLATFORM + sum(len(line.text) + _OF_LINE for line in lines)


def _stored(aws: Aws) -> Json:
    """Bytes of a task with its entries in indexes, of an entry of a change log with its share of heads and markers, and
    of all else of a person."""
    sizes, tasks, entries = {}, 0, 0
    for table, properties in aws.stack.of_type("AWS::DynamoDB::Table").items():
        items = aws.dynamodb.scan(TableName=table)["Items"]
        sizes[table] = [_with_entries(properties, item) for item in items]
        tasks += sum("title" in item for item in items)
        entries += sum("entry_id" in item for item in items)
    kept = sum(sum(sizes[table]) for table in ("UsersTable", "RoomsTable", "SessionsTable"))
    return {
        "task": round(sum(sizes["TasksTableV2"]) / tasks),
        "entry": round(sum(sizes["LogTable"]) / entries),
        "person": round(kept / (_PEOPLE + 1)),
    }


def _with_entries(properties: Json, item: Json) -> int:
    indexes = [*properties.get("LocalSecondaryIndexes", []), *properties.get("GlobalSecondaryIndexes", [])]
    entries = [item]
    for index in indexes:
        if all(key["AttributeName"] in item for key in index["KeySchema"]):
            keys = {key["AttributeName"] for key in [*properties["KeySchema"], *index["KeySchema"]]}
            everything = index["Projection"]["ProjectionType"] == "ALL"
            entries.append(item if everything else {name: item[name] for name in keys})
    return sum(size_of(entry) + _OF_ENTRY for entry in entries)


@contextlib.contextmanager
def _written() -> Iterator[Written]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        yield Written(text)

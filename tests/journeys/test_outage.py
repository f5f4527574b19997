"""DynamoDB out of reach of the functions: everything says so, in time, and all is well again when it is back."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infrastructure.local.stack import LocalStack
from tasksync.observability.probes import AGE_SECONDS
from tests.functions.authorization.policies import POLICIES, Line
from tests.journeys.service import PARAMETERS, eventually
from tests.support import builders
from tests.support.client import Client, Person, Response
from tests.support.network_proxy import NetworkProxy, Outage
from tests.support.problems import problem

# As the response calls them.
TABLES = {"users", "rooms", "tasks", "sessions", "idempotency", "live", "log", "webhooks", "rate_limits"}

# A response is given again for ten seconds; a look takes a second and a half at most. The rest is for a busy machine.
NOTICED_SECONDS = AGE_SECONDS + 20
# The same: 3 s are wanted. Whoever asked a table as requests do, with attempts and pauses, would be waiting for 12 s.
ANSWERED_SECONDS = 8


# Those that are carried out, or refused after a look at the tables.
ONE_LINE_FOR_EACH_ROUTE = {
    line.route: line
    for line in reversed(POLICIES)
    if isinstance(line, Line) and line.admin in {200, 201, 202, 204, 409}
}


def asked(person: Person, line: Line, names: dict[str, str]) -> Response:
    """The response to the request of a line, with these names in its path and body."""
    body = {"rooms": ["{room_id}"]} if line.route == "POST /keys/resolve" else line.json

    def filled(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text)

    options = {} if body is None else {"json": json.loads(filled(json.dumps(body)))}
    return person.request(line.method, filled(line.path), **options)


class Service:
    """A stack whose functions reach DynamoDB over a cable that can be cut."""

    def __init__(self, data: Path) -> None:
        self.cable = NetworkProxy(lambda: self._stack.aws_port)
        parameters = {**PARAMETERS, "AuthorizerCacheSeconds": "300"}
        self._stack = LocalStack(0, data, parameters, dynamodb_endpoint=self.cable.url)
        self.anonymous = Client.over_http(self._stack.start().api_url)

    def stop(self) -> None:
        self.anonymous.connection.close()
        self._stack.stop()
        self.cable.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ann(service: Service) -> Person:
    return service.anonymous.register("ann")


def health(service: Service) -> Response:
    """Asked for, and answered in time."""
    started = time.monotonic()
    response = service.anonymous.get("/health")
    assert time.monotonic() - started < ANSWERED_SECONDS
    return response


@pytest.mark.parametrize("outage", Outage)
def test_the_health_check_responds_in_time(service: Service, outage: Outage) -> None:
    assert health(service).status == 200

    with service.cable.cut(outage):
        noticed = eventually(lambda: health(service).status == 503, NOTICED_SECONDS)
        checks = health(service).json()["checks"]

    assert noticed
    assert {name for name, state in checks.items() if state == "failed"} == TABLES
    assert eventually(lambda: health(service).status == 200, NOTICED_SECONDS)


def test_every_route_reports_an_outage_and_serves_again_afterwards(service: Service, ann: Person) -> None:
    bob = service.anonymous.register("bob")
    room, task = ann.open_room(), ann.plan()
    hook = ann.post(f"/rooms/{room['id']}/webhooks", json={"url": "https://hooks.example.org/"}).json()
    names = {
        "room_id": room["id"],
        "code": room["code"],
        "task_id": task["id"],
        "viewers_task_id": ann.plan(room_id=room["id"])["id"],
        "trashed_task_id": ann.plan(room_id=room["id"])["id"],
        "own_trashed_task_id": task["id"],
        "webhook_id": hook["id"],
        "session_id": f"ses_{'0' * 32}",
        "user_id": ann.id,
        "caller_id": ann.id,
        "newcomer_id": ann.id,
        "own_session_id": f"ses_{'0' * 32}",
        "new_name": "ann again",
        "password": ann.password,
    }
    credentials = {"username": ann.username, "password": ann.password}
    # Known to the gateway from now on, so that it is the functions that find nobody to ask.
    assert ann.get("/").status == 200

    with service.cable.cut(Outage.REFUSING), ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda line: asked(ann, line, names), ONE_LINE_FOR_EACH_ROUTE.values()))
        responses += [
            service.anonymous.post("/auth/login", json=credentials),
            service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}),
            service.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}),
            service.anonymous.post("/auth/register", json=builders.person()),
            service.anonymous.post("/users", json=builders.person()),
            # Not known to the gateway: here the authorizer finds nobody to ask.
            bob.get("/users/me"),
        ]

    for response in responses:
        problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
    # How many tasks it has is counted behind the stream.
    assert {**ann.get(f"/rooms/{room['id']}").json(), "tasks": room["tasks"]} == room
    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert ann.get(f"/rooms/{room['id']}/webhooks/{hook['id']}").json()["url"] == hook["url"]
    assert service.anonymous.post("/auth/login", json=credentials).status == 200


def test_a_silent_database_times_out_before_the_gateway(service: Service, ann: Person) -> None:
    with service.cable.cut(Outage.SILENT):
        responses = [
            ann.get("/rooms"),
            service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}),
        ]

    for response in responses:
        problem(response, 503)
    assert ann.get("/rooms").status == 200

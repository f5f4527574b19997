"""The client that docs/guides/integrate.md shows, and README.md's own first requests, as they stand there."""

import json
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tasksync.security.access_tokens import CLOCK_SKEW_SECONDS
from tests.journeys.service import Service
from tests.journeys.test_concurrent_limits import throttled
from tests.support import builders
from tests.support.client import Person
from tests.support.documents import blocks, defined

UNKNOWN = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "outcome_unknown"}


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What the page defines."""
    return defined("docs/guides/integrate.md", "python client")


class Relay:
    """Between a client and the service. What it passes on it notes; answers may get lost on it.

    ``faults``: for the next requests, one for each: "lost" breaks the connection instead of passing the response, and
    "unknown" answers 503 in place of it.
    """

    def __init__(self, url: str) -> None:
        self.faults: list[str] = []
        self.passed: list[tuple[str, str, str, int]] = []
        relay = self
        behind = httpx.Client(base_url=url, timeout=30, trust_env=False)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                sent = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                response = behind.request(self.command, self.path, content=body, headers=sent)
                key, path = self.headers["Idempotency-Key"], self.path.partition("?")[0]
                relay.passed.append((self.command, path, key, response.status_code))
                fault = relay.faults.pop(0) if relay.faults else ""
                if fault == "lost":
                    self.close_connection = True
                    return
                status, content = response.status_code, response.content
                kept = {name: response.headers[name] for name in ("ETag", "Retry-After") if name in response.headers}
                if fault == "unknown":
                    status, content, kept = 503, json.dumps(UNKNOWN).encode(), {"Retry-After": "1"}
                self.send_response(status)
                for name, value in {**kept, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = pass_on  # noqa: N815  # http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._behind = behind
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._behind.close()

    def statuses(self, method: str, path: str) -> list[int]:
        return [status for sent, asked, _, status in self.passed if (sent, asked) == (method, path)]

    def keys(self, method: str, path: str) -> set[str]:
        return {key for sent, asked, key, _ in self.passed if (sent, asked) == (method, path)}


@pytest.fixture
def relay(service: Service) -> Iterator[Relay]:
    running = Relay(service.addresses.api_url)
    yield running
    running.close()


@contextmanager
def signed_in(shown: dict[str, Any], relay: Relay, person: Person) -> Iterator[Any]:
    client = shown["TaskSync"](relay.url, person.username, person.password)
    with closing(client.http):
        client.sign_in()
        yield client


def test_the_client_refreshes_an_expired_token_and_signs_in_after_its_session_ended(
    service: Service, shown: dict[str, Any], relay: Relay
) -> None:
    person = service.register("ann")
    with signed_in(shown, relay, person) as client:
        with service.configured("AuthFunction", ACCESS_TOKEN_SECONDS="1"):
            client.sign_in()
        # Clocks may differ by so much.
        time.sleep(CLOCK_SKEW_SECONDS + 2.1)
        relay.passed.clear()

        assert client.request("POST", "/rooms", json={"name": "Office move"}).status_code == 201

        assert relay.statuses("POST", "/rooms") == [401, 201]
        assert len(relay.keys("POST", "/rooms")) == 1
        assert relay.statuses("POST", "/auth/refresh") == [200]

        ended = service.anonymous.post("/auth/logout", json={"refresh_token": client.tokens["refresh_token"]})
        assert ended.status == 204
        assert client.request("GET", "/users/me").json()["username"] == person.username
        assert relay.statuses("POST", "/auth/login") == [200]

        # Nothing is good any more, the refresh token neither.
        service.anonymous.post("/auth/logout", json={"refresh_token": client.tokens["refresh_token"]})
        client.refresh()
        assert relay.statuses("POST", "/auth/refresh") == [200, 401]
        assert client.request("GET", "/users/me").status_code == 200


def test_the_client_decides_again_after_a_version_conflict(
    service: Service, shown: dict[str, Any], relay: Relay
) -> None:
    person = service.register("ann")
    task = person.plan(title="Order the desks")
    path = f"/tasks/{task['id']}"
    seen: list[str] = []

    def decide(current: dict[str, Any]) -> dict[str, Any]:
        if not seen:
            assert person.patch(path, json={"title": "Order the chairs"}).status == 200
        seen.append(current["title"])
        return {"title": current["title"] + " today"}

    with signed_in(shown, relay, person) as client:
        changed = client.change(path, decide)

    assert seen == ["Order the desks", "Order the chairs"]
    assert changed["title"] == "Order the chairs today"
    assert relay.statuses("PATCH", path) == [412, 200]
    assert len(relay.keys("PATCH", path)) == 2


def test_the_client_waits_as_long_as_a_429_says(service: Service, shown: dict[str, Any], relay: Relay) -> None:
    person = service.register("ann")
    with signed_in(shown, relay, person) as client:
        relay.passed.clear()
        with throttled(service, "POST /auth/login", rate=1, burst=1):
            before = time.monotonic()
            for _ in range(3):
                client.sign_in()

    assert 429 in relay.statuses("POST", "/auth/login")
    assert relay.statuses("POST", "/auth/login").count(200) == 3
    assert time.monotonic() - before >= 1


@pytest.mark.parametrize("fault", ["lost", "unknown"])
def test_requests_retried_by_the_client_are_carried_out_once(
    service: Service, shown: dict[str, Any], relay: Relay, fault: str
) -> None:
    person = service.register("ann")
    with signed_in(shown, relay, person) as client:
        relay.passed.clear()
        relay.faults = [fault, fault]
        created = client.request("POST", "/tasks", json={"title": "Order the desks"}).json()
        relay.faults = [fault]
        client.refresh()

        assert relay.statuses("POST", "/tasks") == [201, 201, 201]
        assert len(relay.keys("POST", "/tasks")) == 1
        assert [task["id"] for task in person.list("/tasks")] == [created["id"]]
        assert relay.statuses("POST", "/auth/refresh") == [200, 200]
        assert client.request("GET", "/users/me").status_code == 200


def test_the_client_does_not_retry_permanent_errors(service: Service, shown: dict[str, Any], relay: Relay) -> None:
    with signed_in(shown, relay, service.register("ann")) as client:
        with pytest.raises(shown["Problem"]) as refused:
            client.request("POST", "/tasks", json={})
        assert (refused.value.status, refused.value.code) == (422, "validation_failed")
        assert relay.statuses("POST", "/tasks") == [422]


def test_the_client_reads_a_long_list_to_its_end(service: Service, shown: dict[str, Any], relay: Relay) -> None:
    person = service.register("ann")
    room = person.open_room()
    for number in range(5):
        person.plan(title=f"Task {number}", room_id=room["id"])
    path = f"/rooms/{room['id']}/tasks"
    with signed_in(shown, relay, person) as client:
        assert [task["title"] for task in client.items(path, limit=2)] == [f"Task {number}" for number in range(5)]
    assert relay.statuses("GET", path) == [200, 200, 200]


def test_the_usage_example_of_the_page_works(service: Service, shown: dict[str, Any]) -> None:
    [source] = blocks("docs/guides/integrate.md", "python use")
    name = builders.person("eve")["username"]
    written = source.replace("http://127.0.0.1:8000", service.addresses.api_url).replace('"eve"', json.dumps(name))
    assert written.count(name) == 1
    names = dict(shown)
    exec(compile(written, "docs/guides/integrate.md", "exec"), names)  # noqa: S102  # the example under test
    titles = [task["title"] for task in names["client"].items(f"/rooms/{names['room']['id']}/tasks")]
    names["client"].http.close()
    assert titles == [f"{title}, by Friday" for title in ("Measure the rooms", "Order the desks", "Hire a van")]


def test_the_first_requests_of_the_readme_work(service: Service) -> None:
    """Each curl line as it stands, but for the address, the name, and what the response before it gave."""
    name = builders.person("ann")["username"]
    lines = [
        line
        for block in blocks("README.md", "sh")
        for line in re.sub(r"\\\n\s*", "", block).splitlines()
        if line.startswith("curl ")
    ]
    token, room, responses = "", "", []
    for line in lines:
        written = line.replace("http://127.0.0.1:8000", service.addresses.api_url).replace('"ann"', json.dumps(name))
        words = shlex.split(written.replace("$TOKEN", token).replace("room_…", room))
        done = subprocess.run([*words, "-s"], capture_output=True, text=True, check=True)  # noqa: S603  # the README's
        head, _, body = done.stdout.partition("\n\n")
        responses.append(head.splitlines()[0])
        told = json.loads(body)
        token, room = told.get("access_token", token), told["id"] if "join_role" in told else room
    assert len(lines) == 3
    assert all(" 201 " in response for response in responses), responses
    ann = service.anonymous.sign_in(name, "violet kettle drum 17")
    assert [task["title"] for task in ann.list(f"/rooms/{room}/tasks")] == ["Order the desks"]

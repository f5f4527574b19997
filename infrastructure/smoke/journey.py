"""Checks that a new deployment serves: its health, and one short journey of a user who is deleted afterwards."""

import http.client
import json
import secrets
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

# For longer than a function gives the same response again (``tasksync.observability.probes.AGE_SECONDS``).
_HEALTH_ATTEMPTS = 7
_PAUSE_SECONDS = 2
_TIMEOUT_SECONDS = 30.0

# The longest that a 503 has it wait (the API says 1 s).
_LONGEST_WAIT_SECONDS = 10


class Unhealthy(Exception):
    """It does not serve. The message says what was asked, and what the response was."""


class _Response(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.body.decode(errors='replace')[:500]}"


def check(url: str, seconds: float = _TIMEOUT_SECONDS, *, tasks_open: bool = True) -> None:
    """Ask the service at this address. Raises Unhealthy.

    Health is asked for several times: the first requests after a deployment start everything. ``seconds``: how long
    each response is waited for. ``tasks_open``: False while an upgrade has closed the routes of tasks.
    """
    for attempt in range(1, _HEALTH_ATTEMPTS + 1):
        try:
            Client(url, seconds).ask("GET", "/health", 200, repeat=False)
            break
        except Unhealthy:
            if attempt == _HEALTH_ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
    _journey(Client(url, seconds), tasks_open)


class Client:
    """A client of the API."""

    def __init__(self, url: str, seconds: float = _TIMEOUT_SECONDS) -> None:
        """``seconds``: how long each response is waited for."""
        self._address = urlsplit(url)
        self._seconds = seconds
        self._token: str | None = None

    def sign_up(self) -> None:
        name = f"smoke-{secrets.token_hex(8)}"
        tokens = self.ask("POST", "/auth/register", 201, {"username": name, "password": secrets.token_urlsafe(24)})
        self._token = tokens["access_token"]

    def ask(
        self, method: str, path: str, expected: int, body: Mapping[str, Any] | None = None, *, repeat: bool = True
    ) -> Any:
        """What was answered. Raises Unhealthy if it is not responded with this status.

        A 503 with ``Retry-After`` is not the end, as for any client: unless ``repeat`` is False, the request is sent
        once more, with the same idempotency key. A line on stderr says so.
        """
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        response = self._send(method, path, headers, body)
        if repeat and response.status == 503 and response.retry_after is not None:
            print(f"{method} {path}: {response}; it is sent again", file=sys.stderr, flush=True)
            time.sleep(min(float(response.retry_after), _LONGEST_WAIT_SECONDS))
            response = self._send(method, path, headers, body)
        if response.status != expected:
            raise Unhealthy(f"{method} {path}: {response}")
        return json.loads(response.body) if response.body else None

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None) -> _Response:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._address.netloc, timeout=self._seconds)
        sent = {**headers, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, self._address.path.rstrip("/") + path, content, sent)
            response = connection.getresponse()
            return _Response(response.status, response.getheader("Retry-After"), response.read())
        except OSError as error:
            raise Unhealthy(f"{method} {path}: {error}") from error
        finally:
            connection.close()


def _journey(person: Client, tasks_open: bool) -> None:
    """Through all tables: sign-up, a room, a task, both seen again and gone again."""
    person.sign_up()
    try:
        room = person.ask("POST", "/rooms", 201, {"name": "Is all well?"})
        if tasks_open:
            task = person.ask("POST", "/tasks", 201, {"title": "See that it is", "room_id": room["id"]})
            if person.ask("GET", f"/tasks/{task['id']}", 200) != task:
                raise Unhealthy("GET /tasks/{task_id}: not the task that was just planned")
            person.ask("GET", "/", 200)
        person.ask("DELETE", f"/rooms/{room['id']}", 204)
    finally:
        person.ask("DELETE", "/users/me", 204)

"""Whether a service that was just deployed serves: its health, and one short journey of a person who is then gone."""

import http.client
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# For longer than a function gives the same answer again (``tasksync.observability.probes.AGE_SECONDS``).
_HEALTH_ATTEMPTS = 7
_PAUSE_SECONDS = 2
_TIMEOUT_SECONDS = 30


class Unhealthy(Exception):
    """It does not serve. The message says what was asked, and what the answer was."""


def check(url: str) -> None:
    """Ask the service at this address. Raises Unhealthy.

    Health is asked for several times: the first requests after a deployment start everything.
    """
    for attempt in range(1, _HEALTH_ATTEMPTS + 1):
        try:
            Client(url).ask("GET", "/health", 200)
            break
        except Unhealthy:
            if attempt == _HEALTH_ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
    _journey(Client(url))


class Client:
    """A client of the API."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._token: str | None = None

    def sign_up(self) -> None:
        name = f"smoke-{secrets.token_hex(8)}"
        tokens = self.ask("POST", "/auth/register", 201, {"username": name, "password": secrets.token_urlsafe(24)})
        self._token = tokens["access_token"]

    def ask(self, method: str, path: str, expected: int, body: Mapping[str, Any] | None = None) -> Any:
        """What was answered. Raises Unhealthy if it is not answered with this status."""
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._address.netloc, timeout=_TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, self._address.path.rstrip("/") + path, content, headers)
            answer = connection.getresponse()
            said = answer.read()
        except OSError as error:
            raise Unhealthy(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status != expected:
            raise Unhealthy(f"{method} {path}: {answer.status} {said.decode(errors='replace')[:500]}")
        return json.loads(said) if said else None


def _journey(person: Client) -> None:
    """Through all tables: sign-up, a room, a task, both seen again and gone again."""
    person.sign_up()
    try:
        room = person.ask("POST", "/rooms", 201, {"name": "Is all well?"})
        task = person.ask("POST", "/tasks", 201, {"title": "See that it is", "room_id": room["id"]})
        if person.ask("GET", f"/tasks/{task['id']}", 200) != task:
            raise Unhealthy("GET /tasks/{task_id}: not the task that was just planned")
        person.ask("GET", "/", 200)
        person.ask("DELETE", f"/rooms/{room['id']}", 204)
    finally:
        person.ask("DELETE", "/users/me", 204)

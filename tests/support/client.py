"""The API as its users see it: one client, over the gateway in process or over a real connection."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx

from tests.support import builders
from tests.support.description import description

_ABSENT: Any = object()

_OF_THE_REQUEST = {"x-request-id", "date", "ratelimit"}


class Response:
    """What came back. ``headers`` are looked up without regard to case."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        self._response = response

    def json(self) -> Any:
        return self._response.json()

    @property
    def tagged_version(self) -> int:
        """The version in the entity tag."""
        return int(self.headers["ETag"].strip('"').partition(".")[0])

    def told(self) -> tuple[int, dict[str, str], str]:
        """Status, headers and body, less what differs between any two responses: the id, and what a limit leaves."""
        headers = {name: value for name, value in self.headers.items() if name not in _OF_THE_REQUEST}
        return self.status, headers, self.text.replace(self.headers["x-request-id"], "")

    def __repr__(self) -> str:
        """Names the request and shows the response, so that a failed comparison of a status says why."""
        request = self._response.request
        return f"<{request.method} {request.url.raw_path.decode()} → {self.status} {self.text[:2000]}>"


class Client:
    """Sends requests, with an access token if it was given one."""

    def __init__(self, connection: httpx.Client, access_token: str | None = None) -> None:
        self.connection = connection
        self.access_token = access_token

    @classmethod
    def over_http(cls, url: str, seconds: float = 30.0) -> Self:
        """A client without a token. ``seconds``: how long it waits for a response."""
        return cls(httpx.Client(base_url=url, timeout=seconds, trust_env=False))

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = _ABSENT,
        content: bytes | str | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        of_old: bool = False,
    ) -> Response:
        """Send ``json`` (None is sent as null), or ``content`` as it stands. ``headers`` win over the client's own.

        As pairs, each is a line of its own, and one name may have several.

        Values of ``params`` may be lists, which repeat the parameter. Every response is held against the API's
        description, and the body of a request that is accepted, unless it is ``of_old`` data.
        """
        own = {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        if json is not _ABSENT:
            # Not httpx's json argument: it takes None for absent.
            content = httpx.Request("POST", "/", json=json).content if json is not None else "null"
            own["Content-Type"] = "application/json"
        given = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
        replaced = {name.lower() for name, _ in given}
        lines = [*((name, own[name]) for name in own if name.lower() not in replaced), *given]
        sent = httpx.Headers(lines, encoding="utf-8")
        response = self.connection.request(method, path, content=content, params=params, headers=sent)
        description().check(response, path.partition("?")[0], of_old=of_old)
        return Response(response)

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)

    def list(self, path: str, **params: Any) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        while True:
            response = self.get(path, params=params)
            assert response.status == 200, response
            items += response.json()["items"]
            params["cursor"] = response.json()["next_cursor"]
            if params["cursor"] is None:
                return items

    def register(self, name: str = "person", **fields: Any) -> "Person":
        """Somebody new, signed in. ``fields`` replace those that ``builders.person`` makes up."""
        body = builders.person(name, **fields)
        response = self.post("/auth/register", json=body)
        assert response.status == 201, response
        return Person(self.connection, response.json(), body["password"])

    def sign_in(self, username: str, password: str = builders.PASSWORD) -> "Person":
        """Somebody who has registered before, in a new session."""
        response = self.post("/auth/login", json={"username": username, "password": password})
        assert response.status == 200, response
        return Person(self.connection, response.json(), password)


class Person(Client):
    """A client that is signed in. ``tokens`` is what signing in answered."""

    def __init__(self, connection: httpx.Client, tokens: Mapping[str, Any], password: str) -> None:
        super().__init__(connection, tokens["access_token"])
        self.id: str = tokens["user"]["id"]
        self.username: str = tokens["user"]["username"]
        self.email: str | None = tokens["user"]["email"]
        self.password = password
        self.refresh_token: str = tokens["refresh_token"]

    def open_room(self, **fields: Any) -> Any:
        """A new room, as the API answers it."""
        return self._created("/rooms", builders.room(**fields))

    def join(self, room: Mapping[str, Any]) -> Any:
        """The room, after joining it by its code."""
        response = self.post("/rooms/join", json={"code": room["code"]})
        assert response.status == 200, response
        return response.json()

    def plan(self, **fields: Any) -> Any:
        """A new task, as the API answers it."""
        return self._created("/tasks", builders.task(**fields))

    def delete_for_good(self, task: Mapping[str, Any]) -> None:
        """Move a task to the trash, and delete it there."""
        trash = "/users/me/trash" if task["room_id"] is None else f"/rooms/{task['room_id']}/trash"
        for path in (f"/tasks/{task['id']}", f"{trash}/{task['id']}"):
            response = self.delete(path)
            assert response.status == 204, response

    def _created(self, path: str, body: Mapping[str, Any]) -> Any:
        response = self.post(path, json=body)
        assert response.status == 201, response
        return response.json()

"""Who is answered what: one line for each route, and further ones where it depends on what is asked for.

Adding a route? Add its line to ``POLICIES``: an ``Open`` one for a route without a token, a ``Line`` for any other. A
route without a line fails ``test_matrix.py``, which asks everybody's question at every line.
"""

from dataclasses import dataclass, field
from typing import Any

# What a request may name in its path or body, as {name}; ``callers.py`` says what each stands for.
PLACES = {
    *("room_id", "task_id", "user_id", "session_id", "personal_task_id"),
    *("viewers_task_id", "trashed_task_id", "webhook_id"),
}


@dataclass(frozen=True)
class Line:
    """A route with a token. Statuses by the caller's role in the room that the request is about.

    ``stranger``: everybody else who is signed in, who must not learn from it whether there is anything at all.
    ``administrator``: of the installation; a stranger, where nothing is said.
    ``removed``: whom an admin put out of the room; a stranger, where nothing is said.
    ``about``: path parameters that stand for something else than the place's own.
    """

    route: str
    admin: int
    member: int
    viewer: int
    stranger: int
    administrator: int | None = None
    removed: int | None = None
    json: Any = None
    about: dict[str, str] = field(default_factory=dict)

    def status(self, role: str) -> int:
        said: int | None = getattr(self, role, None)
        return self.stranger if said is None else said

    @property
    def hides(self) -> bool:
        """Whether the request names something that a stranger must not be told of."""
        named = repr((self.path, self.json))
        return any(f"{{{name}}}" in named for name in PLACES)

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        path = self.route.partition(" ")[2]
        for name, other in self.about.items():
            path = path.replace(f"{{{name}}}", other)
        return path


@dataclass(frozen=True)
class Open:
    """A route without a token: everybody is answered the same, whoever they say they are."""

    route: str
    status: int
    json: Any = None


def everybody(route: str, status: int, **further: Any) -> Line:
    """A route on which everybody who is signed in deals with what is their own."""
    return Line(route, status, status, status, status, **further)


_TRASHED = {"task_id": "{trashed_task_id}"}
_OWN_TRASHED = {"task_id": "{own_trashed_task_id}"}
_THE_VIEWERS = {"task_id": "{viewers_task_id}"}
_NEW_PASSWORD = "eleven quiet herons over Lake 47"

POLICIES: list[Line | Open] = [
    # ------------------------------------------------------------------------------ sign-in and sessions
    Open("POST /auth/register", 422, {}),
    Open("POST /auth/login", 422, {}),
    Open("POST /auth/refresh", 422, {}),
    Open("POST /auth/logout", 422, {}),
    Open("POST /auth/recovery/complete", 422, {}),
    Open("GET /.well-known/jwks.json", 200),
    Open("HEAD /.well-known/jwks.json", 200),
    everybody("GET /auth/sessions", 200),
    everybody("DELETE /auth/sessions", 204),
    everybody("POST /live/tickets", 201),
    everybody("DELETE /auth/sessions/{session_id}", 404),
    everybody("DELETE /auth/sessions/{session_id}", 204, about={"session_id": "{own_session_id}"}),
    everybody("POST /auth/password", 204, json={"current_password": "{password}", "new_password": _NEW_PASSWORD}),
    everybody("POST /auth/reauthenticate", 200, json={"password": "{password}"}),
    # -------------------------------------------------------------------------------------------- people
    Open("POST /users", 422, {}),
    everybody("GET /users", 200),
    Line("GET /users/{user_id}", 200, 200, 200, 404, administrator=200),
    Line("PUT /users/{user_id}", 403, 403, 403, 404, administrator=200, json={"username": "{new_name}"}),
    Line("PATCH /users/{user_id}", 403, 403, 403, 404, administrator=200, json={"username": "{new_name}"}),
    Line("DELETE /users/{user_id}", 403, 403, 403, 404, administrator=204),
    everybody("GET /users/{user_id}", 200, about={"user_id": "me"}),
    Line("GET /users/{user_id}/export", 403, 403, 403, 404, administrator=403),
    everybody("GET /users/{user_id}/export", 200, about={"user_id": "me"}),
    Line("GET /users/{user_id}/activity", 403, 403, 403, 404, administrator=403),
    everybody("GET /users/{user_id}/activity", 200, about={"user_id": "me"}),
    everybody("GET /users/{user_id}/changes", 200, about={"user_id": "me"}),
    everybody("GET /users/{user_id}/changes", 404),
    everybody("PUT /users/{user_id}", 200, about={"user_id": "me"}, json={"username": "{new_name}"}),
    everybody("PATCH /users/{user_id}", 200, about={"user_id": "{caller_id}"}, json={"username": "{new_name}"}),
    everybody("DELETE /users/{user_id}", 204, about={"user_id": "me"}),
    # --------------------------------------------------------------------------------------------- rooms
    everybody("POST /rooms", 201, json={}),
    everybody("POST /rooms", 422, json={"user_id": "{user_id}"}),
    everybody("GET /rooms", 200),
    # Who knows a room's code may join: the code is the key, and says nothing of the room. Whom an admin removed, it
    # opens nothing.
    Line("POST /rooms/join", 409, 409, 409, 200, removed=404, json={"code": "{code}"}),
    Line("GET /rooms/{room_id}", 200, 200, 200, 404),
    Line("PUT /rooms/{room_id}", 200, 403, 403, 404, json={"name": "Mine"}),
    Line("PATCH /rooms/{room_id}", 200, 403, 403, 404, json={"name": "Mine"}),
    Line("DELETE /rooms/{room_id}", 204, 403, 403, 404),
    Line("POST /rooms/{room_id}/code", 200, 403, 403, 404, json={}),
    Line("GET /rooms/{room_id}/users", 200, 200, 200, 404),
    Line("POST /rooms/{room_id}/users", 201, 403, 403, 404, json={"user_id": "{newcomer_id}"}),
    Line("POST /rooms/{room_id}/users", 409, 403, 403, 404, json={"user_id": "{user_id}", "role": "admin"}),
    Line("PATCH /rooms/{room_id}/users/{user_id}", 200, 403, 403, 404, json={"role": "viewer"}),
    # The room's only admin cannot step back.
    Line(
        "PATCH /rooms/{room_id}/users/{user_id}",
        409,
        403,
        403,
        404,
        about={"user_id": "{caller_id}"},
        json={"role": "member"},
    ),
    Line("DELETE /rooms/{room_id}/users/{user_id}", 204, 403, 403, 404),
    Line("DELETE /rooms/{room_id}/users/{user_id}", 409, 204, 204, 404, about={"user_id": "{caller_id}"}),
    # ------------------------------------------------------------------------------------------ webhooks
    Line("POST /rooms/{room_id}/webhooks", 201, 403, 403, 404, json={"url": "https://hooks.example.org/"}),
    Line("GET /rooms/{room_id}/webhooks", 200, 403, 403, 404),
    Line("GET /rooms/{room_id}/webhooks/{webhook_id}", 200, 403, 403, 404),
    Line("PATCH /rooms/{room_id}/webhooks/{webhook_id}", 200, 403, 403, 404, json={"events": ["task.created"]}),
    Line("DELETE /rooms/{room_id}/webhooks/{webhook_id}", 204, 403, 403, 404),
    Line("POST /rooms/{room_id}/webhooks/{webhook_id}/secret", 200, 403, 403, 404, json={}),
    Line("POST /rooms/{room_id}/webhooks/{webhook_id}/resume", 200, 403, 403, 404, json={}),
    Line("POST /rooms/{room_id}/webhooks/{webhook_id}/test", 202, 403, 403, 404, json={}),
    Line("POST /rooms/{room_id}/webhooks/{webhook_id}/replay", 202, 403, 403, 404, json={"from": 1, "to": 9}),
    Line("GET /rooms/{room_id}/webhooks/{webhook_id}/deliveries", 200, 403, 403, 404),
    # --------------------------------------------------------------------------------------------- tasks
    Line("GET /rooms/{room_id}/activity", 200, 200, 200, 404),
    Line("GET /rooms/{room_id}/changes", 200, 200, 200, 404),
    Line("GET /rooms/{room_id}/tasks", 200, 200, 200, 404),
    everybody("GET /tasks", 200),
    everybody("POST /tasks", 201, json={"title": "Mine"}),
    everybody("POST /tasks", 422, json={"title": "Theirs", "user_id": "{user_id}"}),
    Line("POST /tasks", 201, 201, 403, 404, json={"title": "Ours", "room_id": "{room_id}"}),
    Line("GET /tasks/{task_id}", 200, 200, 200, 404),
    Line("PUT /tasks/{task_id}", 200, 200, 403, 404, json={"title": "Changed"}),
    Line("PATCH /tasks/{task_id}", 200, 200, 403, 404, json={"title": "Changed"}),
    Line("DELETE /tasks/{task_id}", 204, 204, 403, 404),
    # A viewer changes the status of what is assigned to them, and nothing else of it.
    Line("PATCH /tasks/{task_id}", 200, 200, 403, 404, json={"status": "completed"}),
    Line("PUT /tasks/{task_id}", 200, 200, 200, 404, about=_THE_VIEWERS, json={"status": "completed"}),
    Line("PATCH /tasks/{task_id}", 200, 200, 200, 404, about=_THE_VIEWERS, json={"status": "completed"}),
    Line("PATCH /tasks/{task_id}", 200, 200, 403, 404, about=_THE_VIEWERS, json={"title": "Changed"}),
    Line("PATCH /tasks/{task_id}", 200, 200, 403, 404, about=_THE_VIEWERS, json={"user_id": None}),
    Line("DELETE /tasks/{task_id}", 204, 204, 403, 404, about=_THE_VIEWERS),
    Line("POST /tasks/{task_id}/move", 200, 200, 403, 404, json={"after": "{viewers_task_id}"}),
    Line("POST /tasks/{task_id}/move", 200, 200, 403, 404, about=_THE_VIEWERS, json={"after": None}),
    everybody("POST /tasks/{task_id}/move", 404, about={"task_id": "{personal_task_id}"}, json={"after": None}),
    Line("GET /rooms/{room_id}/trash", 200, 200, 200, 404),
    Line("POST /tasks/{task_id}/restore", 200, 200, 403, 404, about=_TRASHED),
    Line("DELETE /rooms/{room_id}/trash/{task_id}", 204, 204, 403, 404, about=_TRASHED),
    # What is not in the trash cannot be restored or deleted there.
    Line("POST /tasks/{task_id}/restore", 404, 404, 404, 404),
    Line("DELETE /rooms/{room_id}/trash/{task_id}", 404, 404, 404, 404),
    everybody("GET /users/{user_id}/trash", 200, about={"user_id": "me"}),
    everybody("GET /users/{user_id}/trash", 404),
    everybody("POST /tasks/{task_id}/restore", 200, about=_OWN_TRASHED),
    everybody("DELETE /users/{user_id}/trash/{task_id}", 204, about={"user_id": "me"} | _OWN_TRASHED),
    everybody("DELETE /users/{user_id}/trash/{task_id}", 404, about={"user_id": "me"} | _TRASHED),
    # Somebody's personal task is nobody else's, whatever rooms they share.
    everybody("DELETE /users/{user_id}/trash/{task_id}", 404, about={"task_id": "{personal_task_id}"}),
    everybody("POST /tasks/{task_id}/restore", 404, about={"task_id": "{personal_task_id}"}),
    everybody("GET /tasks/{task_id}", 404, about={"task_id": "{personal_task_id}"}),
    everybody("PATCH /tasks/{task_id}", 404, about={"task_id": "{personal_task_id}"}, json={"title": "Changed"}),
    everybody("DELETE /tasks/{task_id}", 404, about={"task_id": "{personal_task_id}"}),
    # ------------------------------------------------------------------------------- across the services
    everybody("GET /", 200),
    everybody("GET /sync", 200),
    everybody("POST /sync", 200, json={}),
    # What one may not see is missing from the response, as what does not exist is.
    everybody(
        "POST /keys/resolve",
        200,
        json={"users": ["{user_id}"], "rooms": ["{room_id}"], "tasks": ["{task_id}"], "codes": ["{code}"]},
    ),
    # ------------------------------------------------------------------------------------------- service
    Open("GET /health", 200),
    Open("HEAD /health", 200),
    # Its own token, which is nobody's access token: tests/functions/metrics/test_token.py.
    Open("GET /metrics", 401),
    Open("HEAD /metrics", 401),
    Open("GET /openapi.json", 200),
    Open("HEAD /openapi.json", 200),
    Open("GET /docs", 200),
    Open("HEAD /docs", 200),
    Open("GET /client", 200),
    Open("HEAD /client", 200),
    Open("GET /assets/{asset}", 404),
    Open("HEAD /assets/{asset}", 404),
]

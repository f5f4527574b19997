"""How schemathesis signs in: as somebody who has just registered, and as somebody new once that person is gone.

A test case may sign the caller out everywhere, or delete them: the next request is answered 401, and schemathesis asks
for another token. Each person has a room and tasks, some of them in the trash: most right requests are given ids of
these, as made up ones lead nowhere. Loaded by schemathesis, in an environment of its own.
"""

import functools
import itertools
import json
import os
import random
import urllib.request
import zlib
from typing import Any

import schemathesis

# By the shape of a response, what of it fills in which bodies. A description has no words for that.
_BODIES = {
    "Room": {"join_room": {"code": "$response.body#/code"}, "create_task": {"room_id": "$response.body#/id"}},
    "SignedIn": {name: {"refresh_token": "$response.body#/refresh_token"} for name in ("refresh", "logout")},
    "Task": {"move_task": {"after": "$response.body#/id"}},
}

# By operation, what can be done with what it has moved away. The response is empty: the path of the request names it.
_AFTERWARDS = {
    "delete_task": {
        "restore_task": {"task_id": "$request.path.task_id"},
        "purge_task_of_user": {"user_id": "me", "task_id": "$request.path.task_id"},
    }
}

_URL = os.environ["TASKSYNC_URL"]
_NUMBERS = itertools.count()
_PEOPLE: dict[str, str] = {}
"""The ids of those who have signed in, by access token."""
_ENDS = {"delete_room", "remove_member", "delete_user"}
"""The operations that would leave all further requests of the person without anything to be about."""


@schemathesis.auth(refresh_interval=60)
class Registered:
    """Somebody new, with an access token of theirs."""

    def get(self, _case: Any, _context: Any) -> str:
        body = {"username": f"fuzz {os.getpid()} {next(_NUMBERS)}", "password": "violet kettle drum 17"}
        signed_in = _send("POST", "/auth/register", body)
        token = str(signed_in["access_token"])
        _PEOPLE[token] = signed_in["user"]["id"]
        return token

    def set(self, case: Any, token: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@functools.cache
def _known(token: str) -> dict[str, list[Any]]:
    """By name of a parameter or a field, values that lead to something: a room, tasks in it and personal ones. Cursors
    by operation, too: each is for one of them."""
    room_id = _send("POST", "/rooms", {"name": "Fuzz"}, token)["id"]
    in_room, personal = {"title": "Sweep", "room_id": room_id}, {"title": "Mop"}
    task_ids = [_send("POST", "/tasks", task, token)["id"] for task in (in_room, in_room, personal, personal)]
    for task_id in task_ids[1:3]:
        _send("DELETE", f"/tasks/{task_id}", None, token)
    of_room, own, copy = [
        [_send("GET", path, None, token)[name]]
        for path, name in (
            (f"/rooms/{room_id}/changes", "next_cursor"),
            ("/users/me/changes", "next_cursor"),
            ("/sync", "cursor"),
        )
    ]
    return {
        "list_room_changes cursor": of_room,
        "list_user_changes cursor": own,
        "sync cursor": copy,
        "sync_with_body cursor": copy,
        "room_id": [room_id],
        "task_id": task_ids,
        "after": [*task_ids, None],
        "user_id": ["me", _PEOPLE[token]],
        "assignee_ids": [["me"], [_PEOPLE[token]], []],
    }


def _send(method: str, path: str, body: Any, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(_URL + path, content, headers, method=method)  # noqa: S310  # the local stack's own
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # the local stack's own address
        return json.loads(response.read() or "null")


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis has no types for it
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Let most right requests be about something that is there. Chains have ids of their own."""
    token = (case.headers or {}).get("Authorization", "").removeprefix("Bearer ")
    right = case.meta is not None and case.meta.generation.mode == "positive" and case.meta.phase.name != "stateful"
    if token not in _PEOPLE or not right or case.operation.definition.raw["operationId"] in _ENDS:
        return
    operation = case.operation.definition.raw["operationId"]
    try:
        known = {name.removeprefix(f"{operation} "): values for name, values in _known(token).items()}
    except OSError:  # an earlier request has signed the person out
        return
    parts = [part for part in (case.path_parameters, case.query, case.body) if isinstance(part, dict)]
    # To be repeatable: by what the case is.
    dice = random.Random(zlib.crc32(repr(parts).encode()))  # not secret
    for part in parts:
        for name in sorted(part.keys() & known.keys()):
            if dice.random() < 0.75:
                part[name] = dice.choice(known[name])


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis has no types for it
def before_load_schema(_context: Any, document: dict[str, Any]) -> None:
    """Let chains go on with codes and refresh tokens, to other tasks of a room, and to what is in the trash."""
    for operations in document["paths"].values():
        for operation in operations.values():
            own = operation["operationId"]
            for response in operation["responses"].values():
                schema = response.get("content", {}).get("application/json", {}).get("schema", {})
                bodies = _BODIES.get(schema.get("$ref", "").rpartition("/")[2], {})
                for name in bodies.keys() - {own}:
                    link = {"operationId": name, "requestBody": bodies[name]}
                    response.setdefault("links", {})[f"{name}_by_body"] = link
            for name, parameters in _AFTERWARDS.get(own, {}).items():
                links = operation["responses"]["204"].setdefault("links", {})
                links[name] = {"operationId": name, "parameters": parameters}

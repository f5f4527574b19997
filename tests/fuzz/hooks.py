"""How schemathesis signs in: as somebody who has just registered, and as somebody new once that person is gone.

A test case may sign the caller out everywhere, or delete them: the next request is answered 401, and schemathesis asks
for another token. Loaded by schemathesis, in an environment of its own.
"""

import itertools
import json
import os
import urllib.request
from typing import Any

import schemathesis

# By the shape of a response, what of it fills in which bodies. A description has no words for that.
_BODIES = {
    "Room": {"join_room": {"code": "$response.body#/code"}},
    "SignedIn": {name: {"refresh_token": "$response.body#/refresh_token"} for name in ("refresh", "logout")},
}

_URL = os.environ["TASKSYNC_URL"]
_NUMBERS = itertools.count()


@schemathesis.auth()
class Registered:
    """Somebody new, with an access token of theirs."""

    def get(self, _case: Any, _context: Any) -> str:
        body = {"username": f"fuzz {os.getpid()} {next(_NUMBERS)}", "password": "violet kettle drum 17"}
        request = urllib.request.Request(  # noqa: S310  # the local stack's own address
            f"{_URL}/auth/register", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # the local stack's own address
            return str(json.load(response)["access_token"])

    def set(self, case: Any, token: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis has no types for it
def before_load_schema(_context: Any, document: dict[str, Any]) -> None:
    """Let chains go on with codes and refresh tokens."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                schema = response.get("content", {}).get("application/json", {}).get("schema", {})
                bodies = _BODIES.get(schema.get("$ref", "").rpartition("/")[2], {})
                for name in bodies.keys() - {operation["operationId"]}:
                    response.setdefault("links", {})[name] = {"operationId": name, "requestBody": bodies[name]}

"""The whole description."""

from typing import Any

from infrastructure.openapi.headers import HEADERS
from infrastructure.openapi.links import links
from infrastructure.openapi.operations import PARAMETERS, operation, operation_ids
from infrastructure.openapi.problems import Problems
from infrastructure.openapi.responses import Responses
from infrastructure.openapi.routes import Declared, declared_routes
from infrastructure.openapi.schemas import Json, Schemas
from tasksync import __version__

_DESCRIPTION = """\
TaskSync is a task planner for teams. People register, open rooms that others join by a code, and plan tasks in them; \
a room disappears when its last member leaves.

- **Signing in** answers an access token, good for ten minutes, and a refresh token for the next pair.
- **Errors** are problem documents (RFC 9457) with a stable `code`. All wrong fields or parameters are named at once.
- **Lists** come in pages: pass the `next_cursor` of one page as `cursor` for the next.
- **Changes** carry a `version` and an `ETag`; with `If-Match` nothing that somebody else has changed is overwritten. \
PUT and PATCH both merge (RFC 7396): what is absent stays, `null` clears. What GET answered may be sent back: \
read-only fields are let through with the values they have, and a `version` that is not the current one is refused as \
`If-Match` is.
- **Retries** are safe with an `Idempotency-Key`.
- **Strangers** are given the same answer for what they may not see as for what does not exist.
- **`me`** is the caller, wherever the id of a user stands in a request.
- Unknown fields and unknown query parameters are refused; what is read without a token ignores the latter. Answers \
may get further fields."""


def document() -> Json:
    """The OpenAPI document of the API, as plain data."""
    routes = declared_routes()
    schemas = Schemas(
        [each.route.body for each in routes if each.route.body is not None],
        [answer for each in routes for answer in (each.route.answer, each.route.failed_answer) if answer is not None],
    )
    for route in (each.route for each in routes):
        if route.body is not None and route.method in ("PUT", "PATCH"):
            schemas.let_through(route.body, route.answer)
    problems = Problems(schemas)
    responses = Responses(schemas, problems)
    names = operation_ids(routes)
    by_name = {names[each.route.method, each.route.path]: each for each in routes}
    paths: dict[str, Any] = {}
    for name, each in by_name.items():
        made = operation(each, name, schemas, responses)
        following = links(each, by_name)
        if following:
            made["responses"][str(each.route.status)]["links"] = following
        paths.setdefault(each.route.path, {})[each.route.method.lower()] = made
    return {
        "openapi": "3.1.1",
        "info": {"title": "TaskSync", "version": __version__, "description": _DESCRIPTION},
        # Relative to where the document is served, so that it holds behind a stage and behind a domain name.
        "servers": [{"url": "."}],
        "security": [{"access_token": []}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access_token` that `POST /auth/login` answers.",
                },
                "metrics_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of this installation that `make metrics-token` prints.",
                },
            },
            "schemas": schemas.components,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            **problems.components,
        },
    }


def _tags(routes: list[Declared]) -> list[Json]:
    return [
        {"name": name, "description": text.strip()}
        for name, text in {each.tag: each.tag_description for each in routes}.items()
    ]

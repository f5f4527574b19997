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

### Sign-in

`POST /auth/register` and `POST /auth/login` respond with a pair of tokens. The **access token** is sent as \
`Authorization: Bearer …` and is valid for `expires_in` seconds (ten minutes). The **refresh token** is valid for \
one use: `POST /auth/refresh` returns the next pair. It expires if it is not used for **3 days**; the session ends \
after 7 days, however often it is refreshed. The gateway may accept an access token for up to **30 seconds** after its \
session has ended by a sign-out, a new password or the deletion of the user.

### Requests

- **Unknown fields and query parameters** are refused; GET routes that need no token ignore unknown query \
parameters. Later releases may add fields to responses.
- **PUT and PATCH** merge (RFC 7396): an absent field stays unchanged, `null` clears a field. The response to GET \
may be sent back: read-only fields are accepted with their current values, and a `version` other than the current \
one is refused as `If-Match` is.
- **Versions**: a resource has a `version` and an `ETag`. With `If-Match`, a request does not overwrite changes of \
others: on 412, which has the current version as `ETag`, read the resource again.
- **Retries** are safe with an `Idempotency-Key`.
- **`me`** is the caller, wherever a request takes the id of a user.

### Responses

- **Lists** come in pages: pass the `next_cursor` of one page as `cursor` for the next. A page may be shorter than \
`limit`, or empty, and still have a `next_cursor`.
- **Errors** are problem documents (RFC 9457) with a stable `code`. One response reports all invalid fields and \
parameters, each with a `pointer`, and so it does an unknown id in a body or a query. A 403 names the required role. \
`x-problem-codes` of an operation lists its codes, and `docs/reference/errors.md` of the repository explains each \
code and its remedy.
- **401** says by `code` what is wrong with the access token: `token_missing`, `token_malformed`, `token_expired` \
(`POST /auth/refresh` gives a new one), `token_revoked` (sign in again) or `invalid_token`. `WWW-Authenticate` of an \
operation's own 401 arrives as `X-Amzn-Remapped-WWW-Authenticate`, as API Gateway renames it.
- **Hidden resources** get the same response as resources that do not exist.
- **Rate limits** are fixed windows. `RateLimit-Policy: "read";q=600;w=60` allows `q` requests in `w` seconds; \
`RateLimit: "read";r=599;t=30` means that `r` of them are left, and that there are `q` again in `t` seconds. A 429 \
says in `Retry-After` how many seconds to wait."""


def document() -> Json:
    """The OpenAPI document of the API, as plain data."""
    routes = declared_routes()
    schemas = Schemas(
        [each.route.body for each in routes if each.route.body is not None],
        [each.route.query for each in routes],
        [
            response
            for each in routes
            for response in (each.route.description.response, each.route.description.failed_response)
            if response is not None
        ],
    )
    for route in (each.route for each in routes):
        if route.body is not None and route.method in ("PUT", "PATCH"):
            schemas.let_through(route.body, route.description.response)
    problems = Problems(schemas)
    responses = Responses(schemas, problems)
    names = operation_ids(routes)
    by_name = {names[each.route.method, each.route.path]: each for each in routes}
    paths: dict[str, Any] = {}
    for name, each in by_name.items():
        made = operation(each, name, schemas, responses)
        following = links(each, by_name)
        if following:
            made["responses"][str(each.route.description.status)]["links"] = following
        paths.setdefault(each.route.path, {})[each.route.method.lower()] = made
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "TaskSync",
            "version": __version__,
            "summary": "A task planner for teams.",
            "description": _DESCRIPTION,
            "contact": {"name": "The maintainers of TaskSync"},
            "license": {"name": "MIT License", "identifier": "MIT"},
        },
        # What is served names the address that it is served from: ``pages.site.Description``.
        "servers": [{"url": "http://127.0.0.1:8000", "description": "A local stack (`make run`)."}],
        "security": [{"access_token": []}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access_token` of the response to `POST /auth/register` or `POST /auth/login`.",
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

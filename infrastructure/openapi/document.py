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
`Authorization: Bearer …` and is good for `expires_in` seconds (ten minutes). The **refresh token** is good once, at \
`POST /auth/refresh`, for the next pair. It expires when it is not used for **3 days**; the session ends after 7 days, \
however often it is refreshed. An access token may outlive its session by up to **30 seconds**: so long the gateway \
may go on accepting it after a sign-out, a new password or the deletion of the user.

### Requests

- **Fields and query parameters** that are unknown are refused; what is read without a token ignores unknown \
query parameters. Responses may get further fields.
- **PUT and PATCH** both merge (RFC 7396): what is absent stays, `null` clears. What GET responded with may be sent \
back: read-only fields are accepted with the values they have, and a `version` that is not the current one is refused \
as `If-Match` is.
- **Versions**: a resource has a `version` and an `ETag`. With `If-Match`, nothing that somebody else has changed is \
overwritten: 412 means read it again, and carries the current `ETag`.
- **Retries** are safe with an `Idempotency-Key`.
- **`me`** is the caller, wherever the id of a user stands in a request.

### Responses

- **Lists** come in pages: pass the `next_cursor` of one page as `cursor` for the next. A page may be short, or empty, \
and the list still go on.
- **Errors** are problem documents (RFC 9457) with a stable `code`. All wrong fields or parameters are named at once, \
each by a `pointer`; so is an id in a body or a query that is unknown. A 403 names the role that is needed. \
`x-problem-codes` of an operation lists its codes, and `docs/reference/errors.md` of the repository what each means \
and what to do.
- **401** says by `code` what is wrong with the access token: `token_missing`, `token_malformed`, `token_expired` \
(`POST /auth/refresh` gives a new one), `token_revoked` (sign in again) or `invalid_token`. `WWW-Authenticate` of an \
operation's own 401 arrives as `X-Amzn-Remapped-WWW-Authenticate`, as API Gateway renames it.
- **Strangers** get the same response for what they may not see as for what does not exist.
- **Rate limits** are fixed windows. `RateLimit-Policy: "read";q=600;w=60` says that there may be `q` requests in `w` \
seconds; `RateLimit: "read";r=599;t=30` that `r` of them are left, and that there are `q` again in `t` seconds. A 429 \
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

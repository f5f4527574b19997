"""One route as an operation: its names, its parameters and its body."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec

from infrastructure.openapi.examples import media_examples
from infrastructure.openapi.responses import Responses, has_entity_tag
from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas, parameter_schema
from tasksync.http.route import SAFE
from tasksync.http.schemas.fields import Id
from tasksync.model.errors import PreconditionFailed

_PATH_PARAMETERS = {
    "user_id": "The id of a user; `me` is the caller.",
    "room_id": "The id of a room, as `POST /rooms` or `GET /rooms` responds with it.",
    "task_id": "The id of a task, as `POST /tasks` or `GET /tasks` responds with it.",
    "session_id": "The id of a session, as `GET /auth/sessions` responds with it.",
    "asset": "The name of a file, as a page has it.",
}
# Of several entity tags, or * (RFC 9110 §13.1.1).
_TAGS = r'^(?:\*|(?:W/)?"[!#-~]*"(?: *, *(?:W/)?"[!#-~]*")*)$'

# Parameters whose values only the running product knows have no examples: pages and tools would send them.
PARAMETERS: dict[str, Json] = {
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": (
            "Change the resource only if it still has this entity tag (RFC 9110 §13.1.1): the `ETag` of the last "
            "response, with its quotation marks. What is no entity tag is 400, and a weak one (`W/`) never matches. "
            "Without it, the change is made whatever others have changed."
        ),
        "schema": {"type": "string", "pattern": _TAGS},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": (
            "Respond with 304, without a body, if the resource still has this entity tag (RFC 9110 §13.1.2): the "
            "`ETag` of the last response, with its quotation marks."
        ),
        "schema": {"type": "string", "pattern": _TAGS},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "Made up by the client, new for each change, such as a UUID. The same request with the same key within 24 "
            "hours (`POST /auth/refresh`: 60 seconds) is carried out once, and gets the first response again; so a "
            "request whose response was lost can be sent again."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
}


def operation_ids(declared: Iterable[Declared]) -> dict[tuple[str, str], str]:
    """By route, the name of its operation: that of the view.

    PUT does what PATCH does, and HEAD what GET does but for the body; each is named after it.
    """
    routes = [each.route for each in declared]
    patched = {route.handler for route in routes if route.method == "PATCH"}
    ids = {}
    for route in routes:
        twin = "_with_put" if route.method == "PUT" and route.handler in patched else ""
        ids[route.method, route.path] = route.handler.__name__ + ("_head" if route.method == "HEAD" else twin)
    return ids


def operation(declared: Declared, name: str, schemas: Schemas, responses: Responses) -> Json:
    """The operation object (OpenAPI 3.1.1 §4.8.10) of one route, without its links."""
    route = declared.route
    summary, _, description = " ".join((inspect.getdoc(route.handler) or "").split()).partition(". ")
    if not summary:
        raise ValueError(f"{route.method} {route.path}: the handler's docstring must say what it does.")
    if not description:
        raise ValueError(f"{route.method} {route.path}: the handler's docstring must say more than one sentence.")
    if route.method == "HEAD":
        description = f"The headers of GET, without the body. {description}"
    made: Json = {
        "operationId": name,
        "tags": [declared.tag],
        "summary": summary.removesuffix("."),
        "description": description,
    }
    if declared.public:
        made["security"] = [] if route.description.token is None else [{route.description.token: []}]
    parameters = [*_in_path(route.path), *_in_query(route.query), *_in_headers(declared)]
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = {
            "required": any(field.required for field in msgspec.structs.fields(route.body)),
            "content": {"application/json": {"schema": schemas.of(route.body), "examples": media_examples(name)}},
        }
    return {**made, **responses.of(declared, name)}


def _in_path(path: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": parameter_schema(Id),
            # In a room, it is others who are changed.
            **({"example": "me"} if path.startswith("/users/") else {}),
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _in_query(query: type[msgspec.Struct]) -> list[Json]:
    hints = get_type_hints(query, include_extras=True)
    return [_query_parameter(field, hints[field.name]) for field in msgspec.structs.fields(query)]


def _query_parameter(field: Any, annotation: Any) -> Json:
    schema = parameter_schema(annotation)
    parameter: Json = {"name": field.encode_name, "in": "query"}
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    # Filters that are filled in before anybody asks for them hide what there is.
    schema.pop("examples", None)
    if field.default not in (None, (), msgspec.NODEFAULT):
        schema["default"] = field.default
    return {**parameter, "schema": schema}


def _in_headers(declared: Declared) -> list[Json]:
    names = []
    if has_entity_tag(declared.route) and declared.route.method in SAFE:
        names.append("IfNoneMatch")
    if PreconditionFailed in declared.route.description.raises:
        names.append("IfMatch")
    if declared.takes_keys:
        names.append("IdempotencyKey")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]

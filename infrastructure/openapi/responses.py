"""The responses of a route: its success and its errors."""

from typing import get_type_hints, is_typeddict

from infrastructure.openapi.examples import RESPONSES
from infrastructure.openapi.headers import header_references
from infrastructure.openapi.problems import CODES, Problems, codes
from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas
from tasksync.http.route import SAFE, Route
from tasksync.http.schemas.fields import CursorQuery

_SUCCESSES = {200: "Done.", 201: "Created.", 202: "Accepted: it is done soon.", 204: "Done. The response has no body."}


class Responses:
    """The responses of all routes."""

    def __init__(self, schemas: Schemas, problems: Problems) -> None:
        self._schemas = schemas
        self._problems = problems

    def of(self, declared: Declared, name: str) -> Json:
        """The operation's fields ``responses``, by status all that the route may answer, and ``x-problem-codes``."""
        route, described = declared.route, declared.route.description
        found = {str(described.status): self._success(declared, name)}
        if has_entity_tag(route) and route.method in SAFE:
            found["304"] = {
                "description": "The client has this version already.",
                "headers": header_references("RequestId", "ETag"),
            }
        may_give = codes(declared)
        found |= self._problems.of(may_give)
        if described.failed_response is not None:
            failed = self._problems.in_place(503, may_give)
            failed["content"]["application/json"] = {"schema": self._schemas.of(described.failed_response)}
            found["503"] = failed
        return {"responses": found, CODES: sorted(may_give)}

    def _success(self, declared: Declared, name: str) -> Json:
        route, described = declared.route, declared.route.description
        headers = ["RequestId"]
        if described.status == 201 and described.located:
            headers.append("Location")
        if has_entity_tag(route):
            headers.append("ETag")
        if issubclass(route.query, CursorQuery):
            headers.append("Link")
        if declared.takes_keys:
            headers.append("IdempotencyReplayed")
        if declared.limited:
            headers += ["RateLimitPolicy", "RateLimit"]
        response: Json = {"description": _SUCCESSES[described.status], "headers": header_references(*headers)}
        if described.response is not None and route.method != "HEAD":
            schema = self._schemas.of(described.response)
            example = {"example": RESPONSES[name]} if name in RESPONSES else {}
            response["content"] = {media_type: {"schema": schema, **example} for media_type in described.media_types}
        return response


def has_entity_tag(route: Route) -> bool:
    """Whether the response is one resource with a version, or says that it has another tag."""
    described = route.description
    return described.tagged or (
        is_typeddict(described.response) and get_type_hints(described.response).get("version") is int
    )

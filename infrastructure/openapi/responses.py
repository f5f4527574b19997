"""What a route may answer: its success, and what goes wrong."""

from typing import get_type_hints, is_typeddict

from infrastructure.openapi.examples import RESPONSES
from infrastructure.openapi.headers import header_references
from infrastructure.openapi.problems import CODES, Problems, codes
from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas
from tasksync.http.app import SAFE, Route
from tasksync.http.schemas.fields import From

_SUCCESSES = {200: "Done.", 201: "Created.", 204: "Done. The response has no body."}


class Responses:
    """The responses of all routes."""

    def __init__(self, schemas: Schemas, problems: Problems) -> None:
        self._schemas = schemas
        self._problems = problems

    def of(self, declared: Declared, name: str) -> Json:
        """The operation's fields ``responses``, by status all that the route may answer, and ``x-problem-codes``."""
        route = declared.route
        found = {str(route.status): self._success(declared, name)}
        if has_entity_tag(route) and route.method in SAFE:
            found["304"] = {
                "description": "The client has this version already.",
                "headers": header_references("RequestId", "ETag"),
            }
        may_give = codes(declared)
        found |= self._problems.of(may_give)
        if route.failed_answer is not None:
            failed = self._problems.in_place(503, may_give)
            failed["content"]["application/json"] = {"schema": self._schemas.of(route.failed_answer)}
            found["503"] = failed
        return {"responses": found, CODES: sorted(may_give)}

    def _success(self, declared: Declared, name: str) -> Json:
        route = declared.route
        headers = ["RequestId"]
        if route.status == 201:
            headers.append("Location")
        if has_entity_tag(route):
            headers.append("ETag")
        if issubclass(route.query, From):
            headers.append("Link")
        if declared.takes_keys:
            headers.append("IdempotencyReplayed")
        if declared.limited:
            headers += ["RateLimitPolicy", "RateLimit"]
        response: Json = {"description": _SUCCESSES[route.status], "headers": header_references(*headers)}
        if route.answer is not None and route.method != "HEAD":
            schema = self._schemas.of(route.answer)
            example = {"example": RESPONSES[name]} if name in RESPONSES else {}
            response["content"] = {media_type: {"schema": schema, **example} for media_type in route.media_types}
        return response


def has_entity_tag(route: Route) -> bool:
    """Whether the response is one resource with a version, or says that it has another tag."""
    return route.tagged or (is_typeddict(route.answer) and get_type_hints(route.answer).get("version") is int)

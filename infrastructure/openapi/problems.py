"""Error responses: one per status, shared by all operations, and the codes of each operation."""

from collections.abc import Iterable

from infrastructure.openapi.headers import header_references
from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas
from tasksync.http import problems
from tasksync.http.responses import PROBLEM
from tasksync.http.route import SAFE
from tasksync.http.schemas.fields import CursorQuery
from tasksync.http.schemas.responses import Problem
from tasksync.model import errors

CODES = "x-problem-codes"
"""Of an operation: the codes of all problems that it may answer. The shared responses hold those of every operation."""

_REQUEST_ID = "1699949d-2e5e-4180-b16b-88be7d4f67c2"

_HEADERS = {
    401: ["WWWAuthenticate", "RemappedWWWAuthenticate"],
    412: ["CurrentETag"],
    429: ["RetryAfter", "RateLimitPolicy", "RateLimit"],
    503: ["RetryAfter"],
}

# What an example says beyond its code and its text.
_FURTHER: dict[str, Json] = {
    "invalid_query": {"errors": [{"pointer": "/limit", "code": "out_of_range", "detail": "Must be from 1 to 100."}]},
    "invalid_cursor": {
        "errors": [{"pointer": "/cursor", "code": "invalid_cursor", "detail": errors.BadCursor.detail}],
    },
    "validation_failed": {
        "errors": [{"pointer": "/title", "code": "too_long", "detail": "At most 255 characters."}],
    },
    "assignee_not_member": {
        "errors": [{"pointer": "/user_id", "code": "assignee_not_member", "detail": errors.AssigneeNotMember.detail}],
    },
    "unknown_user": {
        "errors": [{"pointer": "/user_id", "code": "unknown_user", "detail": errors.UnknownUser.detail}],
    },
    "unknown_code": {
        "errors": [{"pointer": "/code", "code": "unknown_code", "detail": errors.UnknownCode.detail}],
    },
    "role_too_low": {
        "detail": "This needs the role admin in the room; your role is member. An admin of the room can change it.",
        "role": "member",
        "required_role": "admin",
    },
    "reauthentication_required": {"max_age": 900},
}


class Problems:
    """The problems of all operations."""

    def __init__(self, schemas: Schemas) -> None:
        self._schema = schemas.of(Problem)
        self._known = known_problems()
        self._used: set[str] = set()

    @property
    def components(self) -> Json:
        """``components/responses`` and ``components/examples`` of what was referred to."""
        by_status = self._by_status(self._used)
        return {
            "responses": {_name(status): self._response(status, codes) for status, codes in by_status.items()},
            "examples": {code: self._example(code) for code in sorted(self._used)},
        }

    def of(self, codes: Iterable[str]) -> Json:
        """By status, a reference to the shared response. Its description there is of those codes alone."""
        by_status = self._by_status(codes)
        self._used.update(*by_status.values())
        return {
            str(status): {
                "$ref": f"#/components/responses/{_name(status)}",
                "description": ", ".join(f"`{code}`" for code in group),
            }
            for status, group in by_status.items()
        }

    def in_place(self, status: int, codes: Iterable[str]) -> Json:
        """The response of one status, as an object of its own."""
        group = self._by_status(codes)[status]
        self._used.update(group)
        return self._response(status, group)

    def _by_status(self, codes: Iterable[str]) -> dict[int, list[str]]:
        grouped: dict[int, list[str]] = {}
        for code in sorted(codes, key=lambda code: (self._known[code][0], code)):
            grouped.setdefault(self._known[code][0], []).append(code)
        return grouped

    def _response(self, status: int, codes: Iterable[str]) -> Json:
        return {
            "description": "\n".join(f"- `{code}`: {self._known[code][1]}" for code in codes),
            "headers": header_references("RequestId", *_HEADERS.get(status, [])),
            "content": {
                PROBLEM: {
                    "schema": self._schema,
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
                }
            },
        }

    def _example(self, code: str) -> Json:
        status, detail = self._known[code]
        value: Json = {
            "type": "about:blank",
            "title": problems.TITLES[status],
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": _REQUEST_ID,
        }
        return {"summary": detail, "value": value | _FURTHER.get(code, {})}


def codes(declared: Declared) -> set[str]:
    """What may go wrong on this route: what it declares, and what any route of its kind may meet."""
    route = declared.route
    kinds: set[type[errors.TaskSyncError]] = {
        *(errors.MalformedRequest, errors.BadQuery, errors.BadPrecondition, errors.BodyTooLarge, errors.RateLimited),
        *(errors.Defect, errors.DependencyFailed),
        # Of a read, too: the gateway does not know what a function that did not answer was to do.
        errors.OutcomeUnknown,
    }
    kinds.update(route.description.raises)
    if "{" in route.path:
        kinds.add(errors.NotFound)
    if issubclass(route.query, CursorQuery):
        kinds.add(errors.BadCursor)
    if route.body is not None:
        kinds |= {errors.MalformedJson, errors.UnsupportedMediaType, errors.UnsupportedCharset, errors.Invalid}
        kinds.add(errors.UnknownEncoding)
    if route.method not in SAFE:
        kinds |= {errors.WriteConflict, errors.PreconditionFailed}
    if declared.takes_keys and not declared.public:
        kinds |= {errors.BadIdempotencyKey, errors.IdempotencyKeyReused, errors.AlreadyDone}
    if not declared.public:
        kinds |= {
            *(errors.InvalidToken, errors.TokenMissing, errors.TokenMalformed, errors.TokenExpired),
            errors.TokenRevoked,
        }
    return {problems.problem_type(kind).code for kind in kinds}


def _name(status: int) -> str:
    return problems.TITLES[status].replace(" ", "")


def known_problems() -> dict[str, tuple[int, str]]:
    """By code, its status and what it says."""
    known: dict[str, tuple[int, str]] = {}
    for error, kind in problems.PROBLEM_TYPES.items():
        known.setdefault(kind.code, (kind.status, error.detail))
    return known

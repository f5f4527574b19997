"""What goes wrong: one response for each status, shared by all operations, and the codes of each operation."""

from collections.abc import Iterable

from infrastructure.openapi.headers import header_references
from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas
from tasksync import errors
from tasksync.http import problems
from tasksync.http.answers import Problem
from tasksync.http.api import SAFE
from tasksync.http.fields import From
from tasksync.http.responses import PROBLEM

CODES = "x-problem-codes"
"""Of an operation: the codes of all problems that it may answer. The shared responses hold those of every operation."""

_REQUEST_ID = "1699949d-2e5e-4180-b16b-88be7d4f67c2"

# What the gateway answers by itself to any request, and a defect of ours; the rest come from ``problems``.
_OF_GATEWAY = {
    "bad_request": (400, "The request could not be understood."),
    "forbidden": (403, "The access token does not allow this."),
    "unknown_encoding": (415, "A body may be compressed with gzip or deflate, as Content-Encoding says."),
    "rate_limited": (429, "The service takes no more requests at the moment."),
    "internal_error": (500, "Something went wrong on our side."),
}

# RFC 9110 §15.5 and §15.6. Python's own list changes with its version.
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

_HEADERS = {401: ["WWWAuthenticate"], 429: ["RetryAfter", "RateLimitPolicy", "RateLimit"], 503: ["RetryAfter"]}

_FAULTS = {
    "invalid_query": {"pointer": "/limit", "code": "out_of_range", "detail": "From 1 to 100."},
    "invalid_cursor": {
        "pointer": "/cursor",
        "code": "invalid_cursor",
        "detail": "The cursor does not belong to this list.",
    },
    "validation_failed": {"pointer": "/title", "code": "too_long", "detail": "At most 255 characters."},
    "assignee_not_member": {
        "pointer": "/user_id",
        "code": "assignee_not_member",
        "detail": "The assignee is not a member of the room.",
    },
    "unknown_user": {"pointer": "/user_id", "code": "unknown_user", "detail": "There is no such user."},
}


class Problems:
    """The problems of all operations."""

    def __init__(self, schemas: Schemas) -> None:
        self._schema = schemas.of(Problem)
        self._known = _known_problems()
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
            "title": _TITLES[status],
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": _REQUEST_ID,
        }
        if code in _FAULTS:
            value["errors"] = [_FAULTS[code]]
        if code == "reauthentication_required":
            value["max_age"] = 900
        return {"summary": detail, "value": value}


def codes(declared: Declared) -> set[str]:
    """What may go wrong on this route: what it declares, and what any route of its kind may meet."""
    route = declared.route
    kinds: set[type[errors.TaskSyncError]] = {errors.BadQuery, errors.BodyTooLarge, errors.DependencyFailed}
    # Of a read, too: the gateway does not know what a function that did not answer was to do.
    kinds.add(errors.OutcomeUnknown)
    kinds.update(route.fails)
    if "{" in route.path:
        kinds.add(errors.NotFound)
    if issubclass(route.query, From):
        kinds.add(errors.BadCursor)
    if route.body is not None:
        kinds |= {errors.MalformedJson, errors.UnsupportedMediaType, errors.UnsupportedCharset, errors.Invalid}
    if route.method not in SAFE:
        kinds |= {errors.Stale, errors.PreconditionFailed}
    if declared.takes_keys and not declared.public:
        kinds |= {errors.BadIdempotencyKey, errors.IdempotencyKeyReused, errors.AlreadyDone}
    found = {problems.status_and_code(kind)[1] for kind in kinds}
    if route.body is not None:
        found.add("unknown_encoding")
    found |= {"bad_request", "rate_limited", "internal_error"}
    if not declared.public:
        found |= {"invalid_token", "forbidden"}
    return found


def _name(status: int) -> str:
    return _TITLES[status].replace(" ", "")


def _known_problems() -> dict[str, tuple[int, str]]:
    """By code, its status and what it says."""
    known = dict(_OF_GATEWAY)
    for kind in _subclasses(errors.TaskSyncError):
        status, code = problems.status_and_code(kind)
        known.setdefault(code, (status, kind.detail))
    return known


def _subclasses(kind: type[errors.TaskSyncError]) -> list[type[errors.TaskSyncError]]:
    below = [each for direct in kind.__subclasses__() for each in _subclasses(direct)]
    concrete = [] if "detail" not in vars(kind) or kind is errors.TaskSyncError else [kind]
    return concrete + below

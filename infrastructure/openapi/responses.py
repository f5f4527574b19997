"""What a route may answer: each status with its shape, its headers and the codes of its problems."""

from typing import get_type_hints, is_typeddict

from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, Schemas
from tasksync import errors
from tasksync.http import problems
from tasksync.http.answers import Problem
from tasksync.http.api import SAFE, Route
from tasksync.http.fields import From
from tasksync.http.responses import PROBLEM

_REQUEST_ID = "1699949d-2e5e-4180-b16b-88be7d4f67c2"

# What the gateway answers by itself to any request, and a defect of ours; the rest come from ``problems``.
_OF_GATEWAY = {
    "bad_request": (400, "The request could not be understood."),
    "forbidden": (403, "The access token does not allow this."),
    "unknown_encoding": (415, "A body may be compressed with gzip or deflate, as Content-Encoding says."),
    "rate_limited": (429, "The service takes no more requests at the moment."),
    "internal_error": (500, "Something went wrong on our side."),
}

_HEADERS: dict[str, Json] = {
    "RequestId": {
        "description": "The id of this request; it is in every line that was logged for it.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "ETag": {
        "description": "Of the resource's version; for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "examples": ['"1"']},
    },
    "Location": {
        "description": "Where the new resource is, below the host.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, with `rel="next"` (RFC 8288); absent on the last page.',
        "schema": {"type": "string"},
    },
    "IdempotencyReplayed": {
        "description": "Present where this is the answer that the first request with the same key was given.",
        "schema": {"type": "string", "const": "true"},
    },
    "RetryAfter": {
        "description": "In how many seconds to try again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$", "examples": ["1"]},
    },
    "RateLimitPolicy": {
        "description": "What is counted, and how many there may be in how many seconds.",
        "schema": {"type": "string", "examples": ['"read";q=600;w=60']},
    },
    "RateLimit": {
        "description": "How many are left, and for how many seconds.",
        "schema": {"type": "string", "examples": ['"read";r=599;t=30']},
    },
    "WWWAuthenticate": {"description": "RFC 6750 §3, RFC 9470 §3.", "required": True, "schema": {"type": "string"}},
}
_NAMES = {
    "RequestId": "X-Request-Id",
    "IdempotencyReplayed": "Idempotency-Replayed",
    "RetryAfter": "Retry-After",
    "RateLimitPolicy": "RateLimit-Policy",
    "WWWAuthenticate": "WWW-Authenticate",
}
_OF_STATUS = {401: ["WWWAuthenticate"], 429: ["RetryAfter", "RateLimitPolicy", "RateLimit"], 503: ["RetryAfter"]}


class Responses:
    """The answers of all routes. What several share becomes a component of the document."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._problems = _known_problems()
        self._used: dict[str, Json] = {}
        self._shared: dict[str, Json] = {}

    @property
    def components(self) -> Json:
        return {
            "responses": dict(sorted(self._shared.items())),
            "headers": _HEADERS,
            "examples": dict(sorted(self._used.items())),
        }

    def of(self, declared: Declared) -> Json:
        """By status, all that the route may answer."""
        found = {str(declared.route.status): self._success(declared)}
        if has_entity_tag(declared.route) and declared.route.method in SAFE:
            found["304"] = {
                "description": "The client has this version already.",
                "headers": _headers("RequestId", "ETag"),
            }
        codes: dict[int, set[str]] = {}
        for code in self._codes(declared):
            codes.setdefault(self._problems[code][0], set()).add(code)
        for status in sorted(codes):
            found[str(status)] = self._problem(status, sorted(codes[status]))
        if declared.route.failed_answer is not None:
            failed = self._problem_itself(503, sorted(codes[503]))
            failed["content"]["application/json"] = {"schema": self._schemas.of(declared.route.failed_answer)}
            found["503"] = failed
        return found

    def _success(self, declared: Declared) -> Json:
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
        answer: Json = {"description": _SUCCESSES[route.status], "headers": _headers(*headers)}
        if route.answer is not None and route.method != "HEAD":
            schema = self._schemas.of(route.answer)
            answer["content"] = {media_type: {"schema": schema} for media_type in route.media_types}
        return answer

    def _codes(self, declared: Declared) -> set[str]:
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
        codes = {problems.status_and_code(kind)[1] for kind in kinds}
        if route.body is not None:
            codes.add("unknown_encoding")
        codes |= {"bad_request", "rate_limited", "internal_error"}
        if not declared.public:
            codes |= {"invalid_token", "forbidden"}
        return codes

    def _problem(self, status: int, codes: list[str]) -> Json:
        """A reference to the answer, under a name that tells its status and what sets it apart."""
        apart = [code for code in codes if code not in _EVERYWHERE]
        name = "_".join([_TITLES[status].replace(" ", ""), *apart])
        answer = self._problem_itself(status, codes)
        if self._shared.setdefault(name, answer) != answer:
            raise ValueError(f"two answers are called {name}")
        return {"$ref": f"#/components/responses/{name}"}

    def _problem_itself(self, status: int, codes: list[str]) -> Json:
        for code in codes:
            self._used[code] = self._example(code)
        return {
            "description": "\n".join(f"- `{code}`: {self._problems[code][1]}" for code in codes),
            "headers": _headers("RequestId", *_OF_STATUS.get(status, [])),
            "content": {
                PROBLEM: {
                    "schema": self._schemas.of(Problem),
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
                }
            },
        }

    def _example(self, code: str) -> Json:
        status, detail = self._problems[code]
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

_SUCCESSES = {200: "Done.", 201: "Made.", 204: "Done; there is nothing to say."}

# Not part of a shared answer's name.
_EVERYWHERE = {
    *("bad_request", "invalid_query", "forbidden", "body_too_large", "unknown_encoding", "rate_limited"),
    *("internal_error", "dependency_failed", "outcome_unknown"),
}

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


def has_entity_tag(route: Route) -> bool:
    """Whether the answer is one resource with a version, or says that it has another tag."""
    return route.tagged or (is_typeddict(route.answer) and get_type_hints(route.answer).get("version") is int)


def _headers(*names: str) -> Json:
    return {_NAMES.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in names}

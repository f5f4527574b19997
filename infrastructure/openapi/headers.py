"""The headers of responses."""

from infrastructure.openapi.schemas import Json

HEADERS: dict[str, Json] = {
    "RequestId": {
        "description": "The id of this request; it is in every line that was logged for it.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "ETag": {
        "description": "The entity tag of the resource's version, for `If-Match` and `If-None-Match`.",
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
        "description": (
            "For each limit that the request counts against: its name, `q` how many requests there may be, and `w` in "
            "how many seconds."
        ),
        "schema": {"type": "string", "examples": ['"read";q=600;w=60']},
    },
    "RateLimit": {
        "description": (
            "For each of these limits: `r` how many requests are left, and `t` in how many seconds there are `q` again."
        ),
        "schema": {"type": "string", "examples": ['"read";r=599;t=30']},
    },
    "WWWAuthenticate": {
        "description": "How to authenticate: a bearer token (RFC 6750 §3), of a recent sign-in (RFC 9470 §3).",
        "required": True,
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
}
"""By the name of the component."""

_NAMES = {
    "RequestId": "X-Request-Id",
    "IdempotencyReplayed": "Idempotency-Replayed",
    "RetryAfter": "Retry-After",
    "RateLimitPolicy": "RateLimit-Policy",
    "WWWAuthenticate": "WWW-Authenticate",
}


def header_references(*names: str) -> Json:
    """``headers`` of a response: by the header's name, a reference to the component."""
    return {_NAMES.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in names}

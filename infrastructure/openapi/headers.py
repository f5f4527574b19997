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
    "CurrentETag": {
        "description": "Of the version that is there; absent where there are no versions.",
        "schema": {"type": "string", "examples": ['"2"']},
    },
    "WWWAuthenticate": {
        "description": "How to authenticate (RFC 6750 §3). Present where the gateway refuses the access token.",
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
    "RemappedWWWAuthenticate": {
        "description": (
            "`WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3) under the name that API Gateway gives it where a function "
            "answers: at sign-in, refresh and `/metrics`, and where a recent sign-in is needed. `code` and `max_age` "
            "in the body say the same."
        ),
        "schema": {"type": "string"},
    },
}
"""By the name of the component."""

_NAMES = {
    "RequestId": "X-Request-Id",
    "IdempotencyReplayed": "Idempotency-Replayed",
    "RetryAfter": "Retry-After",
    "RateLimitPolicy": "RateLimit-Policy",
    "CurrentETag": "ETag",
    "WWWAuthenticate": "WWW-Authenticate",
    "RemappedWWWAuthenticate": "X-Amzn-Remapped-WWW-Authenticate",
}


def header_references(*names: str) -> Json:
    """``headers`` of a response: by the header's name, a reference to the component."""
    return {_NAMES.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in names}

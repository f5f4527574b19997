"""The headers of responses."""

from infrastructure.openapi.schemas import Json

HEADERS: dict[str, Json] = {
    "RequestId": {
        "description": "The id of this request; every log line of the request has it.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "ETag": {
        "description": (
            "The entity tag, for `If-Match` and `If-None-Match`. Of a resource with a `version`: that, a full stop, "
            "and a digest of this response."
        ),
        "required": True,
        "schema": {"type": "string", "examples": ['"1.hV2fQx_0"']},
    },
    "Location": {
        "description": "The path of the new resource.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, with `rel="next"` (RFC 8288); absent on the last page.',
        "schema": {"type": "string"},
    },
    "IdempotencyReplayed": {
        "description": "Present if this is the stored response to the first request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$", "examples": ["1"]},
    },
    "RateLimitPolicy": {
        "description": (
            "For each limit that the request counts against: its name, the number `q` of allowed "
            "requests, and the window `w` in seconds."
        ),
        "schema": {"type": "string", "examples": ['"read";q=600;w=60']},
    },
    "RateLimit": {
        "description": (
            "For each of these limits: the number `r` of remaining requests, and the seconds `t` "
            "until there are `q` again."
        ),
        "schema": {"type": "string", "examples": ['"read";r=599;t=30']},
    },
    "CurrentETag": {
        "description": "The current version as `If-Match` takes it; absent if the resource has no versions.",
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

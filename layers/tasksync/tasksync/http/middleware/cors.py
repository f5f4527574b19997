"""Which pages of other origins may use the API from a browser (CORS: WHATWG Fetch §3.3; OWASP ASVS 5.0.0 §3.4.2).

The response to an origin on the list names it; the response to another origin names none. No cookies are used, so
credentials are never allowed.
"""

from tasksync.runtime.settings import settings

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match"
_EXPOSED = (
    # The name under which the gateway hands on WWW-Authenticate, too.
    "Age, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, "
    "X-Amzn-Remapped-WWW-Authenticate, X-Request-Id"
)
# Chromium caches a preflight no longer than this; https://developer.mozilla.org/docs/Web/HTTP/Headers/Access-Control-Max-Age
_CACHED_SECONDS = 7200

# Caches on the way must not give one origin the response to another.
_VARY = {"Vary": "Origin"}


def headers(origin: str | None) -> dict[str, str]:
    """What every response to a page of ``origin`` carries."""
    if not _allowed(origin):
        return _VARY
    return {**_VARY, "Access-Control-Allow-Origin": str(origin), "Access-Control-Expose-Headers": _EXPOSED}


def preflight_headers(origin: str | None) -> dict[str, str]:
    """What the response to ``OPTIONS`` carries: whether a page of ``origin`` may send a request."""
    if not _allowed(origin):
        return _VARY
    return {
        **_VARY,
        "Access-Control-Allow-Origin": str(origin),
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": str(_CACHED_SECONDS),
    }


def _allowed(origin: str | None) -> bool:
    return origin in settings.cors_allowed_origins

"""Which pages of other origins may use the API from a browser (CORS: WHATWG Fetch §3.3; OWASP ASVS 5.0.0 §3.4.2).

The response to an origin on the list names it; the response to another origin names none. No cookies are used, so
credentials are never allowed.
"""

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
VARY = {"Vary": "Origin"}
"""To every response."""

READABLE = {**VARY, "Access-Control-Expose-Headers": _EXPOSED}
"""To the response to an origin on the list, which ``Access-Control-Allow-Origin`` names."""

PREFLIGHT = {
    **VARY,
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": _REQUEST_HEADERS,
    "Access-Control-Max-Age": str(_CACHED_SECONDS),
}
"""To ``OPTIONS`` of such an origin: it may send a request."""

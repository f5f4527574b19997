"""What a view answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"

# On every answer. What is private must be kept by nobody on the way; a page or script may not use an answer as its own.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    # A directive without a value allows nothing, as 'none' does (CSP 3 §6.7.2). The gateway's own answers carry the
    # same header, and API Gateway cannot write a quotation mark.
    "Content-Security-Policy": "default-src; frame-ancestors",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body and headers beyond those that every answer carries.

    A text is sent as it stands, and needs a Content-Type among the headers; anything else is sent as JSON. None: there
    is no body.
    """

    status: int
    body: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(body: Mapping[str, Any], version: int | str | None = None) -> Response:
    return Response(200, body, _etag(version))


def uncompressed(response: Response) -> Response:
    """The same, which the gateway does not compress: it leaves alone what says how it is encoded.

    For an answer that holds tokens, a room's code or an address beside what others wrote: how well the two compress
    together would tell whoever sees the connection whether they are alike (BREACH, CVE-2013-3587).
    """
    return replace(response, headers={**response.headers, "Content-Encoding": "identity"})


def created(body: Mapping[str, Any], location: str, version: int | None = None) -> Response:
    """``location`` is the path below the API's root; the root is put before it when the answer is sent."""
    return Response(201, body, {"Location": location, **_etag(version)})


def no_content() -> Response:
    return Response(204)


def not_modified(version: int | str) -> Response:
    return Response(304, None, _etag(version))


def etag(version: int | str) -> str:
    """A strong entity tag (RFC 9110 §8.8.3): the version, or a digest, changes with every change of the resource."""
    return f'"{version}"'


def _etag(version: int | str | None) -> dict[str, str]:
    return {} if version is None else {"ETag": etag(version)}

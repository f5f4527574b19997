"""Responses, as handlers return them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"

# Sent with every response. Intermediaries must not store private data; no page or script may load a response.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    # A directive without a value allows nothing, as 'none' does (CSP 3 §6.7.2). The gateway's own responses have the
    # same header, and API Gateway cannot write a quotation mark.
    "Content-Security-Policy": "default-src; frame-ancestors",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body, and headers in addition to ``SECURITY_HEADERS``.

    A text body is sent unchanged, and needs a Content-Type header; other bodies are sent as JSON. None: no body.
    """

    status: int
    body: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(body: Mapping[str, Any], version: int | str | None = None) -> Response:
    """Status 200, with an entity tag if there is a version."""
    return Response(200, body, _etag(version))


def uncompressed(response: Response) -> Response:
    """The response, excluded from compression: the gateway compresses no response that names its encoding.

    For responses that contain a secret (a token, a room code, an address) next to text of other users: the compressed
    size would show whether the text resembles the secret (BREACH, CVE-2013-3587).
    """
    return replace(response, headers={**response.headers, "Content-Encoding": "identity"})


def created(body: Mapping[str, Any], location: str, version: int | None = None) -> Response:
    """Status 201. ``location``: the path below the API's root; the root is prepended when the response is sent."""
    return Response(201, body, {"Location": location, **_etag(version)})


def no_content() -> Response:
    """Status 204."""
    return Response(204)


def not_modified(version: int | str) -> Response:
    """Status 304, with the entity tag that matched."""
    return Response(304, None, _etag(version))


def etag(version: int | str) -> str:
    """A strong entity tag (RFC 9110 §8.8.3) of a version or a digest, which change with every change of the
    resource."""
    return f'"{version}"'


def _etag(version: int | str | None) -> dict[str, str]:
    return {} if version is None else {"ETag": etag(version)}

"""Checks of the gateway's own responses, as a client sees them.

The local gateway does these things otherwise than API Gateway (``docs/guides/run-locally.md``), so only this check, run
on AWS, shows that they are right there.
"""

import gzip
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infrastructure.smoke.findings import Check

_TIMEOUT_SECONDS = 30
_UNKNOWN = "/no-such-path"
_PRIVATE = "/tasks"
_STRANGER = "https://stranger.example"

# Anything may stand in this header. On a path without a route API Gateway takes it for a signature of its own.
_AUTHORIZATIONS = (
    "Bearer not-a-token",
    "not-a-token",
    "Basic YW5uOnBhc3N3b3Jk",
    "AWS4-HMAC-SHA256 Credential=x/20270101/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=x",
)


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


def ask(url: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> Response:
    """Raises OSError."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, address.path.rstrip("/") + path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Response(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )
    except http.client.HTTPException as error:
        raise OSError(f"{method} {path}: {error!r}") from error
    finally:
        connection.close()


def checks(url: str, origins: list[str]) -> dict[str, Check]:
    """``origins``: what ``CorsAllowedOrigins`` allows; ``*`` for all."""
    return {
        "unknown paths": lambda: _unknown_paths(url),
        "requests without a good token": lambda: _refusals(url),
        "CORS": lambda: _cors(url, origins),
        "compression": lambda: _compression(url),
    }


def _unknown_paths(url: str) -> list[str]:
    faults = _problem(ask(url, "GET", _UNKNOWN), 404, f"GET {_UNKNOWN}")
    for authorization in _AUTHORIZATIONS:
        response = ask(url, "GET", _UNKNOWN, {"Authorization": authorization})
        faults += _problem(response, 404, f"GET {_UNKNOWN} with Authorization: {authorization.split(',')[0]}")
    return faults


def _refusals(url: str) -> list[str]:
    responses = {"without a token": ask(url, "GET", _PRIVATE)}
    for authorization in _AUTHORIZATIONS:
        name = f"with Authorization: {authorization.split(',')[0]}"
        responses[name] = ask(url, "GET", _PRIVATE, {"Authorization": authorization})
    faults = []
    for name, response in responses.items():
        faults += _problem(response, 401, f"GET {_PRIVATE} {name}")
        if not response.headers.get("www-authenticate", "").startswith("Bearer"):
            faults.append(f"GET {_PRIVATE} {name}: no WWW-Authenticate: Bearer (RFC 9110 §11.6.1)")
    return faults


def _cors(url: str, origins: list[str]) -> list[str]:
    faults = []
    listed = next((origin for origin in origins if origin != "*"), None)
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, allowed in ((listed, True), (_STRANGER, "*" in origins)):
        if origin is None:
            continue
        response = ask(url, "OPTIONS", _PRIVATE, {"Origin": origin, **asked})
        if (response.headers.get("access-control-allow-origin") in (origin, "*")) is not allowed:
            faults.append(f"OPTIONS {_PRIVATE} from {origin}: {'not ' if allowed else ''}allowed")
    if "*" in origins and ask(url, "GET", _UNKNOWN).headers.get("access-control-allow-origin") != "*":
        faults.append(f"GET {_UNKNOWN}: pages of other origins cannot read a gateway response")
    return faults


def _compression(url: str) -> list[str]:
    packed = ask(url, "GET", "/openapi.json", {"Accept-Encoding": "gzip"})
    plain = ask(url, "GET", "/openapi.json", {"Accept-Encoding": "identity"})
    if packed.headers.get("content-encoding") != "gzip":
        return ["GET /openapi.json is not compressed for a client that takes gzip"]
    if "content-encoding" in plain.headers:
        return ["GET /openapi.json is compressed for a client that does not take it"]
    if gzip.decompress(packed.body) != plain.body:
        return ["GET /openapi.json differs compressed and not"]
    return []


def _problem(response: Response, status: int, request: str) -> list[str]:
    """Whether it is a problem document (RFC 9457) of this status."""
    faults = []
    if response.status != status:
        faults.append(f"{request}: {response.status} instead of {status}")
    media_type = response.headers.get("content-type", "none")
    if media_type.partition(";")[0] != "application/problem+json":
        faults.append(f"{request}: the content type is {media_type}")
    try:
        document: Any = json.loads(response.body)
    except ValueError:
        return [*faults, f"{request}: the body is no JSON"]
    if document.get("status") != response.status or not document.get("code") or not document.get("request_id"):
        faults.append(f"{request}: no problem document with status, code and request id")
    return faults

"""Holds answers against the API's description: whatever is asked in any test, the response must be one it tells of.

Stricter than the description is to clients: those must expect further fields, here one that is not described is an
error. And what is accepted must have been allowed: a body with which a request succeeded is held against its schema.
"""

import base64
import copy
import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from infrastructure.openapi import file
from tasksync.http.problems import FIELD_CODES, PROBLEM_TYPES

_PROBLEM = "application/problem+json"
# Headers that say something of their own; one of these where the description has none would be unknown to clients.
_TELLING = {
    *("ETag", "Location", "Link", "Retry-After", "Idempotency-Replayed"),
    *("WWW-Authenticate", "X-Amzn-Remapped-WWW-Authenticate"),
}


class Undescribed(AssertionError):
    """A response that the description does not tell of."""


class Description:
    """An OpenAPI document, ready to have answers held against it."""

    def __init__(self, document: Any) -> None:
        self._document = _closed(document)
        # Fixed segments first, as the gateway chooses: /rooms/join is no room.
        self._paths = sorted(
            ((_pattern(path), operations) for path, operations in document["paths"].items()),
            key=lambda path: path[0].groups,
        )
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, response: httpx.Response, path: str, *, of_old: bool = False) -> None:
        """Raises ``Undescribed``, saying what is wrong. ``path``: the one asked for, below the API's root.

        ``of_old``: the request repeats what was stored when less was refused. That it may, no schema can say.
        """
        method = response.request.method
        operation, versioned = self._operation(method, path)
        for fault in self._faults(operation, versioned, response, of_old):
            raise Undescribed(f"{method} {path} → {response.status_code} {response.text[:500]}: {fault}")

    def _operation(self, method: str, path: str) -> tuple[Any, bool]:
        """The operation, if there is one, and whether what it is about has a version."""
        # To the gateway a slash at the end makes no difference.
        path = path.rstrip("/") or "/"
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                successes = [each["responses"].get("200", {"headers": {}}) for each in operations.values()]
                versioned = pattern.groups > 0 and any("ETag" in each["headers"] for each in successes)
                return operations.get(method.lower()), versioned
        return None, False

    def _faults(self, operation: Any, versioned: bool, response: httpx.Response, of_old: bool) -> Iterator[str]:
        if operation is None:
            # The gateway refuses what it has no route for.
            asked_before = response.request.method == "OPTIONS" and not response.content
            if response.status_code < 400 and not asked_before:
                yield "there is no such operation"
            elif response.content:
                yield from self._against({"$ref": "#/components/schemas/Problem"}, response.json(), "the problem")
                yield from _off_the_page(response.json())
            return
        described = self._resolved(operation["responses"].get(str(response.status_code)))
        if described is None:
            yield "this status is not described"
            return
        yield from self._of_headers(described, response)
        if response.status_code == 412 and versioned and "ETag" not in response.headers:
            yield "it does not say which version is there"
        yield from self._of_content(described.get("content", {}), operation["x-problem-codes"], response)
        if "ETag" in response.headers:
            yield from _of_tag(response)
        if response.is_success and not of_old:
            yield from self._of_request(operation, response.request)

    def _of_headers(self, described: Any, response: httpx.Response) -> Iterator[str]:
        headers = {name: self._resolved(header) for name, header in described["headers"].items()}
        for name, header in headers.items():
            if name in response.headers:
                yield from self._against(header["schema"], response.headers[name], name)
            elif header.get("required"):
                yield f"{name} is missing"
        for name in _TELLING - headers.keys():
            if name in response.headers:
                yield f"{name} is not described"

    def _of_content(self, content: Any, codes: list[str], response: httpx.Response) -> Iterator[str]:
        if not response.content or response.request.method == "HEAD":
            if content and response.request.method != "HEAD":
                yield "there is no body"
            return
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        described = content.get(media_type)
        if described is None:
            yield f"{media_type or 'a body'} is not described"
        elif media_type.endswith("json"):
            body = response.json()
            yield from self._against(described["schema"], body, "the body")
            if media_type == _PROBLEM:
                if body["code"] not in codes:
                    yield f"the code {body['code']} is not described"
                yield from _off_the_page(body)

    def _of_request(self, operation: Any, request: httpx.Request) -> Iterator[str]:
        known = {parameter["name"] for parameter in map(self._resolved, operation.get("parameters", []))}
        ignoring = "security" in operation and request.method in ("GET", "HEAD")
        for name in () if ignoring else request.url.params.keys() - known:
            yield f"the parameter {name} is not described, and was accepted"
        if "requestBody" in operation and request.content:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            yield from self._against(schema, _normal(json.loads(request.content)), "the request, which was accepted,")

    def _against(self, schema: Any, value: Any, what: str) -> Iterator[str]:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        for error in self._validators[key].iter_errors(value):
            yield f"{what} is not as described at {error.json_path}: {error.message[:300]}"

    def _resolved(self, described: Any) -> Any:
        if described is None or "$ref" not in described:
            return described
        _, _, kind, name = described["$ref"].split("/")
        return self._document["components"][kind][name]


def _of_tag(response: httpx.Response) -> Iterator[str]:
    """Of what shows a version, the tag is that and a digest of the body. Of a replay, part of the body may be left
    out."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    if response.status_code not in (200, 201) or media_type != "application/json" or not response.content:
        return
    version = response.json().get("version")
    if type(version) is not int or "Idempotency-Replayed" in response.headers:
        return
    digest = base64.urlsafe_b64encode(hashlib.sha256(response.content).digest()).decode()
    if response.headers["ETag"] != f'"{version}.{digest[:8]}"':
        yield f"the tag {response.headers['ETag']} is not that of the body"


def _off_the_page(problem: Any) -> Iterator[str]:
    """What of a problem is not on the page of errors (docs/reference/errors.md), which is made from these tables."""
    statuses = {kind.code: kind.status for kind in PROBLEM_TYPES.values()}
    if problem.get("status") != statuses.get(problem.get("code")):
        yield f"the code {problem.get('code')} with this status is not on the page of errors"
    for code in {fault["code"] for fault in problem.get("errors", [])} - FIELD_CODES.keys():
        yield f"the code {code} of a field is not on the page of errors"


@functools.cache
def description() -> Description:
    """The one that is served."""
    return Description(file.read())


def _normal(value: Any) -> Any:
    """The texts of a body as they are kept: lengths count those, which JSON Schema has no words for."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n"))
    if isinstance(value, dict):
        return {name: _normal(each) for name, each in value.items()}
    return [_normal(each) for each in value] if isinstance(value, list) else value


def _pattern(path: str) -> "re.Pattern[str]":
    return re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path)))


def _closed(document: Any) -> Any:
    """A copy in which no object has fields beyond those described."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        if schema.get("type") == "object" and "properties" in schema:
            schema["additionalProperties"] = False
    return document

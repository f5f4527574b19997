"""Enforces the IAM statements of the function that is running, as AWS does and moto does not.

It stands before moto on botocore's way out. A call that no statement allows is answered with AccessDeniedException, and
noted: the product may turn that into a 503, so the test ends with an error of its own that names what was missing.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.botocore_stubber import MockRawResponse

_TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "Get": "GetItem",
}


class Permissions:
    """Which function is running, what it may do, and what it tried without being allowed to."""

    def __init__(self, table_arn: str) -> None:
        self._table_arn = table_arn
        self._running: tuple[str, Sequence[Mapping[str, Any]]] | None = None
        self.denied: list[str] = []

    @contextmanager
    def of(self, function: str, statements: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Hold every AWS call in this block against ``statements``."""
        before, self._running = self._running, (function, statements)
        try:
            yield
        finally:
            self._running = before

    def check(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """An answer that denies the call, or None to let it pass. Calls of the tests themselves pass."""
        if self._running is None:
            return None
        function, statements = self._running
        missing = [need for need in self._needs(request) if not _allows(statements, *need)]
        if not missing:
            return None
        self.denied += [f"{function} may not {action} on {resource}" for action, resource in missing]
        action, resource = missing[0]
        return _access_denied(request, f"not authorized to perform: {action} on resource: {resource}")

    def _needs(self, request: AWSPreparedRequest) -> list[tuple[str, str]]:
        """The actions and resources a call needs; an unknown kind of call needs what nobody is granted."""
        service, _, operation = _text(request.headers.get("X-Amz-Target", "")).partition(".")
        body = json.loads(_text(request.body or b"{}"))
        if service.startswith("DynamoDB_"):
            return [(f"dynamodb:{action}", self._table_arn + table) for action, table in _dynamodb(operation, body)]
        if service == "secretsmanager":
            return [(f"secretsmanager:{operation}", body["SecretId"])]
        return [(f"{service or request.url}:{operation}", "*")]


def _dynamodb(operation: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    if operation.startswith("Transact"):
        writes = [next(iter(item.items())) for item in body["TransactItems"]]
        return [(_TRANSACTION_ACTIONS[kind], write["TableName"]) for kind, write in writes]
    if operation.startswith("Batch"):
        return [(operation, table) for table in body["RequestItems"]]
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    return [(operation, body["TableName"] + index)]


def _allows(statements: Sequence[Mapping[str, Any]], action: str, resource: str) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements
    )


def _access_denied(request: AWSPreparedRequest, message: str) -> AWSResponse:
    document = {"__type": "com.amazon.coral.service#AccessDeniedException", "message": message, "Message": message}
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, 400, headers, MockRawResponse(json.dumps(document)))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def install(permissions: Permissions) -> None:
    """Put the check before moto's own hook, in all botocore clients made from now on."""
    BUILTIN_HANDLERS.insert(0, ("before-send", lambda request, **_: permissions.check(request)))

"""Enforces the IAM statements of the function that is running, as AWS does and moto does not.

It stands before moto on botocore's way out. A call that no statement allows fails as AWS would let it fail, and is
noted: the product may turn that into a 503, so the test ends with an error of its own that names what was missing.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT

_CLOUDWATCH = "GraniteServiceVersion20100801"
_WEBSOCKETS = re.compile(r"https://(?P<api>\w+)\.execute-api\.[\w.-]+/(?P<stage>\w+)/(?P<path>@connections/.+)")
_TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "Get": "GetItem",
}


class Permissions:
    """Which function is running, what it may do, what it did, and what it tried without being allowed to."""

    def __init__(self, table_arn: str) -> None:
        self._table_arn = table_arn
        self._running: tuple[str, Sequence[Mapping[str, Any]]] | None = None
        self.denied: list[str] = []
        self.calls: list[str] = []
        """The operation of each call that a function made, allowed or not."""
        self.used: set[tuple[str, str, str]] = set()
        """Function, action and resource of each call that was allowed."""
        self.out_of_reach: str | None = None
        """Name of a table that answers no call of any function."""

    @contextmanager
    def outage(self, table: str) -> Iterator[None]:
        """For the block, no function reaches this table."""
        self.out_of_reach = table
        try:
            yield
        finally:
            self.out_of_reach = None

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """For the block, no function is running: what is called is the test's own."""
        before, self._running = self._running, None
        try:
            yield
        finally:
            self._running = before

    @contextmanager
    def of(self, function: str, statements: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Hold every AWS call in this block against ``statements``."""
        before, self._running = self._running, (function, statements)
        try:
            yield
        finally:
            self._running = before

    def check(self, request: AWSPreparedRequest) -> None:
        """Raise what botocore makes of AWS's refusal, unless all is allowed. Calls of the tests themselves are.

        Raised, not answered: botocore asks every hook, and moto's would carry out what this one had refused.
        """
        if self._running is None:
            return
        function, statements = self._running
        self.calls.append(_operation(request)[1])
        needs = self._needs(request)
        if any(resource.startswith(f"{self._table_arn}{self.out_of_reach}") for _, resource in needs):
            # Not one that botocore repeats: a test has no time to wait.
            raise _refused("ResourceNotFoundException", "out of reach", "any")
        missing = [need for need in needs if not _allows(statements, *need)]
        if not missing:
            self.used |= {(function, *need) for need in needs}
        else:
            self.denied += [f"{function} may not {action} on {resource}" for action, resource in missing]
            raise _access_denied(*missing[0])

    def _needs(self, request: AWSPreparedRequest) -> list[tuple[str, str]]:
        """The actions and resources a call needs; an unknown kind of call needs what nobody is granted."""
        if found := _WEBSOCKETS.fullmatch(str(request.url)):
            path = f"{found['api']}/{found['stage']}/{request.method}/{found['path']}"
            return [("execute-api:ManageConnections", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{path}")]
        service, operation = _operation(request)
        if service == _CLOUDWATCH:
            return [(f"cloudwatch:{operation}", "*")]
        body = json.loads(request.body) if isinstance(request.body, str | bytes) and request.body else {}
        if service.startswith("DynamoDB_"):
            return [(f"dynamodb:{action}", self._table_arn + table) for action, table in _dynamodb(operation, body)]
        if service == "secretsmanager":
            return [(f"secretsmanager:{operation}", body["SecretId"])]
        if service == "AmazonSQS":
            queue = body["QueueUrl"].rpartition("/")[2]
            return [(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")]
        return [(f"{service or request.url}:{operation}", "*")]


def _operation(request: AWSPreparedRequest) -> tuple[str, str]:
    """The service and the operation that a request names: in its path where it speaks CBOR, in a header otherwise."""
    _, _, path = str(request.url).partition("/service/")
    if path:
        service, _, operation = path.partition("/operation/")
        return service, operation
    service, _, operation = _text(request.headers.get("X-Amz-Target", "")).partition(".")
    return service, operation


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


def _access_denied(action: str, resource: str) -> ClientError:
    message = f"not authorized to perform: {action} on resource: {resource}"
    return _refused("AccessDeniedException", message, action.partition(":")[2])


def _refused(code: str, message: str, operation: str) -> ClientError:
    error: Any = {"Error": {"Code": code, "Message": message}}
    return ClientError(error, operation)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def install(permissions: Permissions) -> None:
    """Put the check before moto's own hook, in all botocore clients made from now on."""
    BUILTIN_HANDLERS.insert(0, ("before-send", lambda request, **_: permissions.check(request)))

"""The one connection to DynamoDB that all models share, and how it fails."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Self

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.models import Model

from tasksync.aws.client import DYNAMODB, Client, Codec, RetryPolicy, may_be_carried_out
from tasksync.dynamodb.core import batches
from tasksync.dynamodb.core.decoder import item_of
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.errors import Defect, DependencyFailed, OutcomeUnknown, TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime import unit_of_work

# Three attempts at most, with back-off, stay below the shortest timeout of an API function (20 s) less one second:
# 3 x (1 s + 3 s) + 1 s + 2 s = 15 s. Throttled, failed and unanswered requests are repeated. A repeated transaction
# carries the same token, so DynamoDB carries it out once; every other write of ours may be carried out twice.
_RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)

_MSGSPEC = Codec(msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)

# Above the number of reads that one request makes at the same time (``CONCURRENT_READS``, at most 16).
_CONNECTIONS = 17

# These answer a question we asked; every other error means that the table did not answer.
_ANSWERS = {"ConditionalCheckFailedException", "TransactionCanceledException"}

# These say that what we asked cannot be asked: our own code is wrong, and the same again would be refused again. That a
# table is not there or may not be used is a fault of the deployment, and passes when that is repaired.
_DEFECTS = {
    "IdempotentParameterMismatchException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
}

_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}

# For the log line: what each call costs.
_COUNTED = {"ReturnConsumedCapacity": "TOTAL"}

MOST_KEYS = 100
"""Of one BatchGetItem."""

# Several reads of one request may be the first ones of a table.
_connecting = threading.Lock()


class SharedConnection(Connection):
    """Sends by our own client, and reports every failure in our own words, except the outcome of a condition.

    ``DependencyFailed``: nothing was written. ``OutcomeUnknown``: it may have been. ``Defect``: it was not understood.
    """

    def __init__(self) -> None:
        super().__init__()
        self._aws = Client(DYNAMODB, _RETRY_POLICY, _MSGSPEC, unit_of_work.count, _CONNECTIONS)

    @property
    def client(self) -> Client:  # type: ignore[override]  # of botocore's, PynamoDB uses one method
        return self._aws

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Without PynamoDB's signals, which nobody listens to here. A batch is carried out to its end.

        PynamoDB asks for the rest of a batch read for ever and without a pause, and gives up a batch write after two
        repeats at once. It never gets to: here nothing is left over.
        """
        request = {**_COUNTED, **operation_kwargs}
        if operation_name in batches.LEFT:
            return batches.run_batch(operation_name, request, self._send)
        return self._send(operation_name, request)

    def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with _reporting(operation):
            answer: dict[str, Any] = self._make_api_call(operation, request)
        if operation in _WRITES:
            unit_of_work.current().usage.writes += 1
        return answer

    def read(self, operation: str, parameters: Mapping[str, Any], decode: Callable[[bytes], Any]) -> dict[str, Any]:
        """Past PynamoDB; ``decode`` reads the answer."""
        with _reporting(operation):
            return self._aws.call(operation, {**_COUNTED, **parameters}, decode)


@contextmanager
def _reporting(operation: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _ANSWERS:
            raise
        raise (defect(operation, code) if code in _DEFECTS else _unanswered(operation, error)) from error
    except BotoCoreError as error:
        raise _unanswered(operation, error) from error


def defect(operation: str, code: str) -> Defect:
    """What is to be raised where DynamoDB refuses what our own code asked. It has its log line, whoever catches it.

    Without DynamoDB's message, which may quote what a client sent.
    """
    log(
        "ERROR",
        "request to DynamoDB refused",
        request_id=unit_of_work.current().request_id,
        operation=operation,
        code=code,
    )
    return Defect(operation, code)


def _unanswered(operation: str, error: Exception) -> TaskSyncError:
    return OutcomeUnknown() if operation in _WRITES and may_be_carried_out(error) else DependencyFailed()


@functools.cache
def shared_connection() -> SharedConnection:
    """PynamoDB by itself makes a connection for each model."""
    return SharedConnection()


class SharedModel(Model):
    """A model that uses the shared connection.

    All kinds of items of one table derive from one model that declares the table's keys and indexes, so that the
    shared connection learns them from whichever is used first.
    """

    @classmethod
    def from_raw_data(cls, data: Raw) -> Self:
        return item_of(cls, data)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        with _connecting:
            table = super()._get_connection()
            shared = shared_connection()
            if table.connection is not shared:
                known = shared._tables  # noqa: SLF001  # PynamoDB has no way to ask which tables are known
                if table.table_name not in known:
                    shared.add_meta_table(table.get_meta_table())
                table.connection = shared
        return table


def get_item(table: str, key: Raw) -> Raw | None:
    """GetItem, read consistently."""
    request = {"TableName": table, "Key": key, "ConsistentRead": True}
    found: Raw | None = shared_connection().dispatch("GetItem", request).get("Item")
    return found


def get_many(table: str, keys: Iterable[Raw]) -> Iterator[Raw]:
    """The items with these keys that there are, in no order, read consistently: 100 in one round trip."""
    left = iter(keys)
    while wanted := list(islice(left, MOST_KEYS)):
        yield from batch_get({table: {"Keys": wanted, "ConsistentRead": True}})[table]


def batch_get(requests: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """BatchGetItem across tables: keys by table in, raw items by table out."""
    found: dict[str, list[dict[str, Any]]] = shared_connection().dispatch("BatchGetItem", {"RequestItems": requests})[
        "Responses"
    ]
    return found

"""The one connection to DynamoDB that all models share, and how it fails."""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.models import Model

from tasksync import work
from tasksync.aws.client import DYNAMODB, Client, Codec, Patience
from tasksync.errors import DependencyFailed
from tasksync.tables.reading import item_of

# Three attempts at most, with back-off, stay below the shortest timeout of an API function (20 s) less one second:
# 3 x (1 s + 3 s) + 1 s + 2 s = 15 s. Throttled, failed and unanswered requests are repeated. A repeated transaction
# carries the same token, so DynamoDB carries it out once; every other write of ours may be carried out twice.
_PATIENCE = Patience(connect_seconds=1, read_seconds=3, attempts=3)

_MSGSPEC = Codec(msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)

# Above the number of reads that one request makes at the same time (``CONCURRENT_READS``, at most 16).
_CONNECTIONS = 17

# These answer a question we asked; every other error means that the table did not answer.
_ANSWERS = {"ConditionalCheckFailedException", "TransactionCanceledException"}

# For the log line: what each call costs.
_COUNTED = {"ReturnConsumedCapacity": "TOTAL"}

# Several reads of one request may be the first ones of a table.
_connecting = threading.Lock()


class SharedConnection(Connection):
    """Sends by our own client, and reports every failure as ``DependencyFailed``, except the outcome of a condition."""

    def __init__(self) -> None:
        super().__init__()
        self._aws = Client(DYNAMODB, _PATIENCE, _MSGSPEC, work.count, _CONNECTIONS)

    @property
    def client(self) -> Client:  # type: ignore[override]  # of botocore's, PynamoDB uses one method
        return self._aws

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Without PynamoDB's signals, which nobody listens to here."""
        with _reporting():
            answer: dict[str, Any] = self._make_api_call(operation_name, {**_COUNTED, **operation_kwargs})
            return answer

    def read(self, operation: str, parameters: Mapping[str, Any], decode: Callable[[bytes], Any]) -> dict[str, Any]:
        """Past PynamoDB; ``decode`` reads the answer."""
        with _reporting():
            return self._aws.call(operation, {**_COUNTED, **parameters}, decode)


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _ANSWERS:
            raise
        raise DependencyFailed from error
    except BotoCoreError as error:
        raise DependencyFailed from error


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
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
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


def batch_get(requests: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """BatchGetItem across tables: keys by table in, raw items by table out."""
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in requests}
    for _ in range(_PATIENCE.attempts):
        answer = shared_connection().dispatch("BatchGetItem", {"RequestItems": requests})
        for table, items in answer["Responses"].items():
            found[table] += items
        requests = answer.get("UnprocessedKeys") or {}
        if not requests:
            return found
    raise DependencyFailed

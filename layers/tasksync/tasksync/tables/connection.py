"""The one connection to DynamoDB that all models share, and how it fails."""

import functools
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.models import Model

from tasksync import work
from tasksync.errors import DependencyFailed

# Three attempts at most, with back-off, stay below the shortest timeout of an API function (20 s) less one second:
# 3 x (1 s + 3 s) + 1 s + 2 s = 15 s. botocore repeats throttled, failed and unanswered requests. A repeated transaction
# carries the same token, so DynamoDB carries it out once; every other write of ours may be carried out twice.
_CONNECT_SECONDS = 1
_READ_SECONDS = 3
_ATTEMPTS = 3

# Above the number of reads that one request makes at the same time (``CONCURRENT_READS``, at most 16).
_CONNECTIONS = 17

# These answer a question we asked; every other error means that the table did not answer.
_ANSWERS = {"ConditionalCheckFailedException", "TransactionCanceledException"}


class SharedConnection(Connection):
    """Reports every failure of DynamoDB as ``DependencyFailed``, except the outcome of a condition."""

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().dispatch(operation_name, operation_kwargs)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ANSWERS:
                raise
            raise DependencyFailed from error
        except BotoCoreError as error:
            raise DependencyFailed from error


@functools.cache
def shared_connection() -> SharedConnection:
    """A botocore client costs 100 to 340 ms to make; PynamoDB by itself makes one for each model."""
    connection = SharedConnection(
        connect_timeout_seconds=_CONNECT_SECONDS,
        read_timeout_seconds=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        retry_configuration={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    connection.client.meta.events.register("response-received.dynamodb", work.count)
    return connection


class SharedModel(Model):
    """A model that uses the shared connection.

    All kinds of items of one table derive from one model that declares the table's keys and indexes, so that the
    shared connection learns them from whichever is used first.
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
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
    for _ in range(_ATTEMPTS):
        answer = shared_connection().dispatch("BatchGetItem", {"RequestItems": requests})
        for table, items in answer["Responses"].items():
            found[table] += items
        requests = answer.get("UnprocessedKeys") or {}
        if not requests:
            return found
    raise DependencyFailed

"""The connection to DynamoDB that all models share: single requests, batches and transactions.

Its errors are translated, and what it consumes is counted in the unit of work.
"""

import functools
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tasksync.aws.client import DYNAMODB, Client, Codec, RetryPolicy, may_be_carried_out
from tasksync.dynamodb.core import batches
from tasksync.dynamodb.core.decoder import item_of
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.errors import (
    Defect,
    DependencyFailed,
    OutcomeUnknown,
    RoomStorageFull,
    TaskSyncError,
    WriteConflict,
)
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, randomness, unit_of_work
from tasksync.runtime.unit_of_work import AddRecord

# Three attempts at most, with back-off, stay below the shortest timeout of an API function (20 s) less one second:
# 3 x (1 s + 3 s) + 1 s + 2 s = 15 s. Throttled, failed and lost requests are repeated. A repeated transaction
# carries the same token, so DynamoDB carries it out once; every other write of ours may be carried out twice.
_RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)

_MSGSPEC = Codec(msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)

# These errors are results of conditions; all others mean that the table did not respond.
_FAILED_CONDITIONS = {"ConditionalCheckFailedException", "TransactionCanceledException"}

# These errors mean that our request is not valid: a bug, and a retry would fail again. A missing table or permission is
# an error of the deployment, and disappears when that is repaired.
_DEFECTS = {
    "IdempotentParameterMismatchException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
}

# A partition of a table with local indexes has 10 GB at most: what DynamoDB says of a request, and of a write in a
# transaction.
_FULL = "ItemCollectionSizeLimitExceededException"
_FULL_IN_TRANSACTION = "ItemCollectionSizeLimitExceeded"
_FAILED_CONDITION = "ConditionalCheckFailed"
_IN_TRANSACTION = "TransactionConflictException"
_STORAGE_MEASURE = Measure({"storage_full": "Count"}, [["table"]])

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_THROTTLES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottledException",
}

_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}

# The consumed capacity, for the log line.
_COUNTED = {"ReturnConsumedCapacity": "TOTAL"}

Failure = type[TaskSyncError] | TaskSyncError
Items = Mapping[str, Mapping[str, Any] | None]
"""Items of one partition: by the sort key the other attributes. None: the item is there, and was not read."""

_CONTENTION = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_INVALID = "ValidationError"
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_ATTEMPTS = 12

# DynamoDB is sent the writes in this order, and reports failures in it.
_ORDER = ("check", "delete", "put", "update")

MOST_KEYS = 100
"""Of one BatchGetItem."""

# Concurrent reads may be the first ones of a table.
_connecting = threading.Lock()


def count(response: Mapping[str, Any] | None) -> None:
    """Count one attempt at DynamoDB, by its response; None if there was none."""
    usage = unit_of_work.current.get().usage
    usage.round_trips += 1
    usage.in_sequence += 1
    response = response or {}
    consumed = response.get("ConsumedCapacity", [])
    for each in consumed if isinstance(consumed, list) else [consumed]:
        usage.capacity_units += each.get("CapacityUnits", 0.0)
    reasons = [reason.get("Code") for reason in response.get("CancellationReasons", [])]
    if response.get("Error", {}).get("Code") in _THROTTLES or "ThrottlingError" in reasons:
        usage.throttles += 1


class SharedConnection(Connection):
    """Sends requests by our own client, and translates all errors except failed conditions.

    ``DependencyFailed``: nothing was written. ``OutcomeUnknown``: the write may have happened. ``Defect``: DynamoDB
    refused the request as not valid. ``RoomStorageFull``: a partition is full, and no condition of the request failed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._aws = Client(DYNAMODB, _RETRY_POLICY, _MSGSPEC, count)

    @property
    def client(self) -> Client:  # type: ignore[override]  # of botocore's, PynamoDB uses one method
        return self._aws

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send a request, without PynamoDB's signals, which are not used. A batch is repeated until it is processed.

        PynamoDB itself repeats a batch read forever without a pause, and gives up a batch write after two immediate
        retries. That code never runs, as no part is left unprocessed.
        """
        request = {**_COUNTED, **operation_kwargs}
        response = self._send(operation_name, request)
        if response.get(batches.LEFT.get(operation_name, "")):
            return batches.completed(operation_name, request, response, self._send)
        return response

    def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with _reporting(operation), self._reporting_full_partitions(operation, request):
            response: dict[str, Any] = self._make_api_call(operation, request)
        if operation in _WRITES:
            unit_of_work.current.get().usage.writes += 1
        return response

    @contextmanager
    def _reporting_full_partitions(self, operation: str, request: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            full = _full_writes(request, error)
            if not full or may_be_carried_out(error):
                raise
            for table in dict.fromkeys(table for table, _ in full):
                hash_key = self.get_meta_table(table).hash_keyname
                log_measured(
                    "ERROR",
                    "storage full",
                    (_STORAGE_MEASURE,),
                    request_id=unit_of_work.current.get().request_id,
                    operation=operation,
                    table=table,
                    partitions=sorted({item[hash_key]["S"] for each, item in full if each == table}),
                    storage_full=1,
                )
            raise RoomStorageFull from error

    def read(self, operation: str, parameters: Mapping[str, Any], decode: Callable[[bytes], Any]) -> dict[str, Any]:
        """Send a request without PynamoDB; ``decode`` decodes the response."""
        with _reporting(operation):
            return self._aws.call(operation, {**_COUNTED, **parameters}, decode)


def _full_writes(request: Mapping[str, Any], error: ClientError) -> list[tuple[str, Raw]]:
    """The writes whose partition is full: of each, its table and its item or key. Of a batch, all that may be meant.

    A failed condition says more than a full partition: then the list is empty.
    """
    writes: list[tuple[str, Mapping[str, Any]]]
    if "TransactItems" in request:
        writes = [(write["TableName"], write) for each in request["TransactItems"] for write in each.values()]
        reasons = [reason.code if reason else None for reason in getattr(error, "cancellation_reasons", ())]
        if _FAILED_CONDITION in reasons:
            return []
        pairs = zip(writes, reasons, strict=False)
        writes = [write for write, reason in pairs if reason == _FULL_IN_TRANSACTION]
    elif error.response["Error"]["Code"] != _FULL:
        return []
    elif "RequestItems" in request:
        writes = [
            (table, write)
            for table, parts in request["RequestItems"].items()
            for part in parts
            for write in part.values()
        ]
    else:
        writes = [(request["TableName"], request)]
    return [(table, write.get("Key") or write["Item"]) for table, write in writes]


@contextmanager
def _reporting(operation: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _FAILED_CONDITIONS:
            raise
        raise (defect(operation, code) if code in _DEFECTS else _unavailable(operation, error)) from error
    except BotoCoreError as error:
        raise _unavailable(operation, error) from error


def defect(operation: str, code: str) -> Defect:
    """Log and return the error for a request of ours that DynamoDB refused as not valid.

    The log line does not have DynamoDB's message, which may quote client data.
    """
    log(
        "ERROR",
        "request to DynamoDB refused",
        request_id=unit_of_work.current.get().request_id,
        operation=operation,
        code=code,
    )
    return Defect(operation, code)


def _unavailable(operation: str, error: Exception) -> TaskSyncError:
    return OutcomeUnknown() if operation in _WRITES and may_be_carried_out(error) else DependencyFailed()


@functools.cache
def shared_connection() -> SharedConnection:
    """The shared connection. PynamoDB itself creates a connection for each model."""
    return SharedConnection()


class SharedModel(Model):
    """Base of models that use the shared connection.

    All item classes of a table derive from one model that declares the table's keys and indexes, so that the connection
    learns them from the class that is used first.
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


Item = TypeVar("Item", bound=Model)


def new_item(kind: type[Item], values: Mapping[str, Any]) -> Item:
    """An item with these values, by the names in Python.

    The constructor sets each value through its descriptor, which takes twice as long.
    """
    item = kind()
    item.attribute_values.update(values)
    return item


def get_item(table: str, key: Raw) -> Raw | None:
    """GetItem, read consistently."""
    request = {"TableName": table, "Key": key, "ConsistentRead": True}
    found: Raw | None = shared_connection().dispatch("GetItem", request).get("Item")
    return found


def get_many(table: str, keys: Iterable[Raw], *, consistent: bool = True) -> list[Raw]:
    """The items with these keys that there are, in no order: 100 in one round trip. A consistent read costs twice as
    much.
    """
    left = iter(keys)
    found: list[Raw] = []
    while wanted := list(islice(left, MOST_KEYS)):
        found += batch_get({table: {"Keys": wanted, "ConsistentRead": consistent}})[table]
    return found


def batch_get(requests: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """BatchGetItem across tables: keys by table in, raw items by table out."""
    found = shared_connection().dispatch("BatchGetItem", {"RequestItems": requests})["Responses"]
    return {table: found.get(table, []) for table in requests}


@contextmanager
def single_write(failure: Failure) -> Iterator[None]:
    """Around one write with a condition, which costs half of what it costs in a transaction.

    Raises ``failure`` if the condition does not hold, or a transaction is at work on the item. A write whose response
    is lost is repeated: then its condition may fail because it was carried out.
    """
    try:
        yield
    except (PutError, UpdateError) as error:
        if error.cause_response_code not in _FAILED_CONDITIONS:
            raise
        raise failure from error
    except DependencyFailed as error:
        if not isinstance(error.__cause__, ClientError) or error.__cause__.response["Error"]["Code"] != _IN_TRANSACTION:
            raise
        raise failure from error


@dataclass(frozen=True, slots=True)
class _Write:
    kind: str
    add: Callable[[TransactWrite], None]
    failure: Failure
    """What it means if the condition does not hold."""


def take_record() -> AddRecord | None:
    """What adds the idempotency record to the present transaction, if there is one. Later transactions get none."""
    unit = unit_of_work.current.get()
    record, unit.record = unit.record, None
    return record


@dataclass(slots=True)
class Transaction:
    """One DynamoDB transaction, in which each condition carries the error that its failure means.

    Collects writes, then commits all or none of them.

    If several conditions fail, the error of the one added first is raised. Conflicts with other transactions and
    throttling are retried up to 12 times with full jitter, about 2 s in all, under the same token and with the same
    bytes: DynamoDB then carries the transaction out once, however often it arrives.

    The first transaction after ``unit_of_work.respond_with`` also commits the request's idempotency record.
    """

    _writes: list[_Write] = field(default_factory=list)

    def check(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        # PynamoDB wants the keys here, where it takes the item itself for every other write.
        keys = item._get_hash_range_key_serialized_values()  # noqa: SLF001  # see above
        self._add("check", lambda write: write.condition_check(type(item), *keys, condition), otherwise)

    def delete(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        self._add("delete", lambda write: write.delete(item, condition=condition), otherwise)

    def put(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        self._add("put", lambda write: write.save(item, condition=condition), otherwise)

    def note(self, item: Model) -> None:
        """Put an item that nobody else writes, so without a condition."""
        self._add("put", lambda write: write.save(item), WriteConflict)

    def forget(self, item: Model) -> None:
        """Delete an item that may or may not be there, so without a condition."""
        self._add("delete", lambda write: write.delete(item), WriteConflict)

    def write_items(self, kind: type[Model], hash_key: str, before: Items, after: Items) -> None:
        """Write what differs between some items of one partition, which nobody else writes, so without conditions."""
        for range_key in before.keys() - after.keys():
            self.forget(kind(hash_key, range_key))
        for range_key, values in after.items():
            if values is not None and values != before.get(range_key):
                self.note(kind(hash_key, range_key, **values))

    def update(self, item: Model, actions: list[Action], condition: Condition, otherwise: Failure) -> None:
        self._add("update", lambda write: write.update(item, actions=actions, condition=condition), otherwise)

    def amend(self, item: Model, actions: list[Action]) -> None:
        """Update an item that may or may not be there, so without a condition."""
        self._add("update", lambda write: write.update(item, actions=actions), WriteConflict)

    def put_first(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        """As ``put``, before all else: its error is the one that is raised."""
        self.put(item, condition, otherwise)
        self._writes.insert(0, self._writes.pop())

    def commit(self) -> None:
        """Raises the error of the first condition that failed, ``DependencyFailed`` or ``Defect``: nothing was written;
        or ``OutcomeUnknown``."""
        add_record = take_record()
        if add_record is not None:
            add_record(self)
        transaction = TransactWrite(connection=shared_connection(), client_request_token=uuid.uuid4().hex)
        for each in self._writes:
            each.add(transaction)
        pause = _FIRST_PAUSE_SECONDS
        open_ended = False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                transaction._commit()  # noqa: SLF001  # what leaving TransactWrite's with block does
                return
            except DependencyFailed as error:
                if open_ended:
                    raise OutcomeUnknown from error
                raise
            except TransactWriteError as error:
                reasons = [reason.code if reason else None for reason in error.cancellation_reasons]
                self._raise_failed_condition(reasons, error)
                if _INVALID in reasons:
                    raise defect("TransactWriteItems", _INVALID) from error
                open_ended = open_ended or (error.cause is not None and may_be_carried_out(error.cause))
                if not _CONTENTION & set(reasons) or attempt == _ATTEMPTS or not deadline.has_time():
                    raise (OutcomeUnknown if open_ended else DependencyFailed) from error
            randomness.pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _add(self, kind: str, add: Callable[[TransactWrite], None], failure: Failure) -> None:
        self._writes.append(_Write(kind, add, failure))

    def _raise_failed_condition(self, reasons: list[str | None], error: TransactWriteError) -> None:
        sent = sorted(range(len(self._writes)), key=lambda number: _ORDER.index(self._writes[number].kind))
        failed = [number for number, code in zip(sent, reasons, strict=False) if code == "ConditionalCheckFailed"]
        if failed:
            raise self._writes[min(failed)].failure from error

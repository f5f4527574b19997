"""One DynamoDB transaction, in which each condition carries the error that its failure means.

The first transaction after ``unit_of_work.respond_with`` also commits the request's idempotency record.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tasksync.aws.client import may_be_carried_out
from tasksync.dynamodb.core.connection import defect, shared_connection
from tasksync.model.errors import DependencyFailed, OutcomeUnknown, TaskSyncError, WriteConflict
from tasksync.runtime import deadline, randomness, unit_of_work

Failure = type[TaskSyncError] | TaskSyncError

_CONTENTION = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_INVALID = "ValidationError"
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_ATTEMPTS = 12

# DynamoDB is sent the writes in this order, and reports failures in it.
_ORDER = ("check", "delete", "put", "update")


@dataclass(frozen=True, slots=True)
class _Write:
    kind: str
    add: Callable[[TransactWrite], None]
    failure: Failure
    """What it means if the condition does not hold."""


class Transaction:
    """Collects writes, then commits all or none of them.

    If several conditions fail, the error of the one added first is raised. Conflicts with other transactions and
    throttling are retried up to 12 times with full jitter, about 2 s in all, under the same token and with the same
    bytes: DynamoDB then carries the transaction out once, however often it arrives.
    """

    def __init__(self) -> None:
        self._writes: list[_Write] = []

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

    def update(self, item: Model, actions: list[Action], condition: Condition, otherwise: Failure) -> None:
        self._add("update", lambda write: write.update(item, actions=actions, condition=condition), otherwise)

    def put_first(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        """As ``put``, before all else: its error is the one that is raised."""
        self.put(item, condition, otherwise)
        self._writes.insert(0, self._writes.pop())

    def commit(self) -> None:
        """Raises the error of the first condition that failed, ``DependencyFailed`` or ``Defect``: nothing was written;
        or ``OutcomeUnknown``."""
        add_record = unit_of_work.take_record()
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

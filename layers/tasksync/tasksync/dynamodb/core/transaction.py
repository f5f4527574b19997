"""One DynamoDB transaction, in which each condition carries the error that its failure means."""

import uuid

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tasksync.aws.client import may_be_carried_out
from tasksync.dynamodb.core.connection import defect, shared_connection
from tasksync.model.errors import DependencyFailed, OutcomeUnknown, TaskSyncError, WriteConflict
from tasksync.runtime import deadline, randomness

Failure = type[TaskSyncError] | TaskSyncError

_CONTENTION = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_INVALID = "ValidationError"
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_ATTEMPTS = 12


class Transaction:
    """Collects writes, then commits all or none of them.

    If several conditions fail, the error of the one added first is raised. Conflicts with other transactions and
    throttling are retried up to 12 times with full jitter, about 2 s in all, under the same token and with the same
    bytes: DynamoDB then carries the transaction out once, however often it arrives.
    """

    def __init__(self) -> None:
        self._write = TransactWrite(connection=shared_connection(), client_request_token=uuid.uuid4().hex)
        # DynamoDB is sent checks, deletes, puts and updates in this order, and reports failures in it.
        self._failures: dict[str, list[tuple[int, Failure]]] = {"check": [], "delete": [], "put": [], "update": []}
        self._size = 0

    def check(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        self._note("check", otherwise)
        # PynamoDB wants the keys here, where it takes the item itself for every other write.
        hash_key, range_key = item._get_hash_range_key_serialized_values()  # noqa: SLF001  # see above
        self._write.condition_check(type(item), hash_key, range_key, condition)

    def delete(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        self._note("delete", otherwise)
        self._write.delete(item, condition=condition)

    def put(self, item: Model, condition: Condition, otherwise: Failure) -> None:
        self._note("put", otherwise)
        self._write.save(item, condition=condition)

    def note(self, item: Model) -> None:
        """Put an item that nobody else writes, so without a condition."""
        self._note("put", WriteConflict)
        self._write.save(item)

    def forget(self, item: Model) -> None:
        """Delete an item that may or may not be there, so without a condition."""
        self._note("delete", WriteConflict)
        self._write.delete(item)

    def update(self, item: Model, actions: list[Action], condition: Condition, otherwise: Failure) -> None:
        self._note("update", otherwise)
        self._write.update(item, actions=actions, condition=condition)

    def commit(self) -> None:
        """Raises the error of the first condition that failed, ``DependencyFailed`` or ``Defect``: nothing was written;
        or ``OutcomeUnknown``."""
        pause = _FIRST_PAUSE_SECONDS
        open_ended = False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._write._commit()  # noqa: SLF001  # what leaving TransactWrite's with block does
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

    def _note(self, kind: str, otherwise: Failure) -> None:
        self._failures[kind].append((self._size, otherwise))
        self._size += 1

    def _raise_failed_condition(self, reasons: list[str | None], error: TransactWriteError) -> None:
        sent = [noted for kind in self._failures.values() for noted in kind]
        failed = [noted for noted, code in zip(sent, reasons, strict=False) if code == "ConditionalCheckFailed"]
        if failed:
            _, failure = min(failed, key=lambda noted: noted[0])
            raise failure from error

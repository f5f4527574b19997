"""The rate limits repository: counters of requests and login throttles. Losing the table has no effect after a day.

A key contains a user id, a network or a digest: never a username or an e-mail address.

Counting is one UpdateItem that adds and returns the sum, so concurrent requests get different counts. A retried update
counts twice if only its response was lost, which errs on the safe side.
"""

from botocore.exceptions import BotoCoreError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from tasksync.dynamodb.core.connection import SharedModel, Transaction, shared_connection
from tasksync.model import times
from tasksync.model.entities import LoginThrottle
from tasksync.model.errors import DependencyFailed, NotCounted, WriteConflict
from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings

# How long an item is stored after its last use, in seconds. DynamoDB deletes expired items with a delay.
_WINDOW_SECONDS = 3600
_FAILURES_SECONDS = 30 * 24 * 3600
_KNOWN_SECONDS = 90 * 24 * 3600


class LimitItem(SharedModel):
    """A counter, a login throttle or a known network."""

    class Meta:
        table_name = settings.rate_limits_table

    limit_id = UnicodeAttribute(hash_key=True)
    spent = NumberAttribute(null=True)
    ends_at = NumberAttribute(null=True)
    waits = NumberAttribute(null=True)
    next_at = NumberAttribute(null=True)
    changes = NumberAttribute(null=True)
    expires_at = NumberAttribute()


class RateLimitsRepository:
    """Reads and writes counters. Times are in seconds since 1970."""

    def quota(self, policy: str) -> int:
        return settings.rate_limits[policy]

    def consume(self, key: str, amount: int, ends: int) -> int:
        """Add ``amount`` to the counter of a window, and return the sum.

        Raises ``NotCounted`` if the table responds with an error, and ``DependencyFailed`` if it does not respond: then
        the other tables do not either.
        """
        # Written without PynamoDB, by which this update took 7 % of the CPU time of all requests.
        request = {
            "TableName": settings.rate_limits_table,
            "Key": {"limit_id": {"S": key}},
            "UpdateExpression": "ADD spent :amount SET expires_at = :until",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}, ":until": {"N": str(ends + _WINDOW_SECONDS)}},
            "ReturnValues": "ALL_NEW",
        }
        try:
            with unit_of_work.bookkeeping():
                response = shared_connection().dispatch("UpdateItem", request)
        except DependencyFailed as error:
            if isinstance(error.__cause__, BotoCoreError):
                raise
            raise NotCounted from error
        return int(response["Attributes"]["spent"]["N"])

    def count_attempt(self, key: str, ends: int) -> LoginThrottle:
        """Count an attempt, and return the throttle. A new throttle expires at ``ends``."""
        item = LimitItem(key)
        with unit_of_work.bookkeeping():
            item.update(
                [
                    LimitItem.spent.add(1),
                    LimitItem.ends_at.set(LimitItem.ends_at | ends),
                    LimitItem.changes.set(LimitItem.changes | 0),
                    LimitItem.expires_at.set(_after(_FAILURES_SECONDS)),
                ]
            )
        return LoginThrottle(
            key,
            _number(item.spent),
            _number(item.ends_at),
            _number(item.waits),
            _moment(item.next_at),
            _number(item.changes),
        )

    def change_throttle(self, seen: LoginThrottle, changed: LoginThrottle) -> None:
        """Replace a throttle. Raises ``WriteConflict`` if anything but its count has changed since ``seen`` was
        read."""
        transaction = Transaction()
        transaction.update(
            LimitItem(seen.key),
            [
                LimitItem.ends_at.set(changed.ends),
                LimitItem.waits.set(changed.waits),
                LimitItem.changes.set(changed.version),
                *_next(changed),
            ],
            LimitItem.changes == seen.version,
            WriteConflict,
        )
        with unit_of_work.bookkeeping():
            transaction.commit()

    def count_failure(self, key: str) -> int:
        """Add one to the failures in a row, and return the sum."""
        item = LimitItem(key)
        with unit_of_work.bookkeeping():
            item.update([LimitItem.spent.add(1), LimitItem.expires_at.set(_after(_FAILURES_SECONDS))])
        return _number(item.spent)

    def is_known(self, key: str) -> bool:
        try:
            item = LimitItem.get(key, consistent_read=True)
        except LimitItem.DoesNotExist:
            return False
        return item.expires_at > times.now().timestamp()

    def forget_failures(self, throttle_key: str, failures_key: str, known_key: str) -> None:
        """After a sign-in: delete the throttle and the failures in a row, and store the network as known."""
        with unit_of_work.bookkeeping(), LimitItem.batch_write() as batch:
            batch.delete(LimitItem(throttle_key))
            batch.delete(LimitItem(failures_key))
            batch.save(LimitItem(known_key, expires_at=_after(_KNOWN_SECONDS)))


def _next(changed: LoginThrottle) -> list[Action]:
    if changed.next_at is None:
        # Start a new count. A concurrent attempt in the old count fails on the condition, and is counted again.
        return [LimitItem.next_at.remove(), LimitItem.spent.set(changed.count)]
    return [LimitItem.next_at.set(changed.next_at)]


def _after(seconds: int) -> int:
    return int(times.now().timestamp()) + seconds


def _number(value: float | None) -> int:
    return int(value or 0)


def _moment(value: float | None) -> int | None:
    return None if value is None else int(value)

"""The idempotency table: which requests have been carried out, and with which response.

An idempotency record is committed in the transaction that carries its request out: both are there, or neither is.
"""

from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.idempotency.items import IdempotencyItem, absent_or_expired
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import AlreadyDone
from tasksync.runtime import clock


def _add(transaction: Transaction, record: IdempotencyRecord) -> None:
    """If there is one already, ``AlreadyDone`` is raised."""
    transaction.put(IdempotencyItem.of(record), absent_or_expired(), AlreadyDone)
    transaction.move_last_to_front()


Transaction.add_record = _add


class IdempotencyRepository:
    """Idempotency records."""

    def find(self, record_id: str) -> IdempotencyRecord | None:
        try:
            item = IdempotencyItem.get(record_id, consistent_read=True)
        except IdempotencyItem.DoesNotExist:
            return None
        return None if item.expires_at <= clock.now().timestamp() else item.entity()

    def store(self, record: IdempotencyRecord) -> None:
        """Commit the record of a request that changed nothing. Raises ``AlreadyDone`` if there is one."""
        transaction = Transaction()
        transaction.add_record(record)
        transaction.commit()

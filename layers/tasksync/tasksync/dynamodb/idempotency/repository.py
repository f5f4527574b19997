"""The idempotency table: which requests have been carried out, and with which response.

An idempotency record is committed in the transaction that carries its request out, or not at all.
"""

from tasksync.aws.secret_values import secret
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.idempotency.items import IdempotencyItem
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import AlreadyDone
from tasksync.runtime import clock
from tasksync.runtime.settings import settings


class IdempotencyRepository:
    """Idempotency records."""

    def find(self, record_id: str) -> IdempotencyRecord | None:
        try:
            item = IdempotencyItem.get(record_id, consistent_read=True)
        except IdempotencyItem.DoesNotExist:
            return None
        return None if item.expires_at <= clock.now().timestamp() else item.entity()

    def secret(self) -> bytes:
        """Of the fingerprints of requests."""
        return secret(settings.http_secret)

    def put_record(self, record: IdempotencyRecord, transaction: Transaction) -> None:
        """Put a record in the transaction that carries its request out. Its commit raises ``AlreadyDone``."""
        # No request has been carried out under this key, or so long ago that the key is free again.
        expired = IdempotencyItem.expires_at <= int(clock.now().timestamp())
        transaction.put_first(
            IdempotencyItem.of(record), IdempotencyItem.receipt_id.does_not_exist() | expired, AlreadyDone
        )

    def store(self, record: IdempotencyRecord) -> None:
        """Commit the record of a request that changed nothing. Raises ``AlreadyDone`` if there is one."""
        transaction = Transaction()
        self.put_record(record, transaction)
        transaction.commit()

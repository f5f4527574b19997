"""The idempotency table: which requests have been carried out, and with which response.

An idempotency record is committed in the transaction that carries its request out, or not at all.
"""

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import AlreadyDone
from tasksync.runtime import clock
from tasksync.runtime.settings import settings


class IdempotencyItem(SharedModel):
    class Meta:
        table_name = settings.idempotency_table

    receipt_id = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    answer = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""

    @classmethod
    def of(cls, record: IdempotencyRecord) -> "IdempotencyItem":
        return cls(
            record.id,
            fingerprint=record.fingerprint,
            answer=record.response,
            expires_at=int(record.expires_at.timestamp()),
        )

    def entity(self) -> IdempotencyRecord:
        expires_at = datetime.fromtimestamp(int(self.expires_at), UTC)
        return IdempotencyRecord(self.receipt_id, self.fingerprint, self.answer, expires_at)


class IdempotencyRepository:
    """Idempotency records."""

    def find(self, record_id: str) -> IdempotencyRecord | None:
        try:
            item = IdempotencyItem.get(record_id, consistent_read=True)
        except IdempotencyItem.DoesNotExist:
            return None
        return None if item.expires_at <= clock.now().timestamp() else item.entity()

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

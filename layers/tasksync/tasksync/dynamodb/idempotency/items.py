"""Items of the idempotency table: one idempotency record each."""

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.model.entities import IdempotencyRecord
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

"""The items of the idempotency table that are idempotency records."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.runtime.settings import settings


class IdempotencyItem(SharedModel):
    class Meta:
        table_name = settings.idempotency_table

    receipt_id = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    answer = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""

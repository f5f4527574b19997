"""The idempotency table: which requests have been carried out, and what they were answered.

A receipt is put in the transaction of the effect it stands for: either both are there, or neither is.
"""

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.model.entities import Receipt
from tasksync.model.errors import AlreadyDone
from tasksync.runtime import clock
from tasksync.runtime.settings import settings


class ReceiptItem(SharedModel):
    class Meta:
        table_name = settings.idempotency_table

    receipt_id = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    answer = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""


class ReceiptsTable:
    """Receipts of requests that had an idempotency key."""

    def find(self, receipt_id: str) -> Receipt | None:
        try:
            item = ReceiptItem.get(receipt_id, consistent_read=True)
        except ReceiptItem.DoesNotExist:
            return None
        if item.expires_at <= clock.now().timestamp():
            return None
        expires_at = datetime.fromtimestamp(int(item.expires_at), UTC)
        return Receipt(item.receipt_id, item.fingerprint, item.answer, expires_at)

    def keep(self, receipt: Receipt) -> None:
        """Put a receipt alone. Raises ``AlreadyDone`` if there is one."""
        transaction = Transaction()
        put_receipt(transaction, receipt)
        transaction.commit()


def put_receipt(transaction: Transaction, receipt: Receipt | None) -> None:
    """Add a receipt to the transaction, which then raises ``AlreadyDone`` if there is one. To be added first."""
    if receipt is None:
        return
    expired = ReceiptItem.expires_at <= int(clock.now().timestamp())
    transaction.put(
        ReceiptItem(
            receipt.id,
            fingerprint=receipt.fingerprint,
            answer=receipt.answer,
            expires_at=int(receipt.expires_at.timestamp()),
        ),
        ReceiptItem.receipt_id.does_not_exist() | expired,
        AlreadyDone,
    )

"""Notes of who deleted a task, beside the idempotency records of requests, in their table.

A deletion has no item left to be stamped, and its stream record shows the task as it was before. So the transaction
that deletes a task puts a note here, which the activity function reads when the record comes. It is kept for twice as
long as DynamoDB keeps a record. What is deleted without a note is deleted by the service.
"""

from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.model import change_context
from tasksync.model.activity import Deletion
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.settings import settings

DELETION = "DELETED#"

_LIFETIME = timedelta(hours=48)


class DeletionItem(SharedModel):
    class Meta:
        table_name = settings.idempotency_table

    receipt_id = UnicodeAttribute(hash_key=True)
    stamp = UnicodeAttribute()
    deleted_at = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after."""


def note_deletion(transaction: Transaction, task_id: str) -> None:
    """Let the transaction, which deletes this task, say who did it and when."""
    at = clock.now()
    transaction.note(
        DeletionItem(
            DELETION + task_id,
            stamp=unit_of_work.change_context(),
            deleted_at=clock.timestamp(at),
            expires_at=int((at + _LIFETIME).timestamp()),
        )
    )


class DeletionsRepository:
    """Notes of deletions."""

    def of_tasks(self, task_ids: Iterable[str]) -> dict[str, Deletion]:
        """By task, who deleted it; without those that there is no note of. One consistent round trip for 100."""
        keys = [DELETION + task_id for task_id in task_ids]
        return {
            item.receipt_id.removeprefix(DELETION): Deletion(
                change_context.read(item.stamp), clock.parse(item.deleted_at)
            )
            for item in DeletionItem.batch_get(keys, consistent_read=True)
        }

"""Deletion notes: who deleted a task from the trash, and when. They are stored in the idempotency table.

A task that is deleted for good has no item that could store the change context, and its stream record shows the task
before the deletion. So the transaction that deletes a task also writes a note, which the activity function reads when
it handles the stream record. A note lives twice as long as a stream record. A task that was deleted without a note was
deleted by the service: with its room, or after its time in the trash.
"""

from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel, Transaction
from tasksync.model import change_context, times
from tasksync.model.activity import Deletion
from tasksync.runtime import unit_of_work
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
    """Seconds since 1970. DynamoDB deletes expired items with a delay."""


def note_deletion(transaction: Transaction, task_id: str) -> None:
    """Add a note to the transaction that deletes this task."""
    at = times.now()
    transaction.note(
        DeletionItem(
            DELETION + task_id,
            stamp=unit_of_work.change_context(),
            deleted_at=times.timestamp(at),
            expires_at=int((at + _LIFETIME).timestamp()),
        )
    )


class DeletionsRepository:
    """Reads deletion notes."""

    def of_tasks(self, task_ids: Iterable[str]) -> dict[str, Deletion]:
        """The deletions of those tasks that have a note, by task id. One consistent round trip for 100 tasks."""
        keys = [DELETION + task_id for task_id in task_ids]
        return {
            item.receipt_id.removeprefix(DELETION): Deletion(
                change_context.read(item.stamp), times.parse(item.deleted_at)
            )
            for item in DeletionItem.batch_get(keys, consistent_read=True)
        }

"""Positions of migrations, stored in the idempotency table.

They never expire. Losing them costs a second run, which finds nothing to do.
"""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.model.migration import Position
from tasksync.runtime.settings import settings

POSITION = "MIGRATION#"


class PositionsItem(SharedModel):
    class Meta:
        table_name = settings.idempotency_table

    receipt_id = UnicodeAttribute(hash_key=True)
    segments = JSONAttribute()
    """One list for each segment, of the fields of its position."""


class PositionsRepository:
    """The positions of each migration in all segments. One write stores all segments, so that a reset is atomic."""

    def of(self, migration_id: str) -> list[Position]:
        """The stored positions; empty if the migration was never started."""
        try:
            item = PositionsItem.get(POSITION + migration_id, consistent_read=True)
        except DoesNotExist:
            return []
        return [Position(*fields) for fields in item.segments]

    def save(self, migration_id: str, positions: list[Position]) -> None:
        segments = [[each.after, each.looked_at, each.changed, each.left, each.finished] for each in positions]
        PositionsItem(POSITION + migration_id, segments=segments).save()

"""The repository of pending unassignments: one item for each user and room that the user has left.

The transaction that ends a membership writes the item, unless the room is empty then: its tasks are deleted. The item
is deleted after the tasks were unassigned, on condition that the user has not left the room again meanwhile.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.dynamodb.rooms.items import RoomsItem
from tasksync.model import times
from tasksync.model.entities import DueUnassignment
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

PERSON = "USER#"
UNASSIGNMENT = "UNASSIGNMENT#"


class UnassignmentItem(RoomsItem, discriminator="unassignment"):
    """Without ``user_id``: the index by user holds memberships alone."""

    unfinished = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    """When the membership ended."""

    @classmethod
    def at(cls, room_id: str, user_id: str) -> "UnassignmentItem":
        return cls(PERSON + user_id, UNASSIGNMENT + room_id)

    def entity(self) -> DueUnassignment:
        return DueUnassignment(
            user_id=self.room_id.removeprefix(PERSON),
            room_id=self.item.removeprefix(UNASSIGNMENT),
            since=times.parse(self.updated_at),
        )


class UnassignmentsRepository:
    """Reads and deletes pending unassignments."""

    def find(self, room_id: str, user_id: str) -> DueUnassignment | None:
        """Read consistently."""
        item = UnassignmentItem.at(room_id, user_id)
        try:
            return UnassignmentItem.get(item.room_id, item.item, consistent_read=True).entity()
        except UnassignmentItem.DoesNotExist:
            return None

    def done(self, due: DueUnassignment) -> None:
        """Delete a finished unassignment, unless the user has left the room again since."""
        transaction = Transaction()
        item = UnassignmentItem.at(due.room_id, due.user_id)
        transaction.delete(item, UnassignmentItem.updated_at == times.timestamp(due.since), WriteConflict)
        with suppress(WriteConflict):
            transaction.commit()

    def unfinished(self, before: datetime) -> Iterator[list[tuple[str, str]]]:
        """Pairs of room and user of unassignments that are pending since before this time, page by page."""
        for page in unfinished(settings.rooms_table, Unfinished.UNASSIGNMENT, before):
            yield [
                (key["item"]["S"].removeprefix(UNASSIGNMENT), key["room_id"]["S"].removeprefix(PERSON)) for key in page
            ]


def note_unassignment(transaction: Transaction, room_id: str, user_id: str, at: datetime) -> None:
    """Store a pending unassignment in ``transaction``, which ends the membership at this time."""
    item = UnassignmentItem.at(room_id, user_id)
    item.unfinished = Unfinished.UNASSIGNMENT.value
    item.updated_at = times.timestamp(at)
    transaction.note(item)

"""Unassignments that are to be carried out: an item for each person who left a room, under the person.

The transaction that ends the membership puts it, unless the room is empty then and all its tasks are deleted. Who has
unassigned the tasks deletes it, on condition that the person has not left the room once more meanwhile.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.dynamodb.rooms.repository import RoomsItem
from tasksync.model.entities import DueUnassignment
from tasksync.model.errors import WriteConflict
from tasksync.runtime import clock
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
            since=clock.parse(self.updated_at),
        )


class UnassignmentsRepository:
    """The rooms table, as far as it says whose tasks are to be unassigned."""

    def find(self, room_id: str, user_id: str) -> DueUnassignment | None:
        """Read consistently."""
        item = UnassignmentItem.at(room_id, user_id)
        try:
            return UnassignmentItem.get(item.room_id, item.item, consistent_read=True).entity()
        except UnassignmentItem.DoesNotExist:
            return None

    def done(self, due: DueUnassignment) -> None:
        """Nothing is left to be unassigned of what was due. What has become due since stays."""
        transaction = Transaction()
        item = UnassignmentItem.at(due.room_id, due.user_id)
        transaction.delete(item, UnassignmentItem.updated_at == clock.timestamp(due.since), WriteConflict)
        with suppress(WriteConflict):
            transaction.commit()

    def unfinished(self, before: datetime) -> Iterator[list[tuple[str, str]]]:
        """The rooms and those who left them before this time, whose tasks may not be unassigned yet."""
        for page in unfinished(settings.rooms_table, Unfinished.UNASSIGNMENT, before):
            yield [
                (key["item"]["S"].removeprefix(UNASSIGNMENT), key["room_id"]["S"].removeprefix(PERSON)) for key in page
            ]


def note_unassignment(transaction: Transaction, room_id: str, user_id: str, at: datetime) -> None:
    """Let ``transaction``, which ends this membership at this time, say that its tasks are to be unassigned."""
    item = UnassignmentItem.at(room_id, user_id)
    item.unfinished = Unfinished.UNASSIGNMENT.value
    item.updated_at = clock.timestamp(at)
    transaction.note(item)

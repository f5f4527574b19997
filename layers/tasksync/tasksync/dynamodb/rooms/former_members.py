"""The repository of former members: how a membership ended, and with which role.

The partition key is the user, not the room, so that reading a room stays one small query. The transaction that ends a
membership writes the item. It limits the role when the user joins by code again. It is deleted when an admin adds the
user, and when the account is deleted.
"""

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.rooms.items import RoomsItem
from tasksync.dynamodb.rooms.unassignments import PERSON
from tasksync.model import times
from tasksync.model.entities import FormerMember, FormerRole, Page
from tasksync.model.errors import WriteConflict
from tasksync.runtime.deadline import KeepGoing

FORMER = "FORMER#"


class FormerMemberItem(RoomsItem, discriminator="former"):
    """Without ``user_id``: the index by user holds memberships alone."""

    role = UnicodeAttribute()
    left_at = UnicodeAttribute()

    @classmethod
    def at(cls, room_id: str, user_id: str) -> "FormerMemberItem":
        return cls(PERSON + user_id, FORMER + room_id)

    @classmethod
    def of(cls, former: FormerMember) -> "FormerMemberItem":
        item = cls.at(former.room_id, former.user_id)
        item.role = former.role.value
        item.left_at = times.timestamp(former.left_at)
        return item

    def entity(self) -> FormerMember:
        return FormerMember(
            user_id=self.room_id.removeprefix(PERSON),
            room_id=self.item.removeprefix(FORMER),
            role=FormerRole(self.role),
            left_at=times.parse(self.left_at),
        )


class FormerMembersRepository:
    """Reads and deletes former members."""

    def find(self, room_id: str, user_id: str) -> FormerMember | None:
        """Read consistently."""
        try:
            return FormerMemberItem.get(PERSON + user_id, FORMER + room_id, consistent_read=True).entity()
        except FormerMemberItem.DoesNotExist:
            return None

    def all_of(self, user_id: str) -> Iterator[FormerMember]:
        """All former memberships of a user, oldest room first."""
        for item in FormerMemberItem.query(PERSON + user_id, consistent_read=True):
            yield item.entity()

    def page_of(self, user_id: str, limit: int, after: str | None) -> Page[FormerMember]:
        """A page of ``all_of``, after the room ``after``."""
        beyond = None if after is None else FormerMemberItem.item > FORMER + after
        found = [
            item.entity()
            for item in FormerMemberItem.query(PERSON + user_id, beyond, consistent_read=True, limit=limit + 1)
        ]
        return Page(found[:limit], found[limit - 1].room_id if len(found) > limit else None)

    def forget_all_of(self, user_id: str, keep_going: KeepGoing) -> bool:
        """Delete the former memberships and pending unassignments (``unassignments.py``) of a user.

        False if ``keep_going`` returned False before the end.
        """
        # A query yields items of imported classes only: former members and unassignments are imported here.
        for item in RoomsItem.query(PERSON + user_id, consistent_read=True):
            if not keep_going():
                return False
            item.delete()
        return True


def note_former_member(transaction: Transaction, former: FormerMember) -> None:
    """Store in ``transaction``, which ends the membership, how it ended."""
    transaction.note(FormerMemberItem.of(former))


def forget_former_member(transaction: Transaction, room_id: str, user_id: str) -> None:
    """Delete the former membership in ``transaction``, which adds the user to the room."""
    transaction.forget(FormerMemberItem.at(room_id, user_id))


def require_former_member(transaction: Transaction, room_id: str, user_id: str, former: FormerMember | None) -> None:
    """Let ``transaction`` fail with ``WriteConflict`` if the former membership has changed since it was read.

    ``former``: None if there was none.
    """
    same = FormerMemberItem.room_id.does_not_exist() if former is None else FormerMemberItem.role == former.role.value
    transaction.check(FormerMemberItem.at(room_id, user_id), same, WriteConflict)

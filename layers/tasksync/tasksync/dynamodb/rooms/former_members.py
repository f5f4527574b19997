"""Former members: how each membership of somebody ended, by leaving or by being removed.

The items stand under the person and not under the room, so that reading a room stays one small query. Each is written
by the transaction that ends the membership. Joining by code obeys it, being added by an admin deletes it, and so does
the deletion of the account.
"""

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.rooms.repository import RoomsItem
from tasksync.dynamodb.rooms.unassignments import PERSON
from tasksync.model.entities import FormerMember, FormerRole, Page
from tasksync.model.errors import WriteConflict
from tasksync.runtime import clock
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
        item.left_at = clock.timestamp(former.left_at)
        return item

    def entity(self) -> FormerMember:
        return FormerMember(
            user_id=self.room_id.removeprefix(PERSON),
            room_id=self.item.removeprefix(FORMER),
            role=FormerRole(self.role),
            left_at=clock.parse(self.left_at),
        )


class FormerMembersRepository:
    """The rooms table, as far as it says in which rooms people were."""

    def find(self, room_id: str, user_id: str) -> FormerMember | None:
        """Read consistently."""
        try:
            return FormerMemberItem.get(PERSON + user_id, FORMER + room_id, consistent_read=True).entity()
        except FormerMemberItem.DoesNotExist:
            return None

    def all_of(self, user_id: str) -> Iterator[FormerMember]:
        """By room, oldest room first."""
        for item in FormerMemberItem.query(PERSON + user_id, consistent_read=True):
            yield item.entity()

    def page_of(self, user_id: str, limit: int, after: str | None) -> Page[FormerMember]:
        """The same, so many at most, behind the room ``after``."""
        beyond = None if after is None else FormerMemberItem.item > FORMER + after
        found = [
            item.entity()
            for item in FormerMemberItem.query(PERSON + user_id, beyond, consistent_read=True, limit=limit + 1)
        ]
        return Page(found[:limit], found[limit - 1].room_id if len(found) > limit else None)

    def forget_all_of(self, user_id: str, keep_going: KeepGoing) -> bool:
        """Delete what says where somebody was, and what is due to be unassigned there (``unassignments.py``).

        False if ``keep_going`` said no before the end.
        """
        # A query yields the kinds of items whose classes are imported: both are, here.
        for item in RoomsItem.query(PERSON + user_id, consistent_read=True):
            if not keep_going():
                return False
            item.delete()
        return True


def note_former_member(transaction: Transaction, former: FormerMember) -> None:
    """Let ``transaction``, which ends this membership on condition that it is there, say how it ended."""
    transaction.note(FormerMemberItem.of(former))


def forget_former_member(transaction: Transaction, room_id: str, user_id: str) -> None:
    """Let ``transaction``, which adds somebody to a room, forget how they left it."""
    transaction.forget(FormerMemberItem.at(room_id, user_id))


def require_former_member(transaction: Transaction, room_id: str, user_id: str, former: FormerMember | None) -> None:
    """Let ``transaction`` commit only if this person left the room as was read (None: never); ``WriteConflict``
    otherwise.
    """
    same = FormerMemberItem.room_id.does_not_exist() if former is None else FormerMemberItem.role == former.role.value
    transaction.check(FormerMemberItem.at(room_id, user_id), same, WriteConflict)

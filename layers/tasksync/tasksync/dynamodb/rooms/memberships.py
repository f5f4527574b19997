"""Memberships: their item, how they are read, and what transactions ask of them."""

from collections.abc import Iterable

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.core.connection import Failure, Transaction, get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.items import RoomsItem
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP
from tasksync.model.entities import Membership, Origin, RoomRole
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

MEMBER = "MEMBER#"


class MembershipItem(RoomsItem, discriminator="membership"):
    user_id = UnicodeAttribute()
    role = UnicodeAttribute()
    join_id = UnicodeAttribute()
    joined_at = UnicodeAttribute()
    origin = UnicodeAttribute(null=True)
    """``Origin``. Absent where the membership is older than this attribute: then it counts as the work of others, so
    that the additions of others never use up a user's limit of rooms."""

    @classmethod
    def at(cls, room_id: str, user_id: str) -> "MembershipItem":
        return cls(room_id, MEMBER + user_id)

    @classmethod
    def of(cls, membership: Membership, origin: Origin) -> "MembershipItem":
        attributes = MEMBERSHIP.attributes(membership)
        return cls(item=MEMBER + membership.user_id, origin=origin.value, **attributes)


def membership_key(room_id: str, user_id: str) -> Raw:
    """The key of a membership, as DynamoDB spells it."""
    return {"room_id": {"S": room_id}, "item": {"S": MEMBER + user_id}}


class MembershipsRepository:
    """Who is in a room."""

    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]:
        """By user, the memberships of these users in one room, read consistently."""
        return members_among(room_id, user_ids)


def members_among(room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]:
    """By user, the memberships of these users in one room, read consistently in one round trip."""
    keys = [membership_key(room_id, user_id) for user_id in dict.fromkeys(user_ids)]
    found = map(MEMBERSHIP.read, get_many(settings.rooms_table, keys))
    return {member.user_id: member for member in found}


def members_of(found: Iterable[Raw]) -> dict[str, Membership]:
    """By user, the memberships that were read in one room."""
    return {member.user_id: member for member in map(MEMBERSHIP.read, found)}


def require_membership(transaction: Transaction, membership: Membership) -> None:
    """Let ``transaction`` commit only if this membership still is what was read; ``WriteConflict`` otherwise."""
    transaction.check(
        MembershipItem.at(membership.room_id, membership.user_id), same_membership(membership), WriteConflict
    )


def require_writer(transaction: Transaction, room_id: str, user_id: str, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user may write in the room."""
    transaction.check(MembershipItem.at(room_id, user_id), _may_write(), otherwise)


def require_writer_by(transaction: Transaction, room_id: str, user_id: str, join_id: str, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user may write in the room, by this join."""
    condition = _may_write() & (MembershipItem.join_id == join_id)
    transaction.check(MembershipItem.at(room_id, user_id), condition, otherwise)


def _may_write() -> Condition:
    condition: Condition = (MembershipItem.role == RoomRole.ADMIN.value) | (
        MembershipItem.role == RoomRole.MEMBER.value
    )
    return condition


def require_join(transaction: Transaction, room_id: str, user_id: str, join_id: str, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user is still a member of the room by this join, in whatever role."""
    transaction.check(MembershipItem.at(room_id, user_id), MembershipItem.join_id == join_id, otherwise)


def same_membership(membership: Membership) -> Condition:
    """The same join, with the same role, as was read."""
    condition: Condition = (MembershipItem.join_id == membership.join_id) & (
        MembershipItem.role == membership.role.value
    )
    return condition

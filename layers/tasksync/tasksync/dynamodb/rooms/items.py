"""The items of the rooms table: rooms, their memberships, and the claims on their codes.

Former members: ``former_members.py``; unassignments that are due: ``unassignments.py``.
"""

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM
from tasksync.model.entities import Membership, Origin, Room
from tasksync.runtime.settings import settings

ROOM_ITEM = "ROOM"
MEMBER = "MEMBER#"
CODE = "CODE"


class ByUser(GlobalSecondaryIndex["RoomsItem"]):
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    room_id = UnicodeAttribute(range_key=True)


class RoomsItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.rooms_table

    room_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    by_user = ByUser()


class RoomItem(RoomsItem, discriminator="room"):
    code = UnicodeAttribute()
    join_role = UnicodeAttribute(null=True)
    """As ``rooms/join_roles.py`` spells it."""
    name = UnicodeAttribute(null=True)
    member_count = NumberAttribute()
    admin_count = NumberAttribute()
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    version = NumberAttribute()
    member_ids = UnicodeSetAttribute(null=True)
    stamp = UnicodeAttribute(null=True)
    """Of the latest change: ``tasksync.model.change_context``."""
    unfinished = UnicodeAttribute(null=True)
    """``Unfinished.ROOM`` from when the room is without members; absent before."""

    @classmethod
    def at(cls, room_id: str) -> "RoomItem":
        return cls(room_id, ROOM_ITEM)

    @classmethod
    def of(cls, room: Room) -> "RoomItem":
        return cls(item=ROOM_ITEM, **ROOM.attributes(room))


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


class CodeItem(RoomsItem, discriminator="code"):
    """A room's claim on its code. Its partition is the code, so that a code is looked up with one read."""

    owner = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    """Of a retired code: from when on it is free, in seconds since 1970. DynamoDB deletes the item some time after."""

    @classmethod
    def at(cls, code: str) -> "CodeItem":
        return cls(f"CODE#{code}", CODE)


def room_key(room_id: str) -> Raw:
    """The key of a room, as DynamoDB spells it."""
    return {"room_id": {"S": room_id}, "item": {"S": ROOM_ITEM}}


def membership_key(room_id: str, user_id: str) -> Raw:
    """The key of a membership, as DynamoDB spells it."""
    return {"room_id": {"S": room_id}, "item": {"S": MEMBER + user_id}}

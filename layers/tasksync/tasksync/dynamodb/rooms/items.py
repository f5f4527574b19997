"""The items of the rooms table: rooms, and the claims on their codes.

Memberships: ``memberships.py``; former members: ``former_members.py``; unassignments: ``unassignments.py``.
"""

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.model.entities import Room
from tasksync.runtime.settings import settings

ROOM_ITEM = "ROOM"
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

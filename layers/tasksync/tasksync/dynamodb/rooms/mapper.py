"""How rooms and memberships are stored."""

from tasksync.dynamodb.core.mapper import (
    MOMENT,
    NUMBER,
    TEXT,
    Attribute,
    Mapper,
    Row,
    Text,
    one_of,
    rows_of_any,
    stored_as,
)
from tasksync.dynamodb.rooms.join_roles import JOIN_ROLE
from tasksync.model.entities import Membership, Room, RoomRole

# DynamoDB has no empty sets.
_TEXTS = stored_as(frozenset[str], "SS", write=lambda texts: set(texts) or None)

ROOM = Mapper(
    Room,
    Attribute("room_id", TEXT, field="id"),
    Attribute("name", TEXT.or_none(), audited="name"),
    Attribute("code", TEXT, audited="code"),
    Attribute("join_role", JOIN_ROLE, audited="join_role"),
    Attribute("member_count", NUMBER),
    Attribute("admin_count", NUMBER),
    Attribute("member_ids", _TEXTS.default(frozenset())),
    Attribute("created_by", TEXT),
    Attribute("created_at", MOMENT),
    Attribute("updated_at", MOMENT),
    Attribute("version", NUMBER),
)

MEMBERSHIP = Mapper(
    Membership,
    Attribute("room_id", TEXT),
    Attribute("user_id", TEXT),
    Attribute("role", one_of(RoomRole)),
    Attribute("join_id", TEXT),
    Attribute("joined_at", MOMENT),
)


class _PartitionRow(Row, frozen=True, kw_only=True, gc=False):
    room_id: Text
    kind: Text


PartitionRow = rows_of_any(_PartitionRow, ROOM, MEMBERSHIP)
"""Any item of a room's partition. ``kind`` says whose mapper makes an entity of it."""

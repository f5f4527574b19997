"""A room with its members, as one query reads them."""

from typing import Any

import msgspec

from tasksync.dynamodb.core.queries import Moment, Number, Text, Texts, query
from tasksync.dynamodb.rooms import join_roles
from tasksync.model.entities import JoinedRooms, Membership, Origin, Room, RoomRole
from tasksync.runtime.settings import settings

# What an item of the other kind has not.
_ABSENT: Any = None


class _Role(msgspec.Struct, frozen=True, gc=False):
    S: RoomRole


class RoomsRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of ``RoomItem`` makes the room, or of ``MembershipItem`` the membership."""

    room_id: Text
    kind: Text

    user_id: Text = _ABSENT
    role: _Role = _ABSENT
    join_id: Text = _ABSENT
    joined_at: Moment = _ABSENT

    code: Text = _ABSENT
    join_role: Text | None = None
    name: Text | None = None
    member_count: Number = _ABSENT
    admin_count: Number = _ABSENT
    created_by: Text = _ABSENT
    created_at: Moment = _ABSENT
    updated_at: Moment = _ABSENT
    version: Number = _ABSENT
    member_ids: Texts | None = None

    def membership(self) -> Membership:
        return Membership(self.room_id.S, self.user_id.S, self.role.S, self.join_id.S, self.joined_at.S)

    def room(self) -> Room:
        return Room(
            id=self.room_id.S,
            code=self.code.S,
            join_role=join_roles.read(self.join_role.S if self.join_role else None),
            name=self.name.S if self.name else None,
            member_count=self.member_count.N,
            admin_count=self.admin_count.N,
            created_by=self.created_by.S,
            created_at=self.created_at.S,
            updated_at=self.updated_at.S,
            version=self.version.N,
            member_ids=self.member_ids.SS if self.member_ids else frozenset(),
        )


class _EnteredRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a membership says where it is and whence."""

    room_id: Text
    origin: Text | None = None


def rooms_entered(user_id: str) -> JoinedRooms:
    """The rooms of a user, from the index by user. A query of 1 MB holds more of them than anybody can be in."""
    rows, _ = query(
        _EnteredRow,
        {
            "TableName": settings.rooms_table,
            "IndexName": "by_user",
            "KeyConditionExpression": "#0 = :0",
            "ProjectionExpression": "#1, #2",
            "ExpressionAttributeNames": {"#0": "user_id", "#1": "room_id", "#2": "origin"},
            "ExpressionAttributeValues": {":0": {"S": user_id}},
        },
    )
    by_oneself = {row.room_id.S for row in rows if row.origin is not None and row.origin.S == Origin.ONESELF}
    return JoinedRooms(frozenset(by_oneself), frozenset(row.room_id.S for row in rows) - by_oneself)


def partition(room_id: str) -> tuple[Room | None, list[Membership]]:
    """A room, dead or not, and its memberships. One consistent query, and no snapshot."""
    room: Room | None = None
    members = []
    question = {
        "TableName": settings.rooms_table,
        "KeyConditionExpression": "#0 = :0",
        "ConsistentRead": True,
        "ExpressionAttributeNames": {"#0": "room_id"},
        "ExpressionAttributeValues": {":0": {"S": room_id}},
    }
    last = None
    while True:
        rows, last = query(RoomsRow, question if last is None else {**question, "ExclusiveStartKey": last})
        for row in rows:
            if row.kind.S == "membership":
                members.append(row.membership())
            elif row.kind.S == "room":
                room = row.room()
        if last is None:
            return room, members

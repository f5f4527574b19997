"""The rooms table: rooms, their memberships, and the claims on their codes.

A room with its members is one partition, read with one consistent query. Counts and memberships change in
one transaction, so ``member_count`` is the number of membership items at every moment, and ``member_ids`` (a set,
absent when it is empty) names whose they are: so the people of many rooms are known from the rooms. A room with no
members is dead: nothing here shows it or lets anything into it; what is left of it is deleted by ``room_cleanup``.

A code that a room has given up, or whose room is gone, stays claimed as retired for 90 days: old invitations do not
lead into the room of a stranger.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction, get_item, get_many
from tasksync.dynamodb.core.mapper import Row, Text
from tasksync.dynamodb.core.queries import query, raws
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.dynamodb.rooms.conditions import (
    bump_version,
    dated_before,
    end_membership,
    left,
    retire_code,
    role_change,
)
from tasksync.dynamodb.rooms.items import CODE, ByUser, CodeItem, RoomItem, room_key
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM, PartitionRow
from tasksync.dynamodb.rooms.memberships import MembershipItem, MembershipsRepository, membership_key, same_membership
from tasksync.model.entities import JoinedRooms, Membership, Origin, Room, RoomRole, RoomView
from tasksync.model.errors import UnknownCode, WriteConflict
from tasksync.runtime.settings import settings

_READS = 10


class RoomsRepository(MembershipsRepository):
    """Rooms as their members see them."""

    def view(self, room_id: str, user_id: str) -> RoomView | None:
        """The room with all its members, if this user is one of them. One consistent query."""
        room = self.room_with_members(room_id)
        if room is None:
            return None
        found, members = room
        caller = next((member for member in members if member.user_id == user_id), None)
        return RoomView(found, caller, members) if caller else None

    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None:
        """A live room, and its members in the order they joined. Raises ``WriteConflict`` if they keep changing.

        A query is no snapshot: a join that commits while it runs may show in the room and not in the members. Then it
        is run again.
        """
        for _ in range(_READS):
            room, members = partition(room_id)
            if room is None or room.member_count == 0:
                return None
            if room.member_count == len(members):
                return room, tuple(sorted(members, key=lambda member: (member.joined_at, member.join_id)))
        raise WriteConflict

    def memberships_of(self, user_id: str, after: str | None = None) -> Iterator[Membership]:
        """A user's memberships by room id, from the index (see ``queries.py``): candidates, no right."""
        beyond = None if after is None else ByUser.room_id > after
        return map(MEMBERSHIP.read, raws(MembershipItem.by_user.query(user_id, beyond)))

    def count_of(self, user_id: str) -> int:
        """How many rooms a user has opened or joined and is in, from the index (see ``queries.py``)."""
        return MembershipItem.by_user.count(user_id, filter_condition=MembershipItem.origin == Origin.ONESELF.value)

    def joined_rooms(self, user_id: str) -> JoinedRooms:
        """The rooms a user is in, from the index (see ``queries.py``). One round trip."""
        return _joined_rooms(user_id)

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]:
        """The user's memberships in these rooms, by room, read consistently."""
        keys = (membership_key(room_id, user_id) for room_id in room_ids)
        found = map(MEMBERSHIP.read, get_many(settings.rooms_table, keys))
        return {membership.room_id: membership for membership in found}

    def is_live(self, room_id: str) -> bool:
        """Whether there is this room, with members in it. Read consistently."""
        room = self._find(room_id)
        return room is not None and room.member_count > 0

    def resolve_code(self, code: str) -> str:
        """The room with this code. Raises ``UnknownCode``, for retired codes, too."""
        try:
            claim = CodeItem.get(f"CODE#{code}", CODE, consistent_read=True)
        except CodeItem.DoesNotExist:
            raise UnknownCode from None
        if "expires_at" in claim.attribute_values:
            raise UnknownCode
        return claim.owner

    def leave(self, membership: Membership, at: datetime, *, last: bool) -> None:
        """Raises ``WriteConflict`` and ``LastAdmin`` as ``end_membership`` does."""
        transaction = Transaction()
        end_membership(transaction, membership, at, last=last)
        transaction.commit()

    def leave_to(self, membership: Membership, successor: Membership, at: datetime) -> None:
        """The last admin goes, and ``successor`` becomes admin. Raises ``WriteConflict`` if either is not what was
        read.
        """
        transaction = Transaction()
        transaction.delete(
            MembershipItem.at(membership.room_id, membership.user_id), same_membership(membership), WriteConflict
        )
        transaction.update(
            MembershipItem.at(successor.room_id, successor.user_id),
            [MembershipItem.role.set(RoomRole.ADMIN.value)],
            same_membership(successor),
            WriteConflict,
        )
        # One admin for another: the number of admins stays.
        transaction.update(
            RoomItem.at(membership.room_id),
            [
                RoomItem.member_count.add(-1),
                RoomItem.member_ids.delete({membership.user_id}),
                *bump_version(at, {**left(membership), **role_change(successor, RoomRole.ADMIN)}),
            ],
            (RoomItem.member_count >= 2) & (RoomItem.admin_count == 1) & dated_before(at),
            WriteConflict,
        )
        transaction.commit()

    def find_dead(self, room_id: str) -> Room | None:
        """A room without members that is still there to be deleted."""
        room = self._find(room_id)
        return room if room is not None and room.member_count == 0 else None

    def delete_dead(self, room: Room) -> None:
        """Delete a dead room and retire its code, once its tasks are gone. Raises ``WriteConflict`` if that has been
        done.
        """
        transaction = Transaction()
        transaction.delete(RoomItem.at(room.id), RoomItem.member_count == 0, WriteConflict)
        retire_code(transaction, room)
        transaction.commit()

    def unfinished(self, before: datetime) -> Iterator[list[str]]:
        """Rooms left without members before this time and still there: their ids, page by page."""
        for page in unfinished(settings.rooms_table, Unfinished.ROOM, before):
            yield [key["room_id"]["S"] for key in page]

    def _find(self, room_id: str) -> Room | None:
        """Dead or not, read consistently."""
        raw = get_item(settings.rooms_table, room_key(room_id))
        return None if raw is None else ROOM.read(raw)


class _JoinedRow(Row, frozen=True, kw_only=True, gc=False):
    """What of a membership says where it is and whence."""

    room_id: Text
    origin: Text | None = None


def _joined_rooms(user_id: str) -> JoinedRooms:
    """The rooms of a user, from the index by user. A query of 1 MB holds more of them than anybody can be in."""
    rows, _ = query(
        _JoinedRow,
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
    request = {
        "TableName": settings.rooms_table,
        "KeyConditionExpression": "#0 = :0",
        "ConsistentRead": True,
        "ExpressionAttributeNames": {"#0": "room_id"},
        "ExpressionAttributeValues": {":0": {"S": room_id}},
    }
    last = None
    while True:
        rows, last = query(PartitionRow, request if last is None else {**request, "ExclusiveStartKey": last})
        for row in rows:
            if row.kind.S == "membership":
                members.append(MEMBERSHIP.entity(row))
            elif row.kind.S == "room":
                room = ROOM.entity(row)
        if last is None:
            return room, members

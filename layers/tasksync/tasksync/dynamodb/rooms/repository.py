"""The rooms table: rooms, their memberships, and the claims on their codes. Former members: ``former_members.py``.

A room with its members is one partition, read with one consistent query. Counts and memberships change together in
one transaction, so ``member_count`` is the number of membership items at every moment, and ``member_ids`` (a set,
absent when it is empty) names whose they are: so the people of many rooms are known from the rooms. A room with no
members is dead: nothing here shows it or lets anything into it; what is left of it is deleted by ``room_cleanup``.

A code that a room has given up, or whose room is gone, stays claimed as retired for 90 days: old invitations do not
lead into the room of a stranger.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel, batch_get
from tasksync.dynamodb.core.transaction import Failure, Transaction
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.dynamodb.rooms import join_roles
from tasksync.dynamodb.rooms.decoder import partition, rooms_entered
from tasksync.model.change_context import Roles
from tasksync.model.entities import JoinedRooms, Membership, Origin, Room, RoomRole, RoomView
from tasksync.model.errors import CodeTaken, LastAdmin, UnknownCode, WriteConflict
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.settings import settings

ROOM = "ROOM"
MEMBER = "MEMBER#"
CODE = "CODE"

_READS = 10
_CODES_RETIRED_FOR = timedelta(days=90)


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
    """As ``tasksync.dynamodb.rooms.join_roles`` spells it."""
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
        return cls(room_id, ROOM)

    @classmethod
    def of(cls, room: Room) -> "RoomItem":
        return cls(
            room.id,
            ROOM,
            code=room.code,
            join_role=join_roles.stored(room.join_role),
            name=room.name,
            member_count=room.member_count,
            admin_count=room.admin_count,
            created_by=room.created_by,
            created_at=clock.timestamp(room.created_at),
            updated_at=clock.timestamp(room.updated_at),
            version=room.version,
            member_ids=set(room.member_ids) or None,
        )

    def entity(self) -> Room:
        values = self.attribute_values
        return Room(
            id=values["room_id"],
            code=values["code"],
            join_role=join_roles.read(values.get("join_role")),
            name=values.get("name"),
            member_count=int(values["member_count"]),
            admin_count=int(values["admin_count"]),
            created_by=values["created_by"],
            created_at=clock.parse(values["created_at"]),
            updated_at=clock.parse(values["updated_at"]),
            version=int(values["version"]),
            member_ids=frozenset(values.get("member_ids") or ()),
        )


class MembershipItem(RoomsItem, discriminator="membership"):
    user_id = UnicodeAttribute()
    role = UnicodeAttribute()
    join_id = UnicodeAttribute()
    joined_at = UnicodeAttribute()
    origin = UnicodeAttribute(null=True)
    """``Origin``. Absent where the membership is older than this attribute: then it counts as the work of others, so
    that nobody is kept from opening and joining rooms by what others may have done."""

    @classmethod
    def at(cls, room_id: str, user_id: str) -> "MembershipItem":
        return cls(room_id, MEMBER + user_id)

    @classmethod
    def of(cls, membership: Membership, origin: Origin) -> "MembershipItem":
        return cls(
            membership.room_id,
            MEMBER + membership.user_id,
            user_id=membership.user_id,
            role=membership.role.value,
            join_id=membership.join_id,
            joined_at=clock.timestamp(membership.joined_at),
            origin=origin.value,
        )

    def entity(self) -> Membership:
        values = self.attribute_values
        return Membership(
            room_id=values["room_id"],
            user_id=values["user_id"],
            role=RoomRole(values["role"]),
            join_id=values["join_id"],
            joined_at=clock.parse(values["joined_at"]),
        )


class CodeItem(RoomsItem, discriminator="code"):
    """A room's claim on its code. Its partition is the code, so that a code is looked up with one read."""

    owner = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    """Of a retired code: from when on it is free, in seconds since 1970. DynamoDB deletes the item some time after."""

    @classmethod
    def at(cls, code: str) -> "CodeItem":
        return cls(f"CODE#{code}", CODE)


class RoomsRepository:
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
        for item in MembershipItem.by_user.query(user_id, beyond):
            if isinstance(item, MembershipItem):
                yield item.entity()

    def count_of(self, user_id: str) -> int:
        """How many rooms a user has opened or joined and is in, from the index (see ``queries.py``)."""
        return MembershipItem.by_user.count(user_id, filter_condition=MembershipItem.origin == Origin.ONESELF.value)

    def joined_rooms(self, user_id: str) -> JoinedRooms:
        """The rooms a user is in, from the index (see ``queries.py``). One round trip."""
        return rooms_entered(user_id)

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]:
        """The user's memberships in these rooms, by room, read consistently."""
        keys = [(room_id, MEMBER + user_id) for room_id in room_ids]
        return {item.room_id: item.entity() for item in MembershipItem.batch_get(keys, consistent_read=True)}

    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]:
        """By user, the memberships of these users in one room, read consistently."""
        return members_among(room_id, user_ids)

    def is_live(self, room_id: str) -> bool:
        """Whether there is this room, with members in it. Read consistently."""
        try:
            return int(RoomItem.get(room_id, ROOM, consistent_read=True).member_count) > 0
        except RoomItem.DoesNotExist:
            return False

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
        try:
            room = RoomItem.get(room_id, ROOM, consistent_read=True).entity()
        except RoomItem.DoesNotExist:
            return None
        return room if room.member_count == 0 else None

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


def membership_key(room_id: str, user_id: str) -> dict[str, dict[str, str]]:
    """A membership's key as DynamoDB spells it, for reads across tables."""
    return {"room_id": {"S": room_id}, "item": {"S": MEMBER + user_id}}


def members_of(raws: Iterable[Mapping[str, Any]]) -> dict[str, Membership]:
    """By user, the memberships that were read in one room."""
    members = (MembershipItem.from_raw_data(dict(raw)).entity() for raw in raws)
    return {member.user_id: member for member in members}


def members_among(room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]:
    """By user, the memberships of these users in one room, read consistently in one round trip."""
    keys = [membership_key(room_id, user_id) for user_id in dict.fromkeys(user_ids)]
    table = settings.rooms_table
    return members_of(batch_get({table: {"Keys": keys, "ConsistentRead": True}})[table])


def end_membership(transaction: Transaction, membership: Membership, at: datetime, *, last: bool) -> None:
    """Delete the membership, and count it out of its room. ``last``: it was read as the only one, so the room dies.

    The commit raises ``WriteConflict`` if the membership is not what was read. It raises ``LastAdmin`` if it is the
    last admin's and others remain, and also if ``last`` is not so any more or the room was changed after ``at``: who
    reads it again knows which.
    """
    item = MembershipItem.at(membership.room_id, membership.user_id)
    transaction.delete(item, same_membership(membership), WriteConflict)
    actions = [
        RoomItem.member_count.add(-1),
        RoomItem.member_ids.delete({membership.user_id}),
        *bump_version(at, left(membership)),
    ]
    # An update cannot write the mark by what the count becomes, so it is decided before, and the count checked.
    if last:
        actions.append(mark_as_dead())
        condition = (RoomItem.member_count == 1) & dated_before(at)
    else:
        condition = (RoomItem.member_count >= 2) & dated_before(at)
    if membership.role is RoomRole.ADMIN:
        actions.append(RoomItem.admin_count.add(-1))
        if not last:
            condition = condition & (RoomItem.admin_count > 1)
    transaction.update(RoomItem.at(membership.room_id), actions, condition, LastAdmin)


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


def same_version(room: Room) -> Condition:
    """Nothing of the room, nor who is in it, has changed since it was read; so it is alive, too."""
    condition: Condition = RoomItem.version == room.version
    return condition


def dated_before(at: datetime) -> Condition:
    """No version of the room is dated later than ``at``: for changes that do not depend on the version."""
    condition: Condition = RoomItem.updated_at < clock.timestamp(at)
    return condition


def bump_version(at: datetime, members: Mapping[str, Roles] | None = None) -> list[Action]:
    """What every change of a room does to its item. ``members``: whose roles it changes."""
    return [
        RoomItem.updated_at.set(clock.timestamp(at)),
        RoomItem.version.add(1),
        RoomItem.stamp.set(unit_of_work.change_context(members)),
    ]


def mark_as_dead() -> Action:
    """What a change that leaves a room without members does, so that the sweeper finds it."""
    return RoomItem.unfinished.set(Unfinished.ROOM.value)


def joined(membership: Membership) -> dict[str, Roles]:
    return {membership.user_id: (None, membership.role.value)}


def left(membership: Membership) -> dict[str, Roles]:
    return {membership.user_id: (membership.role.value, None)}


def role_change(membership: Membership, role: RoomRole) -> dict[str, Roles]:
    return {membership.user_id: (membership.role.value, role.value)}


def claim_code(transaction: Transaction, room: Room) -> None:
    """Let the room have its code. The commit raises ``CodeTaken`` if another has it, or had it in the last 90 days."""
    claim = CodeItem.at(room.code)
    claim.owner = room.id
    # DynamoDB deletes an expired item only some time after its end.
    retired_long_ago = CodeItem.expires_at <= int(clock.now().timestamp())
    transaction.put(claim, CodeItem.room_id.does_not_exist() | retired_long_ago, CodeTaken)


def retire_code(transaction: Transaction, room: Room) -> None:
    """Let the room's code open nothing any more, and nobody have it for 90 days. The commit may raise
    ``WriteConflict``.
    """
    free_at = int((clock.now() + _CODES_RETIRED_FOR).timestamp())
    transaction.update(
        CodeItem.at(room.code), [CodeItem.expires_at.set(free_at)], CodeItem.owner == room.id, WriteConflict
    )

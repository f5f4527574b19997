"""What transactions ask of rooms, and what they do to them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.core.unfinished import Unfinished
from tasksync.dynamodb.rooms.items import CodeItem, RoomItem
from tasksync.dynamodb.rooms.memberships import MembershipItem, same_membership
from tasksync.model import times
from tasksync.model.change_context import Roles
from tasksync.model.entities import Membership, Room, RoomRole
from tasksync.model.errors import CodeTaken, LastAdmin, WriteConflict
from tasksync.runtime import unit_of_work

_CODES_RETIRED_FOR = timedelta(days=90)


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


def same_version(room: Room) -> Condition:
    """Nothing of the room, nor who is in it, has changed since it was read; so it is alive, too."""
    condition: Condition = RoomItem.version == room.version
    return condition


def dated_before(at: datetime) -> Condition:
    """No version of the room is dated later than ``at``: for changes that do not depend on the version."""
    condition: Condition = RoomItem.updated_at < times.timestamp(at)
    return condition


def bump_version(at: datetime, members: Mapping[str, Roles] | None = None) -> list[Action]:
    """What every change of a room does to its item. ``members``: whose roles it changes."""
    return [
        RoomItem.updated_at.set(times.timestamp(at)),
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
    retired_long_ago = CodeItem.expires_at <= int(times.now().timestamp())
    transaction.put(claim, CodeItem.room_id.does_not_exist() | retired_long_ago, CodeTaken)


def retire_code(transaction: Transaction, room: Room) -> None:
    """Let the room's code open nothing any more, and nobody have it for 90 days. The commit may raise
    ``WriteConflict``.
    """
    free_at = int((times.now() + _CODES_RETIRED_FOR).timestamp())
    transaction.update(
        CodeItem.at(room.code), [CodeItem.expires_at.set(free_at)], CodeItem.owner == room.id, WriteConflict
    )

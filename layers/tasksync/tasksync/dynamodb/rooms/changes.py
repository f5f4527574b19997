"""What people do with rooms: each is one transaction."""

from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.rooms import join_roles
from tasksync.dynamodb.rooms.conditions import (
    bump_version,
    claim_code,
    dated_before,
    end_membership,
    joined,
    mark_as_dead,
    retire_code,
    role_change,
    same_version,
)
from tasksync.dynamodb.rooms.former_members import forget_former_member, note_former_member, require_former_member
from tasksync.dynamodb.rooms.items import RoomItem
from tasksync.dynamodb.rooms.memberships import MembershipItem, require_membership, same_membership
from tasksync.dynamodb.rooms.queries import RoomReads
from tasksync.dynamodb.rooms.unassignments import note_unassignment
from tasksync.dynamodb.users.conditions import require_active, require_unchanged
from tasksync.model.entities import FormerMember, Membership, Origin, Room, RoomRole, RoomView, User
from tasksync.model.errors import AlreadyMember, CallerGone, LastAdmin, WriteConflict
from tasksync.runtime import unit_of_work


class RoomChanges(RoomReads):
    """The rooms table, with the changes that need users, too."""

    def create(self, room: Room, creator: Membership) -> None:
        """Raises ``CodeTaken``, or ``CallerGone`` if the creator is no active user any more."""
        transaction = Transaction()
        require_active(transaction, creator.user_id, CallerGone)
        claim_code(transaction, room)
        item = RoomItem.of(room)
        item.stamp = unit_of_work.change_context()
        transaction.put(item, RoomItem.room_id.does_not_exist(), WriteConflict)
        transaction.put(
            MembershipItem.of(creator, Origin.ONESELF), MembershipItem.room_id.does_not_exist(), WriteConflict
        )
        transaction.commit()

    def join(self, room: Room, membership: Membership, former: FormerMember | None) -> None:
        """Somebody joins by the code, who left the room as ``former`` says; None: who has not been there before.

        Raises ``AlreadyMember``, ``CallerGone`` (no active user), or ``WriteConflict`` if the room or ``former`` has
        changed.
        """
        transaction = Transaction()
        require_active(transaction, membership.user_id, CallerGone)
        require_former_member(transaction, room.id, membership.user_id, former)
        self._enter(transaction, room, membership, Origin.ONESELF)

    def add(self, room: Room, actor: Membership, user: User, membership: Membership) -> None:
        """An admin adds ``user``, however they left before.

        Raises ``AlreadyMember``, or ``WriteConflict`` if the room, the actor's membership or the user is not what was
        read: the user's version stands for their being active and for whom they let add them.
        """
        transaction = Transaction()
        require_membership(transaction, actor)
        require_unchanged(transaction, user, WriteConflict)
        forget_former_member(transaction, room.id, user.id)
        self._enter(transaction, room, membership, Origin.OTHERS)

    def remove(self, view: RoomView, membership: Membership, former: FormerMember) -> None:
        """The caller of ``view`` ends a membership, their own or as an admin. ``former``: what becomes of its person.

        Raises ``WriteConflict`` and ``LastAdmin`` as ``end_membership`` does, and ``WriteConflict`` if the caller's
        membership is not what was read.
        """
        transaction = Transaction()
        if view.caller.user_id != membership.user_id:
            require_membership(transaction, view.caller)
        last = view.room.member_count == 1
        end_membership(transaction, membership, former.left_at, last=last)
        note_former_member(transaction, former)
        if not last:
            note_unassignment(transaction, membership.room_id, membership.user_id, former.left_at)
        transaction.commit()

    def change_role(self, actor: Membership, before: Membership, after: Membership, at: datetime) -> None:
        """Raises ``WriteConflict`` if the actor or the membership is not what was read.

        Raises ``LastAdmin`` if it is the last admin's, and also if the room was changed after ``at``.
        """
        transaction = Transaction()
        if actor.user_id != before.user_id:
            require_membership(transaction, actor)
        transaction.update(
            MembershipItem.at(before.room_id, before.user_id),
            [MembershipItem.role.set(after.role.value)],
            same_membership(before),
            WriteConflict,
        )
        change = (after.role is RoomRole.ADMIN) - (before.role is RoomRole.ADMIN)
        actions = bump_version(at, role_change(before, after.role))
        condition = (RoomItem.member_count >= 1) & dated_before(at)
        if change:
            actions.append(RoomItem.admin_count.add(change))
        if change < 0:
            condition = condition & (RoomItem.admin_count > 1)
        transaction.update(RoomItem.at(before.room_id), actions, condition, LastAdmin)
        transaction.commit()

    def change(self, actor: Membership, room: Room, changed: Room) -> None:
        """Another name, or another role for those who join.

        Raises ``WriteConflict`` if the room has changed since it was read, or the actor is no longer admin.
        """
        transaction = Transaction()
        require_membership(transaction, actor)
        transaction.update(
            RoomItem.at(room.id),
            [
                RoomItem.name.set(changed.name) if changed.name is not None else RoomItem.name.remove(),
                RoomItem.join_role.set(join_roles.stored(changed.join_role)),
                *bump_version(changed.updated_at),
            ],
            same_version(room),
            WriteConflict,
        )
        transaction.commit()

    def change_code(self, actor: Membership, room: Room, changed: Room) -> None:
        """Raises ``CodeTaken``, or ``WriteConflict`` as ``change`` does."""
        transaction = Transaction()
        require_membership(transaction, actor)
        claim_code(transaction, changed)
        retire_code(transaction, room)
        actions = [RoomItem.code.set(changed.code), *bump_version(changed.updated_at)]
        transaction.update(RoomItem.at(room.id), actions, same_version(room), WriteConflict)
        transaction.commit()

    def close(self, view: RoomView, at: datetime) -> None:
        """An admin deletes the room: every membership ends, and the room is dead, in one transaction.

        Raises ``WriteConflict`` if anybody joined, left or changed roles since the room was read.
        """
        transaction = Transaction()
        for member in view.members:
            transaction.delete(
                MembershipItem.at(member.room_id, member.user_id), same_membership(member), WriteConflict
            )
        transaction.update(
            RoomItem.at(view.room.id),
            [
                RoomItem.member_count.set(0),
                RoomItem.member_ids.remove(),
                RoomItem.admin_count.set(0),
                mark_as_dead(),
                *bump_version(at),
            ],
            # As many members as were read, and each of those still there: then nobody else is.
            same_version(view.room),
            WriteConflict,
        )
        transaction.commit()

    def _enter(self, transaction: Transaction, room: Room, membership: Membership, origin: Origin) -> None:
        transaction.put(MembershipItem.of(membership, origin), MembershipItem.room_id.does_not_exist(), AlreadyMember)
        # The version stands for all that was decided on: the code, what joining by it gives, the number of members,
        # that the room is alive.
        actions = [
            RoomItem.member_count.add(1),
            RoomItem.member_ids.add({membership.user_id}),
            *bump_version(membership.joined_at, joined(membership)),
        ]
        if membership.role is RoomRole.ADMIN:
            actions.append(RoomItem.admin_count.add(1))
        transaction.update(RoomItem.at(room.id), actions, same_version(room), WriteConflict)
        transaction.commit()

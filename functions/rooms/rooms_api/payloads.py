"""What comes in and goes out."""

import msgspec
from msgspec import UNSET, UnsetType

from rooms_api import answers
from tasksync.clock import timestamp
from tasksync.entities import ActivityEntry, JoinRole, Membership, Room, RoomRole, RoomView, User
from tasksync.http.fields import Id, PastedRoomCode, RoomCode, RoomName
from tasksync.http.representations import room_in_list


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """`user_id` may only be the caller. Without a code, one of nine characters is made up.

    `join_role` is the role of whoever joins by the code; ``null``: nobody can.
    """

    name: RoomName | None = None
    code: RoomCode | None = None
    join_role: JoinRole | None = JoinRole.MEMBER
    user_id: Id | None = None


class RoomChange(msgspec.Struct, frozen=True, kw_only=True):
    """Absent: stays. ``null``: the room has no name; nobody can join it by its code."""

    name: RoomName | UnsetType | None = UNSET
    join_role: JoinRole | UnsetType | None = UNSET

    def applied(self, room: Room) -> Room:
        name = room.name if isinstance(self.name, UnsetType) else self.name
        join_role = room.join_role if isinstance(self.join_role, UnsetType) else self.join_role
        return msgspec.structs.replace(room, name=name, join_role=join_role)


class Join(msgspec.Struct, frozen=True, kw_only=True):
    code: PastedRoomCode


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    user_id: Id
    role: RoomRole = RoomRole.MEMBER


class RoleChange(msgspec.Struct, frozen=True, kw_only=True):
    role: RoomRole


class NoFields(msgspec.Struct, frozen=True):
    """A body that may be left out, and has nothing in it."""


def room(view: RoomView) -> answers.Room:
    return {**room_in_list(view), "user_ids": [member.user_id for member in view.members]}


def member(found: tuple[Membership, User]) -> answers.Member:
    membership, user = found
    return {
        "user_id": user.id,
        "username": user.username,
        "role": membership.role,
        "joined_at": timestamp(membership.joined_at),
    }


def activity(entry: ActivityEntry) -> answers.Activity:
    """``actor_id`` is null where the service acted by itself, ``old`` and ``new`` where there is no value."""
    return {
        "id": entry.id,
        "at": timestamp(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action,
        "resource": entry.resource,
        "resource_id": entry.resource_id,
        "changes": {name: {"old": old, "new": new} for name, (old, new) in entry.changes.items()},
        "request_id": entry.request_id,
    }

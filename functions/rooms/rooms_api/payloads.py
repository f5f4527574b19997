"""What comes in and goes out."""

import msgspec
from msgspec import UNSET, UnsetType

from rooms_api import answers
from tasksync.clock import timestamp
from tasksync.entities import JoinRole, Membership, Room, RoomRole, RoomView, User
from tasksync.http.fields import PastedRoomCode, RoomCode, RoomName, UserId
from tasksync.http.representations import room_in_list
from tasksync.http.schema import Change


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """`user_id` may only be the caller. Without a code, one of nine characters is made up.

    `join_role` is the role of whoever joins by the code; ``null``: nobody can.
    """

    name: RoomName | None = None
    code: RoomCode | None = None
    join_role: JoinRole | None = JoinRole.MEMBER
    user_id: UserId | None = None


class RoomChange(Change, frozen=True, kw_only=True):
    """Absent: stays. ``null``: the room has no name; nobody can join it by its code."""

    name: RoomName | UnsetType | None = UNSET
    join_role: JoinRole | UnsetType | None = UNSET

    def applied(self, room: Room) -> Room:
        return msgspec.structs.replace(room, **self.given(room))


class Join(msgspec.Struct, frozen=True, kw_only=True):
    code: PastedRoomCode


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    user_id: UserId
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

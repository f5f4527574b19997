"""Request schemas of rooms."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import PastedRoomCode, RoomCode, RoomName, UserId
from tasksync.model.entities import JoinRole, Room, RoomRole

_JOIN_ROLE = Meta(description="The role of users who join by the code. `null`: nobody can join by it.")


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A new room, whose admin is the caller. All fields may be left out."""

    name: RoomName | None = None
    code: Annotated[
        RoomCode | None,
        Meta(
            description=(
                "6 to 9 letters (A to Z, in any case) and digits, which no other room has. Without "
                "it, a code of nine characters is generated."
            )
        ),
    ] = None
    join_role: Annotated[JoinRole | None, _JOIN_ROLE] = JoinRole.MEMBER
    user_id: Annotated[UserId | None, Meta(description="Who opens the room: always the caller.")] = None


class RoomChange(Change, frozen=True, kw_only=True):
    """A change of a room. An absent field stays unchanged. `null`: the room has no name; nobody can join it by its
    code."""

    name: RoomName | UnsetType | None = UNSET
    join_role: Annotated[JoinRole | UnsetType | None, _JOIN_ROLE] = UNSET

    def applied(self, room: Room) -> Room:
        return msgspec.structs.replace(room, **self.given(room))


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Which room to join."""

    code: PastedRoomCode


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """A user to add to a room."""

    user_id: Annotated[UserId, Meta(description="The id of the user to add.")]
    role: Annotated[RoomRole, Meta(description="The role of the member in the room.")] = RoomRole.MEMBER


class RoleChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a membership."""

    role: Annotated[RoomRole, Meta(description="The new role of the member in the room.")]

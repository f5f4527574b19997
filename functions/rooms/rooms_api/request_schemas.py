"""Request schemas of rooms."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import PastedRoomCode, RoomCode, RoomName, UserId
from tasksync.model.entities import JoinRole, Room, RoomRole

_JOIN_ROLE = Meta(description="The role of whoever joins by the code. `null`: nobody can join by it.")


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A new room, whose admin is the caller. All fields may be left out."""

    name: RoomName | None = None
    code: Annotated[
        RoomCode | None,
        Meta(
            description=(
                "6 to 9 letters (A to Z, in any case) and digits, which no other room has. Without it, a code of nine "
                "characters is made up."
            )
        ),
    ] = None
    join_role: Annotated[JoinRole | None, _JOIN_ROLE] = JoinRole.MEMBER
    user_id: Annotated[UserId | None, Meta(description="Who opens the room: the caller, and nobody else.")] = None


class RoomChange(Change, frozen=True, kw_only=True):
    """A change of a room. Absent: stays. `null`: the room has no name; nobody can join it by its code."""

    name: RoomName | UnsetType | None = UNSET
    join_role: Annotated[JoinRole | UnsetType | None, _JOIN_ROLE] = UNSET

    def applied(self, room: Room) -> Room:
        return msgspec.structs.replace(room, **self.given(room))


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Which room to join."""

    code: PastedRoomCode


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is to be added to a room."""

    user_id: Annotated[UserId, Meta(description="Who is added.")]
    role: Annotated[RoomRole, Meta(description="What they may do in the room.")] = RoomRole.MEMBER


class RoleChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a membership."""

    role: Annotated[RoomRole, Meta(description="What the member may do in the room from now on.")]


class EmptyBody(msgspec.Struct, frozen=True):
    """A body that may be left out, and has nothing in it."""

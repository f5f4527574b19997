"""Request schemas of users, and the rendering of exports."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http import rendering
from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import Email, Username
from tasksync.model.entities import ActivityEntry, AddedBy, FormerMember, RoomView, User
from tasksync.runtime.clock import timestamp
from users_api import response_schemas


class UserChange(Change, frozen=True, kw_only=True):
    """A change of a user. Absent: stays. `null`: is cleared, where that is allowed."""

    username: Username | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    added_by: Annotated[
        AddedBy | UnsetType,
        Meta(
            description="Who may add oneself to rooms: anyone, those who share a room with one, or nobody. "
            "Only of oneself; whatever it is, one may join rooms by their codes."
        ),
    ] = UNSET

    def applied(self, user: User) -> User:
        return msgspec.structs.replace(user, **self.given(user))


def changed_fields(before: User, after: User) -> list[str]:
    """The names of the fields that differ."""
    return [name for name in UserChange.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def exported_room(view: RoomView) -> response_schemas.ExportedRoom:
    return {**rendering.room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}


def exported_activity(entry: ActivityEntry) -> response_schemas.ExportedActivity:
    return {**rendering.activity(entry), "room_id": entry.room_id}


def exported_former_room(former: FormerMember) -> response_schemas.FormerRoom:
    return {"room_id": former.room_id, "role": former.role, "left_at": timestamp(former.left_at)}

"""What comes in and goes out."""

import msgspec
from msgspec import UNSET, UnsetType

from tasksync.clock import timestamp
from tasksync.entities import ActivityEntry, RoomView, User
from tasksync.http import representations
from tasksync.http.fields import Email, Username
from users_api import answers


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """Absent: stays. ``null``: is cleared, where that is allowed."""

    username: Username | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET

    def applied(self, user: User) -> User:
        username = user.username if isinstance(self.username, UnsetType) else self.username
        email = user.email if isinstance(self.email, UnsetType) else self.email
        return msgspec.structs.replace(user, username=username, email=email)


def exported_room(view: RoomView) -> answers.ExportedRoom:
    return {**representations.room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}


def exported_activity(entry: ActivityEntry) -> answers.ExportedActivity:
    return {**representations.activity(entry), "room_id": entry.room_id}

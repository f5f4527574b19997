"""What comes in and goes out."""

import msgspec
from msgspec import UNSET, UnsetType

from tasksync.clock import timestamp
from tasksync.domain.export import Export
from tasksync.entities import Caller, User
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


def exported(export: Export, caller: Caller) -> answers.Export:
    """Without what proves who somebody is: hashes of passwords and tokens are of no use to anybody but a thief."""
    return {
        "user": representations.profile(export.user),
        "sessions": [representations.session(session, caller) for session in export.sessions],
        "rooms": [
            {**representations.room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}
            for view in export.rooms
        ],
        "former_rooms": [
            {"room_id": former.room_id, "role": former.role, "left_at": timestamp(former.left_at)}
            for former in export.former_rooms
        ],
        "tasks": [representations.task(task) for task in export.tasks],
        "next_cursor": None,
    }

"""What comes in and goes out."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.clock import timestamp
from tasksync.domain.export import Export
from tasksync.entities import AddedBy, Caller, User
from tasksync.http import representations
from tasksync.http.fields import Email, Username
from tasksync.http.schema import Change
from users_api import answers


class UserChange(Change, frozen=True, kw_only=True):
    """Absent: stays. ``null``: is cleared, where that is allowed."""

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
    """What a change has changed, by name."""
    return [name for name in UserChange.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def exported(export: Export, caller: Caller) -> answers.Export:
    """Without what proves who somebody is: hashes of passwords and tokens are of no use to anybody but a thief."""
    return {
        "user": representations.profile(export.user),
        "sessions": [representations.session(session, caller) for session in export.sessions],
        "rooms": [
            {**representations.room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}
            for view in export.rooms
        ],
        "tasks": [representations.task(task) for task in export.tasks],
        "next_cursor": None,
    }

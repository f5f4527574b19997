"""Request schemas of users."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import Email, Username
from tasksync.model.entities import AddedBy, User


class UserChange(Change, frozen=True, kw_only=True):
    """A change of a user. An absent field stays unchanged; `null` clears a field, where that is allowed."""

    username: Username | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    added_by: Annotated[
        AddedBy | UnsetType,
        Meta(
            description=(
                "Who may add the user to rooms: anyone, users who share a room with them, or nobody. Only "
                "the user changes it. It does not limit joining rooms by their codes."
            )
        ),
    ] = UNSET

    def applied(self, user: User) -> User:
        return msgspec.structs.replace(user, **self.given(user))


def changed_fields(before: User, after: User) -> list[str]:
    """The names of the fields that differ."""
    return [name for name in UserChange.__struct_fields__ if getattr(before, name) != getattr(after, name)]

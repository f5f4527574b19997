"""What comes in."""

from dataclasses import replace

import msgspec
from msgspec import UNSET, UnsetType

from tasksync.entities import User
from tasksync.http.fields import Email, Username


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """Absent: stays. ``null``: is cleared, where that is allowed."""

    username: Username | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET

    def applied(self, user: User) -> User:
        username = user.username if isinstance(self.username, UnsetType) else self.username
        email = user.email if isinstance(self.email, UnsetType) else self.email
        return replace(user, username=username, email=email)

"""What comes in and goes out."""

from dataclasses import replace
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from tasksync.entities import Caller, User, UserRole
from tasksync.http.fields import Email, Username
from tasksync.http.profiles import profile


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """Absent: stays. ``null``: is cleared, where that is allowed."""

    username: Username | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET

    def applied(self, user: User) -> User:
        username = user.username if isinstance(self.username, UnsetType) else self.username
        email = user.email if isinstance(self.email, UnsetType) else self.email
        return replace(user, username=username, email=email)


def user(found: User, caller: Caller) -> dict[str, Any]:
    """All of oneself and, for an admin, of everybody; of others the name alone."""
    if found.id == caller.user_id or caller.role is UserRole.ADMIN:
        return profile(found)
    return {"id": found.id, "username": found.username}

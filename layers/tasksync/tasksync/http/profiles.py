"""Registration and profile as they come in and go out: the functions of users and of sign-in share both."""

from typing import Any

import msgspec

from tasksync.clock import timestamp
from tasksync.entities import User
from tasksync.errors import Fault, Invalid
from tasksync.http.fields import Email, Password, Username


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    username: Username | None = None
    email: Email | None = None
    password: Password

    def require_a_name(self) -> None:
        """Raise ``Invalid`` unless there is something to sign in with."""
        if self.username is None and self.email is None:
            raise Invalid([Fault("/username", "missing", "A username or an e-mail address is required.")])


def profile(user: User) -> dict[str, Any]:
    """A user as they see themselves."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "created_at": timestamp(user.created_at),
        "updated_at": timestamp(user.updated_at),
        "version": user.version,
    }

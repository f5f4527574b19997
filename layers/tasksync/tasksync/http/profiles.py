"""Registration and profile as they come in and go out: the functions of users and of sign-in share both."""

from collections.abc import Mapping
from typing import Any

from tasksync import passwords
from tasksync.clock import timestamp
from tasksync.entities import User
from tasksync.errors import Fault
from tasksync.http.fields import Email, Password, Username
from tasksync.http.schema import Checked


class Registration(Checked, frozen=True, kw_only=True):
    username: Username | None = None
    email: Email | None = None
    password: Password

    @classmethod
    def further_faults(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
        faults = passwords.faults_of(values["password"], "/password") if "password" in values else []
        if data.get("username") is None and data.get("email") is None:
            faults.append(Fault("/username", "missing", "A username or an e-mail address is required."))
        return faults


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

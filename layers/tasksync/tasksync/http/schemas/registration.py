"""The request schema of a registration, which the users and auth functions share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tasksync.http.schemas.binding import Checked
from tasksync.http.schemas.fields import SOME_NAME, Email, NewPassword, Username
from tasksync.model.errors import FieldError
from tasksync.security import password_policy


class Registration(Checked, frozen=True, kw_only=True):
    """A new account: a username, an e-mail address or both, and a password. A missing username is generated."""

    username: Username | None = None
    email: Email | None = None
    password: NewPassword

    FURTHER_SCHEMA: ClassVar[Mapping[str, Any]] = SOME_NAME

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
        names = [values.get("username"), values.get("email")]
        field_errors = (
            password_policy.password_errors(values["password"], "/password", names) if "password" in values else []
        )
        if data.get("username") is None and data.get("email") is None:
            field_errors.append(FieldError("/username", "missing", "A username or an e-mail address is required."))
        return field_errors

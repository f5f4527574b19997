"""Request schemas, and the rendering of token responses."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec

from auth_api import response_schemas
from tasksync.domain.users.accounts import SignIn
from tasksync.dynamodb.users.items import email_claim, name_claim
from tasksync.http.responses import profile
from tasksync.http.schemas.binding import Checked
from tasksync.http.schemas.fields import (
    SOME_NAME,
    CurrentPassword,
    NewPassword,
    Password,
    Token,
    TypedEmail,
    TypedPassword,
    TypedUsername,
)
from tasksync.model.errors import FieldError
from tasksync.model.texts import DAMAGE
from tasksync.security.password_policy import length_errors, normal

RecoveryToken = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        description="As `make reset-password` printed it. Valid for one use within 30 minutes.",
        examples=["usr_01a1fc4ca2c57d0e8b3f6a1d4c7e9f20.Zk1vJ0wq3hJt5y8nD2xRrBfPz6cLmQeT4uSaXgVoHiE"],
    ),
]


class Login(Checked, frozen=True, kw_only=True):
    """The username or the e-mail address, not both, and the password."""

    username: TypedUsername | None = None
    email: TypedEmail | None = None
    password: TypedPassword

    FURTHER_SCHEMA: ClassVar[Mapping[str, Any]] = SOME_NAME

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
        given = [name for name in ("username", "email") if data.get(name) is not None]
        if not given:
            return [FieldError("/username", "missing", "Either a username or an e-mail address is required.")]
        if len(given) == 2 and {*given} <= values.keys():
            return [FieldError("/username", "not_both", "Either a username or an e-mail address, not both.")]
        return []

    @property
    def damaged(self) -> bool:
        """Whether it was not sent in UTF-8. Then what the user typed is unknown, and no account matches."""
        return any(DAMAGE in text for text in (self.username, self.email, self.password) if text is not None)

    @property
    def claim(self) -> str:
        """The claim (username or address) in its normal form."""
        return name_claim(self.username) if self.username is not None else email_claim(str(self.email))


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """The refresh token of a session."""

    refresh_token: Token


class Reauthentication(msgspec.Struct, frozen=True, kw_only=True):
    """The password of the caller."""

    password: Password


class PasswordChange(Checked, frozen=True, kw_only=True):
    """The current password and the new one."""

    current_password: CurrentPassword
    new_password: NewPassword

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
        """The cheap checks. The strength of the password is judged after the current password was verified."""
        new = values.get("new_password")
        if new is None:
            return []
        if "current_password" in values and normal(new) == normal(values["current_password"]):
            return [FieldError("/new_password", "password_unchanged", "The new password is the current one.")]
        return length_errors(new, "/new_password")


class RecoveryCompletion(Checked, frozen=True, kw_only=True):
    """A recovery token and the new password."""

    token: RecoveryToken
    new_password: NewPassword

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
        """The cheap checks. The strength of the password is judged after the token was verified."""
        return length_errors(values["new_password"], "/new_password") if "new_password" in values else []


def access_token(token: str, lifetime_seconds: int) -> response_schemas.AccessToken:
    return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime_seconds}


def signed_in(sign_in: SignIn, access_token: str, lifetime_seconds: int) -> response_schemas.SignedIn:
    """A token response (RFC 6749 §5.1) with its user. Lifetimes count from the first response with these tokens."""
    session = sign_in.session
    return {
        "user": profile(sign_in.user),
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime_seconds,
        "refresh_token": sign_in.refresh_token,
        "refresh_expires_in": round((session.ends_at - session.last_used_at).total_seconds()),
    }

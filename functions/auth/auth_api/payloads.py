"""What comes in and goes out."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from auth_api import answers
from tasksync import password_policy
from tasksync.domain.accounts import SignIn
from tasksync.errors import Fault
from tasksync.http.fields import ONE_NAME, Email, Password, Token, Username
from tasksync.http.representations import profile
from tasksync.http.schema import Checked
from tasksync.tables.users import email_claim, name_claim


class Login(Checked, frozen=True, kw_only=True):
    """Either of the two names, and the password."""

    username: Username | None = None
    email: Email | None = None
    password: Password

    FURTHER_SCHEMA: ClassVar[Mapping[str, Any]] = ONE_NAME

    @classmethod
    def further_faults(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
        if (data.get("username") is None) == (data.get("email") is None):
            return [Fault("/username", "missing", "Either a username or an e-mail address is required.")]
        return []

    @property
    def identifier(self) -> str:
        """Whom it is about, the same however it is written."""
        return name_claim(self.username) if self.username is not None else email_claim(str(self.email))


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    refresh_token: Token


class Reauthentication(msgspec.Struct, frozen=True, kw_only=True):
    password: Password


class PasswordChange(Checked, frozen=True, kw_only=True):
    current_password: Password
    new_password: Password

    @classmethod
    def further_faults(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
        return password_policy.faults_of(values["new_password"], "/new_password") if "new_password" in values else []


def access_token(token: str, lifetime_seconds: int) -> answers.AccessToken:
    return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime_seconds}


def signed_in(sign_in: SignIn, access_token: str, lifetime_seconds: int) -> answers.SignedIn:
    """A token answer (RFC 6749 §5.1) with the user it is for. Times count from when the tokens were first given."""
    session = sign_in.session
    return {
        "user": profile(sign_in.user),
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime_seconds,
        "refresh_token": sign_in.refresh_token,
        "refresh_expires_in": round((session.ends_at - session.last_used_at).total_seconds()),
    }

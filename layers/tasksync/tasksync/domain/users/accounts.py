"""The account service: registration, sign-in, sessions and passwords."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.model import times
from tasksync.model.entities import (
    Caller,
    Exchange,
    Page,
    Recovery,
    Session,
    User,
    UserRole,
    UserStatus,
)
from tasksync.model.errors import (
    DependencyFailed,
    FieldError,
    IdempotencyKeyReused,
    Invalid,
    InvalidCredentials,
    InvalidRecoveryToken,
    InvalidToken,
    PreconditionFailed,
    RefreshInProgress,
    RefreshTokenReused,
    SessionNotFound,
    TokenRevoked,
    UsernameTaken,
    WriteConflict,
)
from tasksync.model.times import new_session_id, new_user_id
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict
from tasksync.security import password_policy

_REPEATABLE = timedelta(seconds=60)
_AT_ONCE = timedelta(seconds=10)
"""A token that is used again within this time counts as used by two browser tabs, not as stolen."""
_NOBODY = "nobody"

Matches = Callable[[None], bool]
"""Whether the client's preconditions allow changing a resource without a version."""


class People(Protocol):
    """The part of the users repository that this service uses; ``dynamodb/users/recoveries.py`` says what each
    raises."""

    def find(self, user_id: str) -> User | None: ...
    def owner_of(self, claim: str) -> str | None: ...
    def upgrade_password_hash(self, user: User, password_hash: str) -> None: ...
    def find_recovery(self, user_id: str) -> tuple[User, Recovery] | None: ...
    def recover(self, user: User, recovery: Recovery, password_hash: str, at: datetime) -> None: ...


class Sessions(Protocol):
    """The sessions repository; ``dynamodb/sessions/repository.py`` says what each raises."""

    def find(self, session_id: str) -> Session | None: ...
    def page_of(self, user_id: str, at: datetime, limit: int, after: str | None) -> Page[Session]: ...
    def register(self, user: User, session: Session) -> None: ...
    def open(self, session: Session) -> None: ...
    def rotate(
        self, session: Session, refresh_hash: str, exchange: Exchange, at: datetime, expires_at: datetime
    ) -> None: ...
    def reauthenticate(self, user: User, session_id: str, at: datetime) -> None: ...
    def change_password(self, user: User, session_id: str, password_hash: str, at: datetime) -> None: ...
    def end(self, session_id: str, user_id: str) -> None: ...
    def end_all(self, user_id: str) -> None: ...
    def revoke(self, session: Session) -> None: ...


class Passwords(Protocol):
    """``tasksync.security.passwords``."""

    def hash_password(self, password: str) -> str: ...
    def verify_password(self, password: str, password_hash: str | None) -> bool: ...
    def outdated(self, password_hash: str) -> bool: ...


class RefreshTokens(Protocol):
    """``tasksync.security.refresh_tokens``, which says what each does."""

    def new_token(self, session_id: str) -> str: ...
    def new_salt(self) -> str: ...
    def successor(self, refresh_token: str, salt: str) -> str: ...
    def session_of(self, refresh_token: str) -> str | None: ...
    def token_hash(self, refresh_token: str) -> str: ...
    def family_hash(self, refresh_token: str) -> str: ...


class RecoveryTokens(Protocol):
    """``tasksync.security.recovery_tokens``, which says what each does."""

    def user_of(self, token: str) -> str | None: ...
    def token_hash(self, token: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Device:
    """The client that signs in."""

    user_agent: str
    ip: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """A new or refreshed session, and its refresh token, which is not stored."""

    user: User
    session: Session
    refresh_token: str
    repeated: bool = False
    """Whether this repeats the response to an earlier, identical request."""


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """A repeated check of the password in a session, and the id of the access token that proves it."""

    user: User
    session_id: str
    token_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: in all (``absolute``), and without a refresh (``idle``)."""

    absolute: timedelta
    idle: timedelta


def register(
    username: str | None, email: str | None, password: str, passwords: Passwords, write: Callable[[User], None]
) -> User:
    """Create a user and store it by ``write``. Without a username, one is generated.

    Raises ``UsernameTaken``, ``EmailTaken``.
    """
    at = times.now()
    user = User(
        id=new_user_id(at),
        username=username or _made_up_name(),
        email=email,
        password_hash=passwords.hash_password(password),
        role=UserRole.USER,
        status=UserStatus.ACTIVE,
        token_epoch=1,
        created_at=at,
        updated_at=at,
        version=1,
    )
    while True:
        try:
            write(user)
            return user
        except UsernameTaken:
            if username is not None:
                raise
            user = replace(user, username=_made_up_name())


class AccountService:
    """Operations on accounts and sessions."""

    def __init__(
        self,
        people: People,
        sessions: Sessions,
        passwords: Passwords,
        tokens: RefreshTokens,
        recovery_tokens: RecoveryTokens,
        lifetimes: Lifetimes,
        gather: Gather,
    ) -> None:
        """``gather`` runs two reads at the same time."""
        self._gather = gather
        self._people = people
        self._sessions = sessions
        self._passwords = passwords
        self._tokens = tokens
        self._recovery_tokens = recovery_tokens
        self._lifetimes = lifetimes

    def register(self, username: str | None, email: str | None, password: str, device: Device) -> SignIn:
        """Create a user and sign in. Raises the errors of the function ``register``."""
        opened: list[SignIn] = []

        def write(user: User) -> None:
            sign_in = self._new_session(user, device)
            self._sessions.register(user, sign_in.session)
            opened.append(sign_in)

        register(username, email, password, self._passwords, write)
        return opened[-1]

    def owner_of(self, claim: str) -> str | None:
        """The id of the user with this username or address, if any."""
        return self._people.owner_of(claim)

    def holder(self, user_id: str | None) -> User | None:
        """The user who signs in. One read in any case, so that the duration does not show whether the user exists."""
        return self._people.find(user_id or _NOBODY)

    def login(self, user: User | None, password: str, device: Device) -> SignIn:
        """Sign in. Raises ``InvalidCredentials``, after the same time if there is no user."""
        right = self._passwords.verify_password(password, user.password_hash if user else None)
        if user is None or not right:
            raise InvalidCredentials
        sign_in = self._new_session(user, device)
        self._sessions.open(sign_in.session)
        if self._passwords.outdated(user.password_hash):
            # A write conflict or a failed write must not fail the sign-in: the next sign-in upgrades the hash.
            with suppress(WriteConflict, DependencyFailed):
                self._people.upgrade_password_hash(user, self._passwords.hash_password(password))
        return sign_in

    def refresh(self, session: Session | None, refresh_token: str, key: str | None) -> SignIn:
        """Exchange a refresh token of ``session`` for a new one. Raises ``InvalidToken``.

        ``key``: the digest of an idempotency key. The same token with the same key within a minute returns the same
        new token, because the response may have been lost. Otherwise:

        - A token that was exchanged less than ten seconds ago was used by two clients at the same time. The second
          request fails (``RefreshInProgress``), and the session continues.
        - A token that was exchanged before that may be stolen: the whole session is revoked (RFC 9700 §4.14.2;
          ``RefreshTokenReused``).

        Raises ``IdempotencyKeyReused`` if the key was just used for the previous token.
        """
        session, user = self._live(session)
        if self._tokens.token_hash(refresh_token) != session.refresh_hash:
            repeated = self._repeated(user, session, refresh_token, key)
            if repeated is None:
                if self._just_spent(session, refresh_token):
                    raise RefreshInProgress(user.id, session.id)
                self._sessions.revoke(session)
                raise RefreshTokenReused(user.id, session.id)
            return repeated
        if _served(session, key):
            raise IdempotencyKeyReused
        try:
            return self._exchanged(user, session, refresh_token, key)
        except InvalidToken:
            # Another request was faster; with the same key, it was a retry of this request.
            session, user = self._live(self.session_of(refresh_token))
            repeated = self._repeated(user, session, refresh_token, key)
            if repeated is None:
                raise RefreshInProgress(user.id, session.id) from None
            return repeated

    def _exchanged(self, user: User, session: Session, refresh_token: str, key: str | None) -> SignIn:
        at = times.now()
        exchange = Exchange(self._tokens.token_hash(refresh_token), key, self._tokens.new_salt())
        successor = self._tokens.successor(refresh_token, exchange.salt)
        expires_at = min(session.ends_at, at + self._lifetimes.idle)
        self._sessions.rotate(session, self._tokens.token_hash(successor), exchange, at, expires_at)
        return SignIn(user, replace(session, last_used_at=at, expires_at=expires_at), successor)

    def _repeated(self, user: User, session: Session, refresh_token: str, key: str | None) -> SignIn | None:
        """The result of the same exchange with this key less than a minute ago, if any."""
        exchange = session.exchange
        spent_hash = self._tokens.token_hash(refresh_token)
        if exchange is None or exchange.spent_hash != spent_hash or not _served(session, key):
            return None
        return SignIn(user, session, self._tokens.successor(refresh_token, exchange.salt), repeated=True)

    def _just_spent(self, session: Session, refresh_token: str) -> bool:
        """Whether the last refresh exchanged this token less than ten seconds ago."""
        spent_hash = session.exchange.spent_hash if session.exchange else None
        just_now = times.now() < session.last_used_at + _AT_ONCE
        return just_now and self._tokens.token_hash(refresh_token) == spent_hash

    def logout(self, refresh_token: str) -> Session | None:
        """End the session of a refresh token, and return it. Any token of the session is accepted, also an old one.

        None for a token without a session: that is no error (RFC 7009 §2.2). Raises ``Invalid`` for a text that is no
        refresh token.
        """
        if self._tokens.session_of(refresh_token) is None:
            raise Invalid(
                [FieldError("/refresh_token", "bad_format", "Must be a refresh token, to the letter as it was given.")]
            )
        session = self.session_of(refresh_token)
        if session is None:
            return None
        self._sessions.revoke(session)
        return session

    def sessions(self, caller: Caller, limit: int, after: str | None) -> Page[Session]:
        """The caller's live sessions, oldest first."""
        at = times.now()
        # One more than shown, so that a next page is announced only if there is one.
        user, page = self._gather(
            lambda: self._user(caller), lambda: self._sessions.page_of(caller.user_id, at, limit + 1, after)
        )
        live: list[Session] = []
        while True:
            live += [session for session in page.items if session.epoch == user.token_epoch]
            if len(live) > limit:
                return Page(live[:limit], live[limit - 1].id)
            if page.next is None:
                return Page(live, None)
            page = self._sessions.page_of(caller.user_id, at, limit + 1 - len(live), page.next)

    def end_session(self, caller: Caller, session_id: str, matches: Matches | None) -> None:
        """End one session of the caller. ``matches``: None if the client sent no precondition.

        Raises ``SessionNotFound`` for a session of somebody else, and ``PreconditionFailed``.
        """
        if matches is not None:
            session = self._sessions.find(session_id)
            if session is None or session.user_id != caller.user_id:
                raise SessionNotFound
            if not matches(None):
                raise PreconditionFailed(None)
        unit_of_work.respond_with(None)
        self._sessions.end(session_id, caller.user_id)

    def end_all_sessions(self, caller: Caller) -> None:
        unit_of_work.respond_with(None)
        self._sessions.end_all(caller.user_id)

    @retry_on_conflict
    def reauthenticate(self, caller: Caller, password: str) -> Reauthentication:
        """Check the password again in the caller's session (RFC 9470). Raises ``InvalidCredentials``."""
        user = self._user(caller)
        if not self._passwords.verify_password(password, user.password_hash):
            raise InvalidCredentials("The password is not right.")
        done = Reauthentication(user, caller.session_id, secrets.token_urlsafe(16), times.now())
        unit_of_work.respond_with(done)
        self._sessions.reauthenticate(user, done.session_id, done.at)
        return done

    @retry_on_conflict
    def change_password(self, caller: Caller, current: str, new: str) -> None:
        """Set a new password, and end all other sessions.

        Raises ``InvalidCredentials`` and, if the current password is right, ``Invalid`` for a new password that is easy
        to guess.
        """
        user = self._user(caller)
        if not self._passwords.verify_password(current, user.password_hash):
            raise InvalidCredentials("The current password is not right.")
        field_errors = password_policy.password_errors(new, "/new_password", [user.username, user.email])
        if field_errors:
            raise Invalid(field_errors)
        password_hash = self._passwords.hash_password(new)
        unit_of_work.respond_with(None)
        self._sessions.change_password(user, caller.session_id, password_hash, times.later_than(user.updated_at))

    @retry_on_conflict
    def recover(self, token: str, new: str) -> User:
        """Set a new password with a recovery token. This ends the token and all sessions of the user.

        Raises ``InvalidRecoveryToken``, and ``Invalid`` for a new password that is easy to guess; then the token stays
        valid.
        """
        user_id = self._recovery_tokens.user_of(token)
        found = self._people.find_recovery(user_id or _NOBODY)
        if found is None:
            raise InvalidRecoveryToken
        user, recovery = found
        if not hmac.compare_digest(self._recovery_tokens.token_hash(token), recovery.token_hash):
            raise InvalidRecoveryToken
        if recovery.version != user.version or recovery.expires_at <= times.now():
            raise InvalidRecoveryToken
        field_errors = password_policy.password_errors(new, "/new_password", [user.username, user.email])
        if field_errors:
            raise Invalid(field_errors)
        password_hash = self._passwords.hash_password(new)
        self._people.recover(user, recovery, password_hash, times.later_than(user.updated_at))
        return user

    def _user(self, caller: Caller) -> User:
        user = self._people.find(caller.user_id)
        if user is None:
            raise TokenRevoked
        return user

    def _new_session(self, user: User, device: Device) -> SignIn:
        at = times.now()
        session_id = new_session_id(at)
        refresh_token = self._tokens.new_token(session_id)
        session = Session(
            id=session_id,
            user_id=user.id,
            epoch=user.token_epoch,
            family_hash=self._tokens.family_hash(refresh_token),
            refresh_hash=self._tokens.token_hash(refresh_token),
            exchange=None,
            created_at=at,
            authenticated_at=at,
            last_used_at=at,
            expires_at=at + min(self._lifetimes.absolute, self._lifetimes.idle),
            ends_at=at + self._lifetimes.absolute,
            user_agent=device.user_agent,
            ip=device.ip,
        )
        return SignIn(user, session, refresh_token)

    def session_of(self, refresh_token: str) -> Session | None:
        """The session to which this token, or an older one, was issued."""
        session_id = self._tokens.session_of(refresh_token)
        session = self._sessions.find(session_id) if session_id else None
        return session if session and self._tokens.family_hash(refresh_token) == session.family_hash else None

    def _live(self, session: Session | None) -> tuple[Session, User]:
        user = self._people.find(session.user_id) if session else None
        if session is None or user is None or session.epoch != user.token_epoch or session.expires_at <= times.now():
            raise InvalidToken
        return session, user


def _served(session: Session, key: str | None) -> bool:
    """Whether the last refresh had this key, and can still be repeated."""
    used = session.exchange.key if session.exchange else None
    return key is not None and key == used and times.now() < session.last_used_at + _REPEATABLE


def _made_up_name() -> str:
    return f"user-{secrets.token_hex(4)}"

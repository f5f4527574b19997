"""Routes of registration, sign-in and sessions."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from auth_api import request_schemas, signing
from auth_api.request_schemas import Login, PasswordChange, Reauthentication, RecoveryCompletion, RefreshToken
from auth_api.response_schemas import AccessToken, PublicKeys, SignedIn
from auth_api.signing import signer
from tasksync.aws.secret_values import secret
from tasksync.domain.rate_limits import PASSWORD, PUBLIC, REGISTRATION, SESSION, SIGN_IN, WRITE, network
from tasksync.domain.users import accounts
from tasksync.domain.users.accounts import AccountService, Device, Lifetimes, SignIn
from tasksync.domain.users.login_throttle import LoginThrottleService
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.sessions.changes import SessionChanges
from tasksync.dynamodb.users.recoveries import UserRecoveries
from tasksync.http import responses
from tasksync.http.app import Api
from tasksync.http.pagination.lists import listing
from tasksync.http.pipeline import Idempotency, RateLimits, key_digest, replayed
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok, uncompressed
from tasksync.http.schemas.fields import Paging
from tasksync.http.schemas.registration import Registration
from tasksync.http.schemas.responses import Listing, Session
from tasksync.http.security_log import note, note_refusal, noting_refusals
from tasksync.model.entities import User
from tasksync.model.errors import (
    BadIdempotencyKey,
    EmailTaken,
    IdempotencyKeyReused,
    Invalid,
    InvalidCredentials,
    InvalidRecoveryToken,
    InvalidToken,
    NotFound,
    RefreshInProgress,
    RefreshTokenReused,
    UsernameTaken,
)
from tasksync.runtime.settings import settings
from tasksync.security import passwords, recovery_tokens, refresh_tokens
from tasksync.security.access_tokens import Signer

api = Api("auth", Idempotency(IdempotencyRepository()), RateLimits(RateLimitsRepository(), settings))
app = api.chalice

# As long as the authorizer caches a key (``KEY_CACHE_SECONDS``), so that others reject a withdrawn key as soon.
_CACHE_HEADERS = {"Cache-Control": "max-age=60"}

_DIGEST_CHARACTERS = 32

_login_throttle = LoginThrottleService(RateLimitsRepository(), lambda: secret(settings.http_secret))
_accounts = AccountService(
    UserRecoveries(),
    SessionChanges(),
    passwords,
    refresh_tokens,
    recovery_tokens,
    Lifetimes(
        absolute=timedelta(seconds=settings.refresh_token_seconds),
        idle=timedelta(seconds=settings.refresh_idle_seconds),
    ),
    gather_pair,
)


@api.route(
    "POST",
    "/auth/register",
    body=Registration,
    status=201,
    response=SignedIn,
    raises=(UsernameTaken, EmailTaken),
    limits=(REGISTRATION,),
)
def register(request: Request, body: Registration) -> Response:
    """Register, and sign in.

    It takes a username, an e-mail address or both. The response has the user and the first pair of tokens.
    """
    key = signer()
    with noting_refusals(request, "registration_failed"):
        sign_in = _accounts.register(body.username, body.email, body.password, _device(request))
    note(request, "registered", sign_in.user.id, sign_in.session.id)
    return uncompressed(created(_signed_in(sign_in, key), f"/users/{sign_in.user.id}"))


@api.route("POST", "/auth/login", body=Login, response=SignedIn, raises=(InvalidCredentials,), limits=(SIGN_IN,))
def login(request: Request, body: Login) -> Response:
    """Sign in.

    With a username or an e-mail address, in upper or lower case. After 10 wrong passwords for an account within 15
    minutes, each further attempt must wait, and each wait is longer.
    """
    # Before the attempt is counted: if the secret cannot be read, the request is no attempt.
    key, owner = gather_pair(signer, lambda: _accounts.owner_of(body.claim))
    attempt, user = gather_pair(
        lambda: _login_throttle.reserve(owner or body.claim, network(request.ip)), lambda: _accounts.holder(owner)
    )
    try:
        sign_in = _accounts.login(None if body.damaged else user, body.password, _device(request))
    except InvalidCredentials:
        note_refusal(request, "sign_in_failed", identifier=_digest(body.claim))
        raise
    attempt.succeeded()
    note(request, "signed_in", sign_in.user.id, sign_in.session.id)
    return uncompressed(ok(_signed_in(sign_in, key)))


@api.route(
    "POST",
    "/auth/refresh",
    body=RefreshToken,
    response=SignedIn,
    raises=(InvalidToken, RefreshInProgress, BadIdempotencyKey, IdempotencyKeyReused),
    limits=(SESSION,),
)
def refresh(request: Request, body: RefreshToken) -> Response:
    """Get a new pair of tokens.

    A refresh token is valid for one use, and expires if it is not used for 3 days. A second use within 10 seconds, as
    by two tabs of a browser, is refused with `refresh_in_progress`: continue with the tokens of the other response. A
    later second use ends the session, because the token may be stolen. A client that lost the response gets it again
    with the same `Idempotency-Key` within 60 seconds.
    """
    key, session = gather_pair(signer, lambda: _accounts.session_of(body.refresh_token))
    # No authorizer, so no idempotency record: the session stores what is needed to repeat a lost response.
    sent = request.headers.get("idempotency-key")
    try:
        sign_in = _accounts.refresh(session, body.refresh_token, None if sent is None else key_digest(sent))
    except RefreshTokenReused as error:
        note_refusal(request, "refresh_reused", error.user_id, error.session_id)
        raise
    except RefreshInProgress as error:
        note_refusal(request, "refresh_in_progress", error.user_id, error.session_id)
        raise
    except InvalidToken:
        note_refusal(request, "refresh_failed")
        raise
    response = uncompressed(ok(_signed_in(sign_in, key)))
    return replayed(response) if sign_in.repeated else response


@api.route("POST", "/auth/logout", body=RefreshToken, limits=(SESSION,))
def logout(request: Request, body: RefreshToken) -> Response:
    """Sign out: end the session of a refresh token.

    Any refresh token of the session ends it, an older one too. An unknown token, or a token of a session that has
    ended, changes nothing; a text that is no refresh token is refused.
    """
    ended = _accounts.logout(body.refresh_token)
    if ended is not None:
        note(request, "signed_out", ended.user_id, ended.id)
    return no_content()


@api.route("GET", "/auth/sessions", query=Paging, response=Listing[Session])
def list_sessions(request: Request, query: Paging) -> Response:
    """List the sessions of the caller.

    A session that was opened a moment ago may be missing: the index that finds sessions is some milliseconds behind.
    """
    caller = request.caller
    return listing(
        request,
        query,
        lambda limit, after: _accounts.sessions(caller, limit, after),
        lambda session: responses.session(session, caller),
    )


@api.route("DELETE", "/auth/sessions", raises=(NotFound,))
def end_all_sessions(request: Request) -> Response:
    """Sign out everywhere, including this session.

    All refresh tokens end at once. Access tokens may be accepted for up to 30 seconds more.
    """
    response = request.carry_out(lambda: _accounts.end_all_sessions(request.caller), lambda _: no_content())
    note(request, "all_sessions_ended", request.caller.user_id)
    return response


@api.route("DELETE", "/auth/sessions/{session_id}")
def end_session(request: Request, session_id: str) -> Response:
    """Sign out on one device.

    Its refresh token ends at once. Its access token may be accepted for up to 30 seconds more.
    """
    response = request.carry_out(
        lambda: _accounts.end_session(request.caller, session_id, request.precondition),
        lambda _: no_content(),
        checked=True,
    )
    note(request, "session_ended", request.caller.user_id, session_id, by_session_id=request.caller.session_id)
    return response


@api.route("POST", "/auth/password", body=PasswordChange, raises=(InvalidCredentials,), limits=(PASSWORD,))
def change_password(request: Request, body: PasswordChange) -> Response:
    """Change the password. Every other session ends.

    The new password is checked only if the current one is right. A refused new password does not count as a failed
    sign-in.
    """
    # Otherwise a stolen access token could be used to guess the password.
    attempt = _login_throttle.reserve(request.caller.user_id, network(request.ip))
    try:
        response = request.carry_out(
            lambda: _accounts.change_password(request.caller, body.current_password, body.new_password),
            lambda _: no_content(),
        )
    except InvalidCredentials:
        note_refusal(request, "password_change_failed", request.caller.user_id)
        raise
    except Invalid:
        attempt.succeeded()
        raise
    attempt.succeeded()
    note(request, "password_changed", request.caller.user_id)
    return response


@api.route(
    "POST",
    "/auth/recovery/complete",
    body=RecoveryCompletion,
    raises=(InvalidRecoveryToken,),
    limits=(SIGN_IN,),
)
def complete_recovery(request: Request, body: RecoveryCompletion) -> Response:
    """Set a new password with a recovery token.

    An operator of the installation issues the token to a user who has forgotten the password. It is valid for one use
    within 30 minutes, and until the profile changes. Every session ends, and so do the waits after wrong passwords.
    """
    try:
        user = _accounts.recover(body.token, body.new_password)
    except InvalidRecoveryToken:
        note_refusal(request, "recovery_failed")
        raise
    _login_throttle.forgive(user.id, network(request.ip))
    note(request, "recovered", user.id)
    return no_content()


def _with_token(stored: Response) -> Response:
    """The response of a reauthentication, from the stored one: it has the token's claims, as no token is stored."""
    body = {**cast("Mapping[str, Any]", stored.body)}
    return replace(stored, body={**body, "access_token": signer().sign(body["access_token"])})


@api.route(
    "POST",
    "/auth/reauthenticate",
    body=Reauthentication,
    response=AccessToken,
    raises=(InvalidCredentials, InvalidToken),
    limits=(WRITE, SIGN_IN),
    restored=_with_token,
)
def reauthenticate(request: Request, body: Reauthentication) -> Response:
    """Confirm the password, for operations that need a recent sign-in (RFC 9470).

    The new access token belongs to the same session, as do those of its next refreshes. Deleting a user and changing a
    username or e-mail address need a sign-in of the last 15 minutes.
    """
    key = signer()
    # Otherwise a stolen access token could be used to guess the password.
    attempt = _login_throttle.reserve(request.caller.user_id, network(request.ip))

    def response_with(access_token: str) -> Response:
        return uncompressed(ok(request_schemas.access_token(access_token, settings.access_token_seconds)))

    try:
        response = request.carry_out(
            lambda: _accounts.reauthenticate(request.caller, body.password),
            lambda done: response_with(key.sign(_claims_after(done, key))),
            stored=lambda done: response_with(_claims_after(done, key)),
        )
    except InvalidCredentials:
        note_refusal(request, "reauthentication_failed", request.caller.user_id)
        raise
    attempt.succeeded()
    note(request, "reauthenticated", request.caller.user_id)
    return response


@api.route("GET", "/.well-known/jwks.json", response=PublicKeys, limits=(PUBLIC,), public=True)
def get_public_keys(request: Request) -> Response:
    """Get the public keys of the access tokens (RFC 7517 §5).

    A key that was published a moment ago may be missing: the index that finds keys is some milliseconds behind. For an
    unknown key id, request the keys again.
    """
    return Response(200, {"keys": signing.public_keys()}, _CACHE_HEADERS)


def _digest(identifier: str) -> str:
    """The digest of a typed name, for the log. The text may be anything, even a password; the digest is enough to see
    many attempts at one account."""
    message = b"identifier:" + identifier.casefold().encode("utf-8", "surrogatepass")
    return hmac.digest(secret(settings.http_secret), message, "sha256").hex()[:_DIGEST_CHARACTERS]


def _device(request: Request) -> Device:
    return Device(request.user_agent, request.ip)


def _signed_in(sign_in: SignIn, key: Signer) -> SignedIn:
    # The key is read before any write: if the secret cannot be read, nothing must be half done.
    session = sign_in.session
    claims = _claims(
        key,
        refresh_tokens.access_token_id(sign_in.refresh_token),
        sign_in.user,
        session.id,
        session.last_used_at,
        # A repeated refresh must not show a later reauthentication: ``auth_time`` is never after ``iat``.
        min(session.authenticated_at, session.last_used_at),
    )
    return request_schemas.signed_in(sign_in, key.sign(claims), settings.access_token_seconds)


def _claims_after(done: accounts.Reauthentication, key: Signer) -> str:
    return _claims(key, done.token_id, done.user, done.session_id, done.at, done.at)


def _claims(key: Signer, token_id: str, user: User, session_id: str, at: datetime, authenticated_at: datetime) -> str:
    return key.claims(
        token_id=token_id,
        user_id=user.id,
        session_id=session_id,
        role=user.role.value,
        at=at,
        authenticated_at=authenticated_at,
        lifetime=timedelta(seconds=settings.access_token_seconds),
    )

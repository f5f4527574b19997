"""Routes of registration, sign-in and sessions."""

from datetime import timedelta

from auth_api import payloads, signing
from auth_api.answers import PublicKeys, SignedIn
from auth_api.payloads import Login, PasswordChange, RefreshToken
from auth_api.security_log import note, note_refusal
from auth_api.signing import signer
from tasksync import passwords, refresh_tokens
from tasksync.domain.accounts import AccountService, Device, Lifetimes, SignIn
from tasksync.domain.limits import PUBLIC, REGISTRATION, SESSION, SIGN_IN
from tasksync.domain.sign_ins import SignInGuard
from tasksync.errors import (
    BadIdempotencyKey,
    EmailTaken,
    IdempotencyKeyReused,
    InvalidCredentials,
    InvalidToken,
    NotFound,
    UsernameTaken,
)
from tasksync.http import representations
from tasksync.http.answers import Listing, Session
from tasksync.http.api import Api
from tasksync.http.fields import Paging
from tasksync.http.idempotency import IdempotencyKeys, key_digest, replayed
from tasksync.http.limits import RateLimits, network
from tasksync.http.lists import listing
from tasksync.http.profiles import Registration
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok, uncompressed
from tasksync.secret_values import secret
from tasksync.settings import settings
from tasksync.tables.limits import RateLimitsTable
from tasksync.tables.receipts import ReceiptsTable
from tasksync.tables.session_changes import SessionChanges
from tasksync.tables.together import both
from tasksync.tables.users import UsersTable
from tasksync.tokens import Signer

api = Api("auth", IdempotencyKeys(ReceiptsTable()), RateLimits(RateLimitsTable()))
app = api.chalice

# As long as the authorizer keeps one (``KEYS_KEPT_SECONDS``), so that a key withdrawn is as soon refused by others.
_KEPT = {"Cache-Control": "max-age=60"}

_guard = SignInGuard(RateLimitsTable(), lambda: secret(settings.http_secret))
_accounts = AccountService(
    UsersTable(),
    SessionChanges(),
    passwords,
    refresh_tokens,
    Lifetimes(
        absolute=timedelta(seconds=settings.refresh_token_seconds),
        idle=timedelta(seconds=settings.refresh_idle_seconds),
    ),
    both,
)


@api.route(
    "POST",
    "/auth/register",
    body=Registration,
    status=201,
    answer=SignedIn,
    fails=(UsernameTaken, EmailTaken),
    limits=(REGISTRATION,),
)
def register(request: Request, body: Registration) -> Response:
    """Register, and sign in."""
    key = signer()
    sign_in = _accounts.register(body.username, body.email, body.password, _device(request))
    note(request, "registered", sign_in.user.id, session_id=sign_in.session.id)
    return uncompressed(created(_signed_in(sign_in, key), f"/users/{sign_in.user.id}"))


@api.route("POST", "/auth/login", body=Login, answer=SignedIn, fails=(InvalidCredentials,), limits=(SIGN_IN,))
def login(request: Request, body: Login) -> Response:
    """Sign in."""
    (key, attempt), user = both(
        # In this order: what a secret that cannot be read spoils was no attempt.
        lambda: (signer(), _guard.reserve(body.identifier, network(request.ip))),
        lambda: _accounts.holder(body.username, body.email),
    )
    try:
        sign_in = _accounts.login(user, body.password, _device(request))
    except InvalidCredentials:
        note_refusal(request, "sign_in_failed", identifier=body.identifier)
        raise
    attempt.succeeded()
    note(request, "signed_in", sign_in.user.id, session_id=sign_in.session.id)
    return uncompressed(ok(_signed_in(sign_in, key)))


@api.route(
    "POST",
    "/auth/refresh",
    body=RefreshToken,
    answer=SignedIn,
    fails=(InvalidToken, BadIdempotencyKey, IdempotencyKeyReused),
    limits=(SESSION,),
)
def refresh(request: Request, body: RefreshToken) -> Response:
    """Get a new pair of tokens.

    The refresh token ends with it. Used once more, it ends the session: somebody has stolen it. A client whose answer
    was lost gets it again with the same `Idempotency-Key` within 60 seconds.
    """
    key, session = both(signer, lambda: _accounts.session_of(body.refresh_token))
    # No authorizer, so no receipts: what a lost answer needs to be given again is kept in the session.
    sent = request.headers.get("idempotency-key")
    try:
        sign_in = _accounts.refresh(session, body.refresh_token, None if sent is None else key_digest(sent))
    except InvalidToken:
        note_refusal(request, "refresh_failed")
        raise
    answer = uncompressed(ok(_signed_in(sign_in, key)))
    return replayed(answer) if sign_in.repeated else answer


@api.route("POST", "/auth/logout", body=RefreshToken, limits=(SESSION,))
def logout(request: Request, body: RefreshToken) -> Response:
    """Sign out: end the session of a refresh token."""
    ended = _accounts.logout(body.refresh_token)
    if ended is not None:
        note(request, "signed_out", ended.user_id, session_id=ended.id)
    return no_content()


@api.route("GET", "/auth/sessions", query=Paging, answer=Listing[Session])
def list_sessions(request: Request, query: Paging) -> Response:
    """List where one is signed in.

    A sign-in of a moment ago may be missing: the index that finds sessions is some milliseconds behind.
    """
    caller = request.caller
    return listing(
        request,
        query,
        lambda limit, after: _accounts.sessions(caller, limit, after),
        lambda session: representations.session(session, caller),
    )


@api.route("DELETE", "/auth/sessions", fails=(NotFound,))
def end_all_sessions(request: Request) -> Response:
    """Sign out everywhere, here too."""
    _accounts.end_all_sessions(request.caller)
    note(request, "all_sessions_ended", request.caller.user_id)
    return no_content()


@api.route("DELETE", "/auth/sessions/{session_id}")
def end_session(request: Request, session_id: str) -> Response:
    """Sign out on one device."""
    _accounts.end_session(request.caller, session_id)
    note(request, "session_ended", request.caller.user_id, session_id=session_id)
    return no_content()


@api.route("POST", "/auth/password", body=PasswordChange, fails=(InvalidCredentials,))
def change_password(request: Request, body: PasswordChange) -> Response:
    """Change the password. Every other session ends."""
    # A stolen access token must not be a way to guess the password.
    attempt = _guard.reserve(request.caller.user_id, network(request.ip))
    try:
        response = request.carry_out(
            lambda receipt: _accounts.change_password(
                request.caller, body.current_password, body.new_password, receipt
            ),
            lambda _: no_content(),
        )
    except InvalidCredentials:
        note_refusal(request, "password_change_failed", request.caller.user_id)
        raise
    attempt.succeeded()
    note(request, "password_changed", request.caller.user_id, session_id=request.caller.session_id)
    return response


@api.route("GET", "/.well-known/jwks.json", answer=PublicKeys, limits=(PUBLIC,))
def public_keys(request: Request) -> Response:
    """Get the public keys of the access tokens (RFC 7517 §5).

    One that is in use since a moment ago may be missing, as the index that finds them is some milliseconds behind: ask
    again for a key id that is not among them.
    """
    return Response(200, {"keys": signing.public_keys()}, _KEPT)


def _device(request: Request) -> Device:
    return Device(request.user_agent, request.ip)


def _signed_in(sign_in: SignIn, key: Signer) -> SignedIn:
    # The key is taken before anything is written: a secret that cannot be read must leave nothing half done.
    lifetime = settings.access_token_seconds
    access_token = key.access_token(
        refresh_tokens.access_token_id(sign_in.refresh_token),
        sign_in.user.id,
        sign_in.session.id,
        sign_in.user.role.value,
        sign_in.session.last_used_at,
        timedelta(seconds=lifetime),
    )
    return payloads.signed_in(sign_in, access_token, lifetime)

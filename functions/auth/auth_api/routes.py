"""Routes of registration, sign-in and sessions."""

from datetime import timedelta

from auth_api import payloads
from auth_api.payloads import Login, PasswordChange, RefreshToken
from auth_api.signing import signer, unpublished_signer
from tasksync import clock, passwords, tokens
from tasksync.domain.accounts import AccountService, Device, SignIn
from tasksync.http.api import Api
from tasksync.http.fields import Paging
from tasksync.http.idempotency import IdempotencyKeys
from tasksync.http.lists import listing, position
from tasksync.http.profiles import Registration
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok
from tasksync.settings import settings
from tasksync.tables.receipts import ReceiptsTable
from tasksync.tables.session_changes import SessionChanges
from tasksync.tables.users import UsersTable
from tasksync.tokens import Signer

api = Api("auth", IdempotencyKeys(ReceiptsTable()))
app = api.chalice

_accounts = AccountService(
    UsersTable(), SessionChanges(), passwords, tokens, timedelta(seconds=settings.refresh_token_seconds)
)


@api.route("POST", "/auth/register", body=Registration)
def register(request: Request, body: Registration) -> Response:
    key = signer()
    sign_in = _accounts.register(body.username, body.email, body.password, _device(request))
    return created(_signed_in(sign_in, key), f"/users/{sign_in.user.id}")


@api.route("POST", "/auth/login", body=Login)
def login(request: Request, body: Login) -> Response:
    key = signer()
    return ok(_signed_in(_accounts.login(body.username, body.email, body.password, _device(request)), key))


@api.route("POST", "/auth/refresh", body=RefreshToken)
def refresh(request: Request, body: RefreshToken) -> Response:
    key = signer()
    return ok(_signed_in(_accounts.refresh(body.refresh_token), key))


@api.route("POST", "/auth/logout", body=RefreshToken)
def logout(request: Request, body: RefreshToken) -> Response:
    _accounts.logout(body.refresh_token)
    return no_content()


@api.route("GET", "/auth/sessions", query=Paging)
def list_sessions(request: Request, query: Paging) -> Response:
    page = _accounts.sessions(request.caller, query.limit, position(request, query))
    return listing(request, page, payloads.session_view(request.caller))


@api.route("DELETE", "/auth/sessions")
def end_all_sessions(request: Request) -> Response:
    _accounts.end_all_sessions(request.caller)
    return no_content()


@api.route("DELETE", "/auth/sessions/{session_id}")
def end_session(request: Request, session_id: str) -> Response:
    _accounts.end_session(request.caller, session_id)
    return no_content()


@api.route("POST", "/auth/password", body=PasswordChange)
def change_password(request: Request, body: PasswordChange) -> Response:
    return request.carry_out(
        lambda receipt: _accounts.change_password(request.caller, body.current_password, body.new_password, receipt),
        lambda _: no_content(),
    )


@api.route("GET", "/.well-known/jwks.json")
def public_keys(request: Request) -> Response:
    """RFC 7517 §5."""
    return ok({"keys": [unpublished_signer().jwk]})


def _device(request: Request) -> Device:
    return Device(request.user_agent, request.ip)


def _signed_in(sign_in: SignIn, key: Signer) -> dict[str, object]:
    # The key is taken before anything is written: a secret that cannot be read must leave nothing half done.
    lifetime = settings.access_token_seconds
    access_token = key.access_token(
        sign_in.user.id, sign_in.session.id, sign_in.user.role.value, clock.now(), timedelta(seconds=lifetime)
    )
    return payloads.signed_in(sign_in, access_token, lifetime)

"""Refresh tokens (RFC 9700 §4.14.2): random at sign-in, and derived from the previous token at each refresh.

A token has three parts: the session id, a secret of the session, and a secret of this token, 256 bits each. Only
digests are stored. A successor is derived from the token with a key and a salt. So the service can derive it again to
repeat a lost response. That takes the token, the key and the session's item; with two of them, it cannot be derived.
"""

import base64
import hashlib
import hmac
import re
import secrets

from tasksync.aws.secret_values import secret
from tasksync.runtime.settings import settings

_FORM = re.compile(r"(?P<session>ses_[0-9a-f]{32})\.[\w-]{43}\.[\w-]{43}", re.ASCII)


def new_token(session_id: str) -> str:
    """The first refresh token of a session. The secret of the session distinguishes old tokens from invented ones.

    Raises ``DependencyFailed`` if the key cannot be read, as all functions here that derive.
    """
    return successor(f"{session_id}.{secrets.token_urlsafe(32)}.", secrets.token_urlsafe(32))


def new_salt() -> str:
    """A new salt, in base64url."""
    return secrets.token_urlsafe(16)


def successor(refresh_token: str, salt: str) -> str:
    """The refresh token that replaces this one."""
    family, _, _ = refresh_token.rpartition(".")
    return f"{family}.{_text(_derived('refresh token', f'{salt}.{refresh_token}'))}"


def access_token_id(refresh_token: str) -> str:
    """The ``jti`` of the access token that is issued with a refresh token; different for each refresh token."""
    return _text(_derived("access token", refresh_token)[:16])


def session_of(refresh_token: str) -> str | None:
    """The session id in a refresh token; None if the text is no refresh token."""
    match = _FORM.fullmatch(refresh_token)
    return match["session"] if match else None


def token_hash(refresh_token: str) -> str:
    """The digest that is stored. A plain digest is enough: the token has 256 secret bits and cannot be guessed."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


def family_hash(refresh_token: str) -> str:
    """The digest of the part that all tokens of a session share."""
    return token_hash(refresh_token.rpartition(".")[0])


def _derived(purpose: str, text: str) -> bytes:
    return hmac.digest(secret(settings.session_secret), f"{purpose}\0{text}".encode(), "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""Refresh tokens (RFC 9700 §4.14.2): random at sign-in, and from then on each derived from the one before.

A token has three parts: the session, a secret of the session, and a secret of this token alone, 256 bits each. Only
digests are kept. What follows a token is derived from it with a key and a salt: whoever has the token, the key and the
session's item can derive the successor again, to repeat an answer that was lost; whoever lacks one of them cannot.
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
    """The first refresh token of a session. Its second part tells one that was replaced from one that never was.

    Raises ``DependencyFailed`` without the key, as everything here that derives.
    """
    return successor(f"{session_id}.{secrets.token_urlsafe(32)}.", secrets.token_urlsafe(32))


def new_salt() -> str:
    return secrets.token_urlsafe(16)


def successor(refresh_token: str, salt: str) -> str:
    """The refresh token that is given for this one."""
    family, _, _ = refresh_token.rpartition(".")
    return f"{family}.{_text(_derived('refresh token', f'{salt}.{refresh_token}'))}"


def access_token_id(refresh_token: str) -> str:
    """The ``jti`` of the access token that is given together with a refresh token: another one for each."""
    return _text(_derived("access token", refresh_token)[:16])


def session_of(refresh_token: str) -> str | None:
    """The session a refresh token claims to belong to; None if it has not the form of one."""
    match = _FORM.fullmatch(refresh_token)
    return match["session"] if match else None


def token_hash(refresh_token: str) -> str:
    """A plain digest is enough: the token has 256 secret bits, so there is nothing to guess."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


def family_hash(refresh_token: str) -> str:
    """The same for all tokens of a session, and only for those."""
    return token_hash(refresh_token.rpartition(".")[0])


def _derived(purpose: str, text: str) -> bytes:
    return hmac.digest(secret(settings.session_secret), f"{purpose}\0{text}".encode(), "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

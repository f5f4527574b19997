"""The security log: who signed in, who failed to, what was revoked. One line of the function's log each.

Told apart from other lines by ``"event": "security"``; ``kind`` says what happened. Changes of roles in rooms are lines
of the activity function.
"""

import hmac

from tasksync.http.request import Request
from tasksync.secret_values import secret
from tasksync.settings import settings
from tasksync.telemetry import log

_DIGEST_CHARACTERS = 32


def note(request: Request, kind: str, user_id: str, **fields: str) -> None:
    """Something that was done by, or for, this user."""
    log("INFO", "security", kind=kind, request_id=request.id, user_id=user_id, ip=request.ip, **fields)


def note_refusal(request: Request, kind: str, user_id: str | None = None, identifier: str | None = None) -> None:
    """Something that was not done. ``identifier``: what was typed as a name.

    It may be anything, a password too, so its digest is logged: enough to see that many attempts are at one account.
    """
    fields = {} if identifier is None else {"identifier": _digest(identifier)}
    log("WARNING", "security", kind=kind, request_id=request.id, user_id=user_id, ip=request.ip, **fields)


def _digest(identifier: str) -> str:
    message = b"identifier:" + identifier.casefold().encode("utf-8", "surrogatepass")
    return hmac.digest(secret(settings.http_secret), message, "sha256").hex()[:_DIGEST_CHARACTERS]

"""Tickets of live updates: a secret that opens one connection.

A ticket is derived from its id, so a repeated request for a ticket (``Idempotency-Key``) gets the same one although
only the id is stored. The table has a digest, by which nobody can make the ticket.
"""

import base64
import hashlib
import hmac
import re
import secrets

_FORM = re.compile(r"[\w-]{43}", re.ASCII)


def new_ticket_id() -> str:
    """Of 128 random bits."""
    return secrets.token_urlsafe(16)


def ticket(secret: bytes, ticket_id: str) -> str:
    """The ticket with this id: 43 characters that need no escaping in a URL."""
    derived = hmac.digest(secret, b"live ticket:" + ticket_id.encode(), "sha256")
    return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def ticket_hash(text: str) -> str | None:
    """The digest that is stored; None if the text is no ticket."""
    return hashlib.sha256(text.encode()).hexdigest() if _FORM.fullmatch(text) else None

"""Cursors: signed positions in a list, valid only for the list and caller that they were issued for."""

import base64
import binascii
import hmac

from tasksync.aws.secret_values import secret
from tasksync.model.errors import BadCursor
from tasksync.runtime.settings import settings

_TAG_BYTES = 16


def seal(position: str, context: str) -> str:
    """An opaque cursor for ``position`` in the list that ``context`` identifies."""
    return seal_bytes(position.encode(), context)


def seal_bytes(position: bytes, context: str) -> str:
    """``seal`` for a position that is no text."""
    return base64.urlsafe_b64encode(_tag(position, context) + position).rstrip(b"=").decode()


def unseal(cursor: str, context: str) -> str:
    """The position in a cursor that ``seal`` made for the same context. Raises ``BadCursor`` for any other text."""
    return unseal_bytes(cursor, context).decode()


def unseal_bytes(cursor: str, context: str) -> bytes:
    """``unseal`` for a cursor of ``seal_bytes``."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    tag, position = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    # The text is compared too: base64 has several spellings of some bytes.
    if not hmac.compare_digest(tag, _tag(position, context)) or seal_bytes(position, context) != cursor:
        raise BadCursor
    return position


def _tag(position: bytes, context: str) -> bytes:
    # The length separates position and context: no two pairs give the same message.
    message = f"cursor:{len(context)}:{context}".encode() + position
    return hmac.digest(secret(settings.http_secret), message, "sha256")[:_TAG_BYTES]

"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a write repeated is carried out once.

Any write with a token may have one: a POST repeated makes no second thing, and a PATCH or DELETE with ``If-Match``
repeated after a lost answer is not told that the version has changed, when it was itself that changed it.

The answer is kept in the same transaction as the effect, so there is no moment in which one is known without the
other: after a lost answer, a retry either finds the first answer or carries the request out for the first time.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import msgspec

from tasksync.aws.secret_values import secret
from tasksync.http.responses import Response
from tasksync.model.entities import Receipt
from tasksync.model.errors import BadIdempotencyKey, IdempotencyKeyReused
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

LIFETIME = timedelta(hours=24)

Redact = Callable[[str, Response], Response]
"""What of a first response this user may still see when it is given again."""


class Receipts(Protocol):
    """Where receipts are found; ``dynamodb/idempotency/repository.py``."""

    def find(self, receipt_id: str) -> Receipt | None: ...
    def keep(self, receipt: Receipt) -> None: ...


def key_digest(key: str) -> str:
    """What of a key is kept. Raises ``BadIdempotencyKey``."""
    if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 255):
        raise BadIdempotencyKey
    return hashlib.sha256(key.encode()).hexdigest()


def replayed(answer: Response) -> Response:
    """An answer that was given before, marked as such."""
    return replace(answer, headers={**answer.headers, "Idempotency-Replayed": "true"})


class IdempotencyKeys:
    """What an ``Api`` whose routes take idempotency keys is given."""

    def __init__(self, receipts: Receipts, redact: Redact | None = None) -> None:
        """``redact``: of responses given again; None where they hold nothing that somebody may see no more."""
        self._receipts = receipts
        self._redact = redact

    def once(self, user_id: str, key: str, request: bytes) -> "Once":
        """``request``: all that must be the same when the key is used again. Raises ``BadIdempotencyKey``."""
        return Once(self._receipts, self._redact, user_id, key, request)


class Once:
    """One request under one idempotency key of one user."""

    def __init__(self, receipts: Receipts, redact: Redact | None, user_id: str, key: str, request: bytes) -> None:
        self._receipts = receipts
        self._redact = redact
        self._user_id = user_id
        self._id = f"{user_id}#{key_digest(key)}"
        # Keyed: the body may hold a password, which a plain digest would let somebody guess.
        self._fingerprint = hmac.digest(secret(settings.http_secret), b"request:" + request, "sha256").hex()

    def replay(self) -> Response | None:
        """The first answer, if there has been one. Raises ``IdempotencyKeyReused`` if that was to something else."""
        receipt = self._receipts.find(self._id)
        if receipt is None:
            return None
        if receipt.fingerprint != self._fingerprint:
            raise IdempotencyKeyReused
        answer = json.loads(receipt.answer)
        first = Response(answer["status"], answer["body"], answer["headers"])
        return replayed(self._redact(self._user_id, first) if self._redact else first)

    def receipt(self, answer: Response) -> Receipt:
        """What is to be kept with the effect."""
        kept = {"status": answer.status, "body": answer.body, "headers": dict(answer.headers)}
        return Receipt(self._id, self._fingerprint, msgspec.json.encode(kept).decode(), clock.now() + LIFETIME)

    def keep(self, answer: Response) -> None:
        """Keep an answer that has no effect to be kept with. Raises ``AlreadyDone`` if another was given before."""
        self._receipts.keep(self.receipt(answer))

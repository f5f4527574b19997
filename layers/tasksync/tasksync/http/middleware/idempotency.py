"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a write repeated is carried out once.

Any write with a token may have one: a POST repeated makes no second thing, and a PATCH or DELETE with ``If-Match``
repeated after a lost answer is not told that the version has changed, when it was itself that changed it.

The response is stored in the same transaction as the effect, so there is no moment in which one is known without the
other: after a lost response, a retry either finds the first response or carries the request out for the first time.
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
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import BadIdempotencyKey, IdempotencyKeyReused
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

LIFETIME = timedelta(hours=24)

Redact = Callable[[str, Response], Response]
"""What of a first response this user may still see when it is given again."""


class IdempotencyRecords(Protocol):
    """Where idempotency records are stored; ``dynamodb/idempotency/repository.py``."""

    def find(self, record_id: str) -> IdempotencyRecord | None: ...
    def store(self, record: IdempotencyRecord) -> None: ...


def key_digest(key: str) -> str:
    """What of a key is stored. Raises ``BadIdempotencyKey``."""
    if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 255):
        raise BadIdempotencyKey
    return hashlib.sha256(key.encode()).hexdigest()


def replayed(response: Response) -> Response:
    """A response that was given before, marked as such."""
    return replace(response, headers={**response.headers, "Idempotency-Replayed": "true"})


class IdempotencyKeys:
    """What an ``Api`` whose routes take idempotency keys is given."""

    def __init__(self, records: IdempotencyRecords, redact: Redact | None = None) -> None:
        """``redact``: of responses given again; None where they hold nothing that somebody may see no more."""
        self._records = records
        self._redact = redact

    def of(self, user_id: str, key: str, request: bytes) -> "IdempotentRequest":
        """``request``: all that must be the same when the key is used again. Raises ``BadIdempotencyKey``."""
        return IdempotentRequest(self._records, self._redact, user_id, key, request)


class IdempotentRequest:
    """One request under one idempotency key of one user."""

    def __init__(
        self, records: IdempotencyRecords, redact: Redact | None, user_id: str, key: str, request: bytes
    ) -> None:
        self._records = records
        self._redact = redact
        self._user_id = user_id
        self._id = f"{user_id}#{key_digest(key)}"
        # Keyed: the body may hold a password, which a plain digest would let somebody guess.
        self._fingerprint = hmac.digest(secret(settings.http_secret), b"request:" + request, "sha256").hex()

    def replay(self) -> Response | None:
        """The first response, if there has been one. Raises ``IdempotencyKeyReused`` if it was to another request."""
        record = self._records.find(self._id)
        if record is None:
            return None
        if record.fingerprint != self._fingerprint:
            raise IdempotencyKeyReused
        stored = json.loads(record.response)
        first = Response(stored["status"], stored["body"], stored["headers"])
        return replayed(self._redact(self._user_id, first) if self._redact else first)

    def record(self, response: Response) -> IdempotencyRecord:
        """What the transaction that carries the request out has to store."""
        stored = {"status": response.status, "body": response.body, "headers": dict(response.headers)}
        return IdempotencyRecord(
            self._id, self._fingerprint, msgspec.json.encode(stored).decode(), clock.now() + LIFETIME
        )

    def store(self, response: Response) -> None:
        """Store the response of a request that changed nothing. Raises ``AlreadyDone`` if there is another."""
        self._records.store(self.record(response))

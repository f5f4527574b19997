"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a write repeated is carried out once.

Any write with a token may have one: a POST repeated makes no second thing, and a PATCH or DELETE with ``If-Match``
repeated after a lost response does not fail with a changed version that it changed itself.

The response is stored in the same transaction as the effect, so there is no moment in which one is known without the
other: after a lost response, a retry either finds the first response or carries the request out for the first time.
"""

import functools
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from tasksync.aws.secret_values import secret
from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
from tasksync.http.route import SAFE
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import (
    BadIdempotencyKey,
    DependencyFailed,
    IdempotencyKeyReused,
    OutcomeUnknown,
    TaskSyncError,
)
from tasksync.runtime import clock
from tasksync.runtime.settings import settings
from tasksync.runtime.unit_of_work import AddRecord

LIFETIME = timedelta(hours=24)

Redact = Callable[[str, Response], Response]
"""What of a first response this user may still see when it is given again."""


class IdempotencyRecords(Protocol):
    """Where idempotency records are stored; ``dynamodb/idempotency/repository.py``."""

    def find(self, record_id: str) -> IdempotencyRecord | None: ...
    def put_record(self, record: IdempotencyRecord, transaction: Any) -> None: ...
    def store(self, record: IdempotencyRecord) -> None: ...


def key_digest(key: str) -> str:
    """What of a key is stored. Raises ``BadIdempotencyKey``."""
    if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 255):
        raise BadIdempotencyKey
    return hashlib.sha256(key.encode()).hexdigest()


def replayed(response: Response) -> Response:
    """A response that was given before, marked as such."""
    return replace(response, headers={**response.headers, "Idempotency-Replayed": "true"})


class Idempotency:
    """The middleware of an ``Api``: a write with an access token and an idempotency key is carried out once."""

    def __init__(self, records: IdempotencyRecords, redact: Redact | None = None) -> None:
        """``redact``: of responses given again; None where they hold nothing that somebody may see no more."""
        self._records = records
        self._redact = redact

    def __call__(self, request: Request, handle: Handle) -> Response:
        if request.method in SAFE:
            return handle(request)
        if not request.context.get("authorizer"):
            # What changes without a token has no version. Elsewhere ``carry_out`` says so when it is known whether the
            # caller may do it at all.
            request.require_match()
            return handle(request)
        key = request.headers.get("idempotency-key")
        if key is None:
            return handle(request)
        identity = f"{request.method} {request.path}\n".encode() + request.raw_body
        request.idempotent = idempotent = IdempotentRequest(
            self._records, self._redact, request.caller.user_id, key, identity
        )
        return _replayed(request, idempotent) or _once(request, idempotent, handle)


def _once(request: Request, idempotent: "IdempotentRequest", handle: Handle) -> Response:
    try:
        return handle(request)
    except TaskSyncError:
        # The same request may have been carried out while this one was on its way, and be what it failed on; or this
        # one was, and only DynamoDB's response was lost.
        try:
            replayed = _replayed(request, idempotent)
        except DependencyFailed as unseen:
            raise OutcomeUnknown from unseen
        if replayed is None:
            raise
        return replayed


def _replayed(request: Request, idempotent: "IdempotentRequest") -> Response | None:
    """The response to the first request under this key, if there has been one."""
    stored = idempotent.replay()
    restored = request.route.restored
    return stored if stored is None or restored is None else restored(stored)


class IdempotentRequest:
    """One request under one idempotency key of one user."""

    def __init__(
        self, records: IdempotencyRecords, redact: Redact | None, user_id: str, key: str, request: bytes
    ) -> None:
        """``request``: all that must be the same when the key is used again. Raises ``BadIdempotencyKey``."""
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

    def commit_with(self, response: Response) -> AddRecord:
        """Adds the idempotency record to the transaction that carries the request out."""
        return functools.partial(self._records.put_record, self._record(response))

    def _record(self, response: Response) -> IdempotencyRecord:
        stored = {"status": response.status, "body": response.body, "headers": dict(response.headers)}
        return IdempotencyRecord(
            self._id, self._fingerprint, msgspec.json.encode(stored).decode(), clock.now() + LIFETIME
        )

    def store(self, response: Response) -> None:
        """Store the response of a request that changed nothing. Raises ``AlreadyDone`` if there is another."""
        self._records.store(self._record(response))

"""The idempotency table: which requests have been carried out, and with which response.

An idempotency record is committed in the transaction that carries its request out, or not at all.
"""

import hmac
import time

from msgspec.structs import replace

from tasksync.aws.secret_values import secret
from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.idempotency.items import IdempotencyItem
from tasksync.model.entities import IdempotencyRecord
from tasksync.model.errors import AlreadyDone, IdempotencyKeyReused
from tasksync.runtime.settings import settings

_LIFETIME_SECONDS = 24 * 3600


class IdempotencyRepository:
    """Idempotency records."""

    def find(self, user_id: str, key: str, request: bytes) -> IdempotencyRecord:
        """The record of a request under a key, without a response if it has not been carried out.

        ``key``: the digest of the key. ``request``: all that must be the same when the key is used again. Raises
        ``IdempotencyKeyReused`` if the key was used for another request.
        """
        # Keyed: the body may hold a password, which a plain digest would let somebody guess.
        fingerprint = hmac.digest(secret(settings.http_secret), b"request:" + request, "sha256").hex()
        record = IdempotencyRecord(f"{user_id}#{key}", fingerprint)
        try:
            item = IdempotencyItem.get(record.id, consistent_read=True)
        except IdempotencyItem.DoesNotExist:
            return record
        if item.expires_at <= _now():
            return record
        if item.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        return replace(record, response=item.answer)

    def put_record(self, record: IdempotencyRecord, transaction: Transaction) -> None:
        """Put a record in the transaction that carries its request out. Its commit raises ``AlreadyDone``."""
        now = _now()
        item = IdempotencyItem(
            record.id,
            fingerprint=record.fingerprint,
            answer=record.response,
            expires_at=now + _LIFETIME_SECONDS,
        )
        # No request has been carried out under this key, or so long ago that the key is free again.
        expired = IdempotencyItem.expires_at <= now
        transaction.put_first(item, IdempotencyItem.receipt_id.does_not_exist() | expired, AlreadyDone)

    def store(self, record: IdempotencyRecord) -> None:
        """Commit the record of a request that changed nothing. Raises ``AlreadyDone`` if there is one."""
        transaction = Transaction()
        self.put_record(record, transaction)
        transaction.commit()


def _now() -> int:
    """In seconds since 1970, as ``expires_at``."""
    return time.time_ns() // 1_000_000_000

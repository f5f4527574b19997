"""Signatures of events: those of Standard Webhooks 1.0.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed_headers(secrets: Iterable[str], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """The headers that a receiver verifies, with a signature by each secret. ``at``: when it is sent."""
    # The package takes the time as UTC, whatever zone it has.
    at = at.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, body) for secret in secrets),
    }

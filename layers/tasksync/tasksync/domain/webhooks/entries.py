"""Entries of the log as deliveries, and notices in the place of those that the log does not hold any more.

DynamoDB deletes expired entries in no order, so any of them may be missing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tasksync.domain.webhooks.payload import notice_payload
from tasksync.model import times
from tasksync.model.entities import ActivityEntry
from tasksync.model.webhooks import EXPIRED, Delivery, Webhook, event_type


class Log(Protocol):
    """The part of ``dynamodb/change_log/repository.py`` that webhooks use."""

    def following(self, log_id: str, seq: int, last: int, limit: int) -> list[ActivityEntry]: ...


def contiguous(entries: Sequence[ActivityEntry]) -> list[ActivityEntry]:
    """The first of these entries, up to a gap between them."""
    return [entry for number, entry in enumerate(entries) if entry.seq == entries[0].seq + number]


def last_expired(entries: Sequence[ActivityEntry], first: int, last: int) -> int | None:
    """The last one of the entries that are missing from ``first`` on. None: the first one is there.

    ``entries``: what the log holds from there up to ``last``, as far as it was read.
    """
    if not entries:
        return last
    return entries[0].seq - 1 if entries[0].seq > first else None


def delivery_of(webhook: Webhook, entry: ActivityEntry, next_at: datetime | None = None) -> Delivery:
    """A new delivery."""
    return Delivery(
        room_id=webhook.room_id,
        webhook_id=webhook.id,
        seq=entry.seq,
        type=event_type(entry),
        created_at=times.now(),
        next_at=next_at,
    )


def notice_of(webhook: Webhook, first: int, last: int) -> Delivery:
    """A new delivery, which says that the log does not hold these entries. Nobody knows what the webhook wanted of
    them."""
    at = times.now()
    return Delivery(
        room_id=webhook.room_id,
        webhook_id=webhook.id,
        seq=first,
        last=last,
        type=EXPIRED,
        body=notice_payload(webhook.room_id, first, last, at),
        created_at=at,
    )

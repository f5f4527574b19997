"""Ordered webhooks: a cursor over the log, with one delivery in flight.

Who delivers has seized the webhook (``busy_until``) for longer than a function runs, so there is one at a time. The
cursor advances when an event is delivered, and never past one that is not.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.webhooks.delivery import (
    IN_FLIGHT,
    NOT_CHOSEN,
    SWEPT_AFTER,
    UNKNOWN_ENTRY,
    Attempts,
    is_gone,
    seconds_until,
)
from tasksync.domain.webhooks.entries import Log, contiguous, delivery_of, last_expired, notice_of
from tasksync.model import times
from tasksync.model.entities import ActivityEntry
from tasksync.model.webhooks import Delivery, DeliveryStatus, Webhook, WebhookState

_ENTRIES = 25


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/repository.py`` that is used here."""

    def find(self, room_id: str, webhook_id: str) -> Webhook | None: ...
    def seize(self, webhook: Webhook, busy_until: datetime) -> bool: ...
    def advance(self, webhook: Webhook, cursor: int) -> bool: ...
    def rest(self, webhook: Webhook) -> bool: ...
    def release(self, webhook: Webhook, busy_until: datetime, next_at: datetime) -> None: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that is used here."""

    def stored(self, made: Delivery) -> Delivery | None: ...
    def create(self, delivery: Delivery) -> bool: ...
    def again(self, before: Delivery, after: Delivery) -> bool: ...
    def pending(self, room_id: str, webhook_id: str, first: int, last: int) -> Sequence[Delivery]: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that is used here."""

    def advance(self, room_id: str, webhook_id: str, delay_seconds: int = 0) -> None: ...


class OrderedDeliverer:
    """Delivers to ordered webhooks."""

    def __init__(
        self,
        webhooks: Webhooks,
        deliveries: Deliveries,
        log: Log,
        queue: Queue,
        attempts: Attempts,
        slow_queue: Queue | None = None,
    ) -> None:
        """``slow_queue``: takes what goes to slow receivers. None: the messages come from there."""
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._log = log
        self._queue = queue
        self._attempts = attempts
        self._slow_queue = slow_queue

    def advance(self, room_id: str, webhook_id: str, has_time: Callable[[], bool], longest_delay_seconds: int) -> None:
        """Deliver what a webhook is behind, one event after the other, while ``has_time`` and they succeed."""
        webhook = self._webhooks.find(room_id, webhook_id)
        now = times.now()
        if webhook is None or not webhook.ordered or webhook.state is not WebhookState.ACTIVE:
            return
        if webhook.busy_until is not None and webhook.busy_until > now:
            return  # somebody delivers, or it waits for the next attempt
        lease = now + IN_FLIGHT
        if self._webhooks.seize(webhook, lease):
            self._deliver(room_id, webhook_id, lease, has_time, longest_delay_seconds)

    def _deliver(
        self,
        room_id: str,
        webhook_id: str,
        lease: datetime,
        has_time: Callable[[], bool],
        longest_delay_seconds: int,
    ) -> None:
        """``lease``: until when this invocation alone delivers."""
        entries: list[ActivityEntry] = []
        while True:
            # Again at each step: an admin may have changed it, stopped it or set it back.
            webhook = self._webhooks.find(room_id, webhook_id)
            if webhook is None or webhook.busy_until != lease or webhook.state is not WebhookState.ACTIVE:
                return
            if webhook.cursor >= webhook.wanted:
                if self._webhooks.rest(webhook):
                    return
                continue
            slow_queue = self._slow_queue if webhook.is_slow(times.now()) else None
            if slow_queue is not None or not has_time():
                self._webhooks.release(webhook, times.now(), times.now() + SWEPT_AFTER)
                (slow_queue or self._queue).advance(room_id, webhook_id)
                return
            entries = self._behind(webhook, entries)
            if not self._step(webhook, entries, longest_delay_seconds):
                return

    def _behind(self, webhook: Webhook, known: Sequence[ActivityEntry]) -> list[ActivityEntry]:
        """The next entries that it is to get, without a gap between them. ``known``: what has been read of them."""
        entries = [entry for entry in known if entry.seq > webhook.cursor]
        if not entries or entries[0].seq != webhook.cursor + 1:
            entries = self._log.following(webhook.room_id, webhook.cursor, webhook.wanted, _ENTRIES)
        return contiguous([entry for entry in entries if entry.seq <= webhook.wanted])

    def _step(self, webhook: Webhook, entries: Sequence[ActivityEntry], longest_delay_seconds: int) -> bool:
        """Deliver the next entry that the webhook wants. False if it goes no further now."""
        first = webhook.cursor + 1
        expired = last_expired(entries, first, webhook.wanted)
        if expired is not None:
            notice = self._pending(notice_of(webhook, first, expired))
            self._give_up(webhook, expired, UNKNOWN_ENTRY, but=notice)
            return self._deliver_next(webhook, notice, None, longest_delay_seconds)
        entry = next((entry for entry in entries if webhook.wants(entry)), None)
        passed = entries[-1].seq if entry is None else entry.seq - 1
        if webhook.cursor < min(passed, webhook.rechosen):
            self._give_up(webhook, passed, NOT_CHOSEN)
        if entry is None:
            return self._passed(webhook, passed)
        delivery = self._pending(delivery_of(webhook, entry))
        return self._deliver_next(webhook, delivery, entry, longest_delay_seconds)

    def _deliver_next(
        self, webhook: Webhook, pending: Delivery, entry: ActivityEntry | None, longest_delay_seconds: int
    ) -> bool:
        """Make an attempt. False if the webhook goes no further now."""
        delivery = self._attempts.make(webhook, pending, entry)
        if delivery is None:
            # Another record of it has come between: seen to again when this lease ends.
            return False
        if delivery.status is DeliveryStatus.DELIVERED:
            return self._passed(webhook, delivery.last or delivery.seq)
        if delivery.status is DeliveryStatus.FAILED:
            self._attempts.stop(webhook, WebhookState.DISABLED if is_gone(delivery) else WebhookState.SUSPENDED)
            return False
        due = delivery.next_at or times.now()
        self._webhooks.release(webhook, due, due)
        seconds = seconds_until(due)
        if seconds <= longest_delay_seconds:
            self._queue.advance(webhook.room_id, webhook.id, seconds)
        return False

    def _give_up(self, webhook: Webhook, last: int, error: str, but: Delivery | None = None) -> None:
        """What is pending after the cursor up to ``last`` has no turn any more."""
        for each in self._deliveries.pending(webhook.room_id, webhook.id, webhook.cursor + 1, last):
            if but is None or each.id != but.id:
                self._attempts.give_up(each, error)

    def _passed(self, webhook: Webhook, seq: int) -> bool:
        """Move the cursor, unless an admin has set it back meanwhile: both are seen when the webhook is read again."""
        self._webhooks.advance(webhook, seq)
        return True

    def _pending(self, made: Delivery) -> Delivery:
        """A delivery as the ledger has it, pending: new, as an attempt left it, or replayed."""
        found = self._deliveries.stored(made)
        if found is None:
            self._deliveries.create(made)
            return made
        if found.status is not DeliveryStatus.PENDING:
            again = replace(found, status=DeliveryStatus.PENDING, round=found.begun, again_at=times.now(), next_at=None)
            self._deliveries.again(found, again)
            return again
        return found

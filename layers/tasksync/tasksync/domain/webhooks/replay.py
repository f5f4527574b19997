"""Replays: entries of the log are delivered again to a webhook that is not ordered.

An ordered webhook is set back instead (``subscriptions.py``), as it delivers in the order of the log.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.webhooks.delivery import is_waiting
from tasksync.domain.webhooks.dispatch import DUE_AFTER
from tasksync.domain.webhooks.entries import Log, contiguous, delivery_of, last_expired, notice_of
from tasksync.model import times
from tasksync.model.webhooks import Delivery, DeliveryStatus, Replay, Webhook

_ENTRIES = 25


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/repository.py`` that is used here."""

    def find(self, room_id: str, webhook_id: str) -> Webhook | None: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that is used here."""

    def find_replay(self, room_id: str, item: str) -> Replay | None: ...
    def continue_replay(self, replay: Replay, following: int) -> bool: ...
    def stored(self, made: Delivery) -> Delivery | None: ...
    def create(self, delivery: Delivery) -> bool: ...
    def again(self, before: Delivery, after: Delivery) -> bool: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that is used here."""

    def deliver(self, deliveries: Sequence[Delivery], delay_seconds: int = 0) -> None: ...
    def replay(self, replay: Replay) -> None: ...


class Replayer:
    """Carries replays out, some entries at a time. What a crash interrupts is done again from the last step on."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries, log: Log, queue: Queue) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._log = log
        self._queue = queue

    def replay(self, room_id: str, item: str, has_time: Callable[[], bool]) -> None:
        """Go on with a replay while ``has_time``."""
        while (replay := self._deliveries.find_replay(room_id, item)) is not None:
            if not has_time():
                self._queue.replay(replay)
                return
            webhook = self._webhooks.find(room_id, replay.webhook_id)
            made, following = ([], replay.last + 1) if webhook is None else self._next(webhook, replay)
            due = [again for each in made if (again := self._due(each)) is not None]
            if due:
                self._queue.deliver(due)
            if not self._deliveries.continue_replay(replay, following):
                return

    def _next(self, webhook: Webhook, replay: Replay) -> tuple[Sequence[Delivery], int]:
        """What the webhook wants of the next entries, or the notice that the log does not hold them any more; and the
        entry after them."""
        entries = self._log.following(replay.room_id, replay.next - 1, replay.last, _ENTRIES)
        expired = last_expired(entries, replay.next, replay.last)
        if expired is not None:
            return [notice_of(webhook, replay.next, expired)], expired + 1
        entries = contiguous(entries)
        wanted = [delivery_of(webhook, entry) for entry in entries if webhook.wants(entry)]
        return wanted, entries[-1].seq + 1

    def _due(self, made: Delivery) -> Delivery | None:
        """A delivery, due now. None if it was due anyway."""
        next_at = times.now() + DUE_AFTER
        found = self._deliveries.stored(made)
        if found is None:
            made = replace(made, next_at=next_at)
            return made if self._deliveries.create(made) else None
        if found.status is DeliveryStatus.PENDING and not is_waiting(found.next_at):
            return None
        again = replace(found, status=DeliveryStatus.PENDING, round=found.begun, again_at=times.now(), next_at=next_at)
        return again if self._deliveries.again(found, again) else None

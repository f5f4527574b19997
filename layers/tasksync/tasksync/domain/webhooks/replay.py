"""Replays: entries of the log are delivered again to a webhook that is not ordered.

An ordered webhook is set back instead (``subscriptions.py``), as it delivers in the order of the log.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.webhooks.delivery import is_waiting
from tasksync.domain.webhooks.dispatch import DUE_AFTER
from tasksync.model import times
from tasksync.model.entities import ActivityEntry
from tasksync.model.webhooks import Delivery, DeliveryStatus, Replay, Webhook, event_type

_ENTRIES = 25


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/repository.py`` that is used here."""

    def find(self, room_id: str, webhook_id: str) -> Webhook | None: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that is used here."""

    def find_replay(self, room_id: str, item: str) -> Replay | None: ...
    def continue_replay(self, replay: Replay, following: int) -> bool: ...
    def of_entry(self, room_id: str, webhook_id: str, seq: int) -> Delivery | None: ...
    def create(self, delivery: Delivery) -> bool: ...
    def again(self, before: Delivery, after: Delivery) -> bool: ...


class Log(Protocol):
    """The part of ``dynamodb/change_log/repository.py`` that is used here."""

    def following(self, log_id: str, seq: int, last: int, limit: int) -> list[ActivityEntry]: ...


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
            entries = [] if webhook is None else self._entries(replay)
            if webhook is not None:
                due = [made for entry in entries if (made := self._due(webhook, entry)) is not None]
                if due:
                    self._queue.deliver(due)
            following = entries[-1].seq + 1 if entries else replay.last + 1
            if not self._deliveries.continue_replay(replay, following):
                return

    def _entries(self, replay: Replay) -> list[ActivityEntry]:
        return self._log.following(replay.room_id, replay.next - 1, replay.last, _ENTRIES)

    def _due(self, webhook: Webhook, entry: ActivityEntry) -> Delivery | None:
        """The delivery of an entry, due now. None if the webhook does not want it, or it was due anyway."""
        if not webhook.wants(entry):
            return None
        next_at = times.now() + DUE_AFTER
        found = self._deliveries.of_entry(webhook.room_id, webhook.id, entry.seq)
        if found is None:
            made = Delivery(
                room_id=webhook.room_id,
                webhook_id=webhook.id,
                seq=entry.seq,
                type=event_type(entry),
                created_at=times.now(),
                next_at=next_at,
            )
            return made if self._deliveries.create(made) else None
        if found.status is DeliveryStatus.PENDING and not is_waiting(found.next_at):
            return None
        again = replace(found, status=DeliveryStatus.PENDING, round=found.begun, again_at=times.now(), next_at=next_at)
        return again if self._deliveries.again(found, again) else None

"""Dispatch: for each entry of a room's log, what its webhooks need is put down, and messages are sent.

A stream record of the head, and the sweeper, only say which room to look at and how far its log is complete. What was
dispatched before is read from the table, so a record that is lost loses nothing, and one that comes again does nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tasksync.domain.webhooks.entries import Log, delivery_of
from tasksync.model import times
from tasksync.model.entities import ActivityEntry
from tasksync.model.webhooks import Delivery, Subscriptions, Webhook, WebhookState
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.unit_of_work import retry_on_conflict

DUE_AFTER = timedelta(minutes=10)
"""The sweeper sees to what a message should have seen to before."""

_ENTRIES = 100


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/repository.py`` that ``Dispatcher`` uses."""

    def subscriptions(self, room_id: str) -> Subscriptions | None: ...
    def want(self, webhook: Webhook, first: int, last: int, due_at: datetime) -> bool: ...
    def dispatched(self, room_id: str, before: int, after: int) -> None: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that ``Dispatcher`` uses."""

    def create(self, delivery: Delivery) -> bool: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that ``Dispatcher`` uses."""

    def deliver(self, deliveries: Sequence[Delivery], delay_seconds: int = 0) -> None: ...
    def advance(self, room_id: str, webhook_id: str, delay_seconds: int = 0) -> None: ...


class Dispatcher:
    """Dispatches the log of a room to its webhooks."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries, log: Log, queue: Queue) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._log = log
        self._queue = queue

    @retry_on_conflict
    def dispatch(self, room_id: str, last: int, keep_going: KeepGoing) -> bool:
        """Dispatch what is behind in the log of a room, up to an entry that is not beyond its head. False if time ran
        out.

        The deliveries come before ``dispatched``: who crashes between them puts the same ones down again, which then
        are there already.
        """
        while True:
            subscriptions = self._webhooks.subscriptions(room_id)
            if subscriptions is None or subscriptions.dispatched >= last:
                return True
            entries = self._log.following(room_id, subscriptions.dispatched, last, _ENTRIES)
            if not keep_going():
                return False
            for webhook in subscriptions.webhooks:
                self._dispatch_to(webhook, entries)
            # Fewer entries are all: others have expired.
            done = entries[-1].seq if len(entries) == _ENTRIES else last
            self._webhooks.dispatched(room_id, subscriptions.dispatched, done)

    def _dispatch_to(self, webhook: Webhook, entries: Sequence[ActivityEntry]) -> None:
        wanted = [entry for entry in entries if entry.seq > webhook.since and webhook.wants(entry)]
        if not wanted:
            return
        due_at = times.now() + DUE_AFTER
        if webhook.ordered:
            # What it skips between these is skipped by who delivers.
            more = [entry.seq for entry in wanted if entry.seq > webhook.wanted]
            if more and self._webhooks.want(webhook, more[0], more[-1], due_at):
                self._queue.advance(webhook.room_id, webhook.id)
            return
        if webhook.state is not WebhookState.ACTIVE:
            return
        made = [
            delivery for entry in wanted if self._deliveries.create(delivery := delivery_of(webhook, entry, due_at))
        ]
        if made:
            self._queue.deliver(made)

"""Deletes the deliveries of a webhook that was deleted, or whose room was: their payloads are nobody's business any
more."""

from datetime import timedelta
from typing import Protocol

from tasksync.model import times
from tasksync.model.webhooks import Purge
from tasksync.runtime.deadline import KeepGoing

_STRAGGLERS_END = timedelta(minutes=5)
"""By then, no function runs any more that read the webhook before it was deleted, and may put a delivery down."""


class Purges(Protocol):
    """The part of ``dynamodb/webhooks/purges.py`` that is used here."""

    def find(self, room_id: str, item: str) -> Purge | None: ...
    def purge_webhook(self, purge: Purge, keep_going: KeepGoing) -> bool: ...
    def finish(self, purge: Purge) -> None: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that is used here."""

    def purge(self, purge: Purge) -> None: ...


class Purger:
    """Carries purges out. The sweeper lets one be carried out again until it was long enough after the deletion."""

    def __init__(self, purges: Purges, queue: Queue) -> None:
        self._purges = purges
        self._queue = queue

    def purge(self, room_id: str, item: str, has_time: KeepGoing) -> None:
        """Delete what is there now."""
        purge = self._purges.find(room_id, item)
        if purge is None:
            return
        if not self._purges.purge_webhook(purge, has_time):
            self._queue.purge(purge)
        elif times.now() - purge.at > _STRAGGLERS_END:
            self._purges.finish(purge)

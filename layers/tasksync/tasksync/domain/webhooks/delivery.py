"""Delivery: attempts to send events to receivers, and what follows from their outcome."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from tasksync.domain.webhooks.entries import Log
from tasksync.domain.webhooks.payload import RenderTask, event_payload
from tasksync.model import times
from tasksync.model.entities import ActivityEntry, Task
from tasksync.model.webhooks import (
    FAILURES_BEFORE_PAUSE,
    LONGEST_RETRY_SECONDS,
    MOST_ATTEMPTS_KEPT,
    PENDING_AT_MOST,
    RETRY_SECONDS,
    SLOW_FOR,
    Attempt,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookState,
    is_about_task,
)

IN_FLIGHT = timedelta(seconds=120)
"""Longer than the function that delivers may run: nobody else begins an attempt before."""

_SURELY_WAITS = IN_FLIGHT + timedelta(seconds=30)
"""What is busy for longer than that is not in flight, also by a clock that is behind."""

SWEPT_AFTER = timedelta(minutes=10)
"""The sweeper sees to what a message should have seen to before."""

SLOW_SWEPT_AFTER = timedelta(hours=1)
"""The same for what waits in the queue of slow receivers."""

_GONE = 410
UNKNOWN_ENTRY = "entry_expired"
"""The log does not hold the entry any more."""
_FAILS = "receiver_fails"
NOT_CHOSEN = "event_not_chosen"
"""The webhook does not want events of this type any more."""
_BROKEN_OFF = "broken_off"


class Outcome(NamedTuple):
    """What came of an attempt."""

    attempt: Attempt
    retry_after_seconds: int | None = None
    """What the receiver requested."""


Send = Callable[[Webhook, Delivery, datetime, Callable[[], None]], Outcome]
"""Sends the payload of a delivery, signed as of a time, and waits for the response. Never raises.

Calls its last argument as soon as there has been no response for ``SLOW_AFTER``, and goes on waiting.
"""

Report = Callable[[str, Delivery, Attempt], None]
"""Takes what came of each attempt, for logs and metrics: ``delivered``, ``retried``, ``failed``."""


Stopped = Callable[[Webhook, WebhookState], None]
"""Takes that a webhook was suspended or disabled, for logs and metrics."""


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/repository.py`` that is used here."""

    def find(self, room_id: str, webhook_id: str) -> Webhook | None: ...
    def stop(self, webhook: Webhook, state: WebhookState) -> bool: ...
    def failed(self, webhook: Webhook, error: str, at: datetime) -> None: ...
    def succeeded(self, webhook: Webhook) -> None: ...
    def slow(self, webhook: Webhook, until: datetime) -> None: ...
    def pause(self, webhook: Webhook, until: datetime) -> bool: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that is used here."""

    def find(self, room_id: str, item: str) -> Delivery | None: ...
    def begin(self, before: Delivery, after: Delivery, *, swept: bool) -> bool: ...
    def finish(self, before: Delivery, after: Delivery, *, swept: bool) -> bool: ...
    def put_off(self, before: Delivery, after: Delivery) -> bool: ...


class Tasks(Protocol):
    """``dynamodb/tasks/whole_tasks.py``."""

    def find(self, task_id: str) -> Task | None: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that is used here."""

    def deliver(self, deliveries: Sequence[Delivery], delay_seconds: int = 0) -> None: ...


class Attempts:
    """One attempt to deliver an event, and its record: what ordered and other webhooks have in common."""

    def __init__(
        self,
        webhooks: Webhooks,
        deliveries: Deliveries,
        log: Log,
        tasks: Tasks,
        render: RenderTask,
        send: Send,
        report: Report,
        stopped: Stopped,
    ) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._log = log
        self._tasks = tasks
        self._render = render
        self._send = send
        self._report = report
        self._stopped = stopped

    def make(self, webhook: Webhook, delivery: Delivery, entry: ActivityEntry | None = None) -> Delivery | None:
        """Begin an attempt, send, and record what came of it: the delivery after that.

        ``entry``: that of the delivery, if it has been read. None: another invocation has begun the attempt, or the
        delivery is not pending any more.
        """
        if delivery.begun - delivery.round > len(RETRY_SECONDS):
            # All attempts were begun, and the function was cut off in the last one. Another might be, too.
            return self.give_up(delivery, _BROKEN_OFF)
        body = delivery.body or self._payload(delivery, entry)
        begun = replace(delivery, body=body, begun=delivery.begun + 1, next_at=times.now() + IN_FLIGHT)
        if body is None:
            # The log keeps entries for longer than attempts are made, unless an operator has set less.
            return self.give_up(delivery, UNKNOWN_ENTRY)
        # An ordered webhook is itself due while it has anything to deliver.
        swept = not webhook.ordered or delivery.test is not None
        if not self._deliveries.begin(delivery, begun, swept=swept):
            return None
        outcome = self._send(webhook, begun, times.now(), partial(self._is_slow, webhook))
        after = _after(begun, outcome)
        recorded = self._deliveries.finish(begun, after, swept=swept)
        self._report(_word(after), after, outcome.attempt)
        error = outcome.attempt.error
        if error is not None:
            self._webhooks.failed(webhook, error, outcome.attempt.at)
        elif webhook.failures:
            self._webhooks.succeeded(webhook)
        return after if recorded else None

    def give_up(self, delivery: Delivery, error: str) -> Delivery | None:
        """Let a delivery fail without another attempt."""
        attempt = Attempt(times.now(), 0, None, error, None)
        failed = replace(delivery, status=DeliveryStatus.FAILED, next_at=None, attempts=_kept(delivery, attempt))
        if not self._deliveries.finish(delivery, failed, swept=False):
            return None
        self._report(_word(failed), failed, attempt)
        return failed

    def stop(self, webhook: Webhook, state: WebhookState) -> None:
        """Suspend or disable a webhook, if it is active."""
        if self._webhooks.stop(webhook, state):
            self._stopped(webhook, state)

    def _is_slow(self, webhook: Webhook) -> None:
        """At once, while the attempt goes on: what is handed over from now on does not wait for the same receiver."""
        self._webhooks.slow(webhook, times.now() + SLOW_FOR)

    def _payload(self, delivery: Delivery, entry: ActivityEntry | None) -> str | None:
        """None if the log does not hold the entry any more."""
        if entry is None:
            found = self._log.following(delivery.room_id, delivery.seq - 1, delivery.seq, 1)
            if not found:
                return None
            entry = found[0]
        task = self._tasks.find(entry.resource_id) if is_about_task(entry) else None
        return event_payload(entry, task, self._render)


class Deliverer:
    """Delivers single events, to webhooks that are not ordered."""

    def __init__(
        self,
        webhooks: Webhooks,
        deliveries: Deliveries,
        queue: Queue,
        attempts: Attempts,
        slow_queue: Queue | None = None,
    ) -> None:
        """``slow_queue``: takes what goes to slow receivers. None: the messages come from there."""
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._queue = queue
        self._attempts = attempts
        self._slow_queue = slow_queue

    def deliver(self, room_id: str, item: str, begun: int, longest_delay_seconds: int) -> None:
        """Make the attempt that a message asks for, unless it has been begun.

        ``longest_delay_seconds``: of the queue. An attempt that is due later is seen to by the sweeper.
        """
        delivery = self._deliveries.find(room_id, item)
        if delivery is None or delivery.status is not DeliveryStatus.PENDING or delivery.begun != begun:
            return
        webhook = self._webhooks.find(room_id, delivery.webhook_id)
        if webhook is None or webhook.state is not WebhookState.ACTIVE:
            self._attempts.give_up(delivery, f"webhook_{'deleted' if webhook is None else webhook.state.value}")
            return
        if webhook.ordered and delivery.test is None:
            return  # it goes in its turn: ``OrderedDeliverer``
        if self._is_passed_on(webhook, delivery) or (delivery.test is None and self._pauses(webhook, delivery)):
            return
        after = self._attempts.make(webhook, delivery)
        if after is None:
            return
        if is_gone(after):
            self._attempts.stop(webhook, WebhookState.DISABLED)
        elif after.status is DeliveryStatus.PENDING and after.next_at is not None:
            seconds = seconds_until(after.next_at)
            if seconds <= longest_delay_seconds:
                self._queue.deliver([after], seconds)

    def _is_passed_on(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Whether nobody wants the event any more, or its receiver is slow, and the other queue has it now."""
        if delivery.name is None and not webhook.has_chosen(delivery.type):
            self._attempts.give_up(delivery, NOT_CHOSEN)
            return True
        now = times.now()
        if self._slow_queue is None or not webhook.is_slow(now):
            return False
        # It may wait there for long: the sweeper need not send it again so soon.
        self._deliveries.put_off(delivery, replace(delivery, next_at=now + SLOW_SWEPT_AFTER))
        self._slow_queue.deliver([delivery])
        return True

    def _pauses(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Whether a webhook that has failed again and again pauses. Then the delivery waits, without an attempt.

        One attempt is made between two pauses.
        """
        if webhook.failures < FAILURES_BEFORE_PAUSE:
            return False
        now = times.now()
        if now - (delivery.again_at or delivery.created_at) > PENDING_AT_MOST:
            self._attempts.give_up(delivery, _FAILS)
            return True
        until = webhook.paused_until
        if until is None or until <= now:
            until = now + webhook.next_pause
            if self._webhooks.pause(webhook, until):
                return False
        self._deliveries.put_off(delivery, replace(delivery, next_at=until))
        return True


def is_gone(delivery: Delivery) -> bool:
    """Whether the receiver answered to the last attempt that it wants no events any more."""
    return delivery.status is DeliveryStatus.FAILED and delivery.attempts[-1].status == _GONE


def is_waiting(until: datetime | None) -> bool:
    """Whether what is busy until this time waits for its next attempt, so that another may be made before: it is not in
    flight. False for what waits for less than some minutes, too, which cannot be known."""
    return until is not None and until > times.now() + _SURELY_WAITS


def seconds_until(at: datetime) -> int:
    """Whole seconds, and never less than that: a message must not come before its time."""
    return max(0, int((at - times.now()).total_seconds()) + 1)


def _after(begun: Delivery, outcome: Outcome) -> Delivery:
    """A delivery after an attempt."""
    attempt = outcome.attempt
    after = replace(begun, attempts=_kept(begun, attempt), next_at=None)
    if attempt.error is None:
        return replace(after, status=DeliveryStatus.DELIVERED)
    made = begun.begun - begun.round
    if attempt.status == _GONE or made > len(RETRY_SECONDS):
        return replace(after, status=DeliveryStatus.FAILED)
    pause = _pause(made, outcome.retry_after_seconds)
    return replace(after, next_at=times.now() + timedelta(seconds=pause))


def _pause(made: int, retry_after_seconds: int | None) -> float:
    """How long to wait after the attempt of this number, from 1: up to a fifth more or less than the schedule says, so
    that deliveries that failed together do not come back together."""
    scheduled = RETRY_SECONDS[made - 1] * secrets.SystemRandom().uniform(0.8, 1.2)
    return max(scheduled, min(retry_after_seconds or 0, LONGEST_RETRY_SECONDS))


def _kept(delivery: Delivery, attempt: Attempt) -> tuple[Attempt, ...]:
    return (*delivery.attempts, attempt)[-MOST_ATTEMPTS_KEPT:]


def _word(after: Delivery) -> str:
    return "retried" if after.status is DeliveryStatus.PENDING else after.status.value

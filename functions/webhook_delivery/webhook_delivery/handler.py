"""The webhook delivery function: handles messages of the delivery queues, several at the same time.

Of each webhook one after the other, unless its receiver is known to be slow: so one that begins to hang holds one
thread of an invocation, and is known before the next attempt. What goes to slow receivers has a queue of its own, and
holds no invocation that the others need.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from tasksync.aws.secret_values import secret
from tasksync.domain.webhooks.delivery import Attempts, Deliverer, Outcome
from tasksync.domain.webhooks.ordered import OrderedDeliverer
from tasksync.domain.webhooks.purge import Purger
from tasksync.domain.webhooks.replay import Replayer
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.tasks.whole_tasks import WholeTasks
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.purges import WebhookPurges
from tasksync.dynamodb.webhooks.queue import (
    LONGEST_DELAY_SECONDS,
    DeliveryQueue,
    is_delivery,
    is_purge,
    is_replay,
    read,
    webhook_in,
)
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.http import responses
from tasksync.model.errors import TaskSyncError
from tasksync.model.webhooks import SLOW_AFTER, Attempt, Delivery, Message, Webhook, WebhookState
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.settings import settings
from tasksync.security.webhook_secrets import secret_of
from tasksync.security.webhook_signatures import signed_headers
from tasksync.streams.records import Context
from webhook_delivery.sender import DEADLINE_SECONDS, Sender

_DELIVERY_MEASURE = Measure({"deliveries": "Count", "milliseconds": "Milliseconds"}, [["outcome"]])

_STOP_MEASURE = Measure({"stopped": "Count"}, [["state"]])

_ATTEMPT_MILLISECONDS = (DEADLINE_SECONDS + 10) * 1000
"""An attempt, its reads and its writes."""

_sender = Sender(loopback=settings.webhooks_to_loopback)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns SQS's partial batch response: messages that failed come again, and the table says what is done."""
    deadline.begin(context.get_remaining_time_in_millis)
    lines: dict[str, list[tuple[str, Message]]] = {}
    for record in event["Records"]:
        message_id, message = record["messageId"], read(record["body"])
        line = message_id if message.slow else f"{message.room_id} {webhook_in(message.item)}"
        lines.setdefault(line, []).append((message_id, message))
    failed = gather(*(partial(_handle_all, messages, context) for messages in lines.values()))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in chain.from_iterable(failed)]}


def _handle_all(messages: Sequence[tuple[str, Message]], context: Context) -> list[str]:
    """One after the other: the ids of those that failed."""
    return [message_id for message_id, message in messages if _handle(message, context) is not None]


def _handle(message: Message, context: Context) -> str | None:
    """Returns the error, or None."""
    room_id, item = message.room_id, message.item

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _ATTEMPT_MILLISECONDS

    if not has_time():
        return "no time left"
    report, stopped = partial(_report, context), partial(_stopped, context)
    webhooks, deliveries, log_, queue = (
        WebhooksRepository(),
        DeliveriesRepository(),
        ChangeLogRepository(),
        DeliveryQueue(),
    )
    slow_queue = None if message.slow else DeliveryQueue(settings.slow_delivery_queue)
    attempts = Attempts(webhooks, deliveries, log_, WholeTasks(), responses.task, _send, report, stopped)
    try:
        with unit_of_work.begin(None, context.aws_request_id):
            # Before any attempt is begun: without it, nothing can be signed.
            secret(settings.webhook_secret)
            if is_delivery(item):
                deliverer = Deliverer(webhooks, deliveries, queue, attempts, slow_queue)
                deliverer.deliver(room_id, item, message.begun, LONGEST_DELAY_SECONDS)
            elif is_purge(item):
                Purger(WebhookPurges(), queue).purge(room_id, item, has_time)
            elif is_replay(item):
                Replayer(webhooks, deliveries, log_, queue).replay(room_id, item, has_time)
            else:
                ordered = OrderedDeliverer(webhooks, deliveries, log_, queue, attempts, slow_queue)
                ordered.advance(room_id, webhook_in(item), has_time, LONGEST_DELAY_SECONDS)
    except TaskSyncError as error:
        log(
            "ERROR",
            "message failed",
            request_id=context.aws_request_id,
            room_id=room_id,
            item=item,
            error=type(error).__name__,
        )
        return type(error).__name__
    return None


def _send(webhook: Webhook, delivery: Delivery, at: datetime, is_slow: Callable[[], None]) -> Outcome:
    master = secret(settings.webhook_secret)
    secrets = [secret_of(master, webhook.id, generation) for generation in webhook.generations(at)]
    body = str(delivery.body)
    with _after(SLOW_AFTER.total_seconds(), is_slow):
        return _sender.send(webhook.url, signed_headers(secrets, delivery.id, at, body), body.encode(), at)


@contextmanager
def _after(seconds: float, call: Callable[[], None]) -> Iterator[None]:
    """Call something, unless this block ends before so many seconds."""

    def run() -> None:
        try:
            call()
        except TaskSyncError as error:
            log("WARNING", "receiver not noted as slow", error=type(error).__name__)

    timer = threading.Timer(seconds, copy_context().run, (run,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # Lambda freezes the container when the invocation ends


def _report(context: Context, outcome: str, delivery: Delivery, attempt: Attempt) -> None:
    """One line for each attempt. Neither URL nor response: what others wrote goes to the room's admins alone."""
    log_measured(
        "INFO",
        "delivery",
        (_DELIVERY_MEASURE,),
        request_id=context.aws_request_id,
        outcome=outcome,
        room_id=delivery.room_id,
        webhook_id=delivery.webhook_id,
        message_id=delivery.id,
        seq=delivery.seq,
        attempt=delivery.begun,
        status=attempt.status,
        error=attempt.error,
        deliveries=1,
        milliseconds=attempt.milliseconds,
    )


def _stopped(context: Context, webhook: Webhook, state: WebhookState) -> None:
    """One line for each webhook that gets no events any more until an admin resumes it."""
    log_measured(
        "WARNING",
        "webhook stopped",
        (_STOP_MEASURE,),
        request_id=context.aws_request_id,
        room_id=webhook.room_id,
        webhook_id=webhook.id,
        state=state,
        stopped=1,
    )

"""Webhooks under crashes: what dispatches and delivers, on the DynamoDB of the simulation, with a queue and receivers.

A seed decides what happens next: changes, lost and repeated messages, invocations that die before or after any request,
others that run in the middle of one, receivers that fail. Then everything works again, and what is promised must hold.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tasksync.domain.webhooks.delivery import Attempts, Deliverer, Outcome
from tasksync.domain.webhooks.dispatch import DUE_AFTER, Dispatcher
from tasksync.domain.webhooks.ordered import OrderedDeliverer
from tasksync.domain.webhooks.replay import Replayer
from tasksync.domain.webhooks.subscriptions import WebhookService
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.rooms.memberships import MembershipsRepository
from tasksync.dynamodb.tasks.whole_tasks import WholeTasks
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.queue import DeliveryQueue, is_delivery, is_dispatch, is_replay, read, webhook_in
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.dynamodb.webhooks.subscriptions import SubscriptionsRepository
from tasksync.model import times
from tasksync.model.change_log import Head
from tasksync.model.entities import Caller, UserRole
from tasksync.model.errors import TaskSyncError
from tasksync.model.webhooks import Attempt, Delivery, DeliveryStatus, Webhook, WebhookState
from tests.simulation.dynamodb import Database, Json, ServiceError
from tests.simulation.process import inside
from tests.simulation.scheduler import EPOCH_SECONDS
from tests.simulation.service import _Outcome, _response, _text
from tests.support.stack import Stack

ROOM = "room_018f0000000070008000000000000001"
ADMIN = Caller("usr_018f0000000070008000000000000002", "ses_1", UserRole.USER)

_DEEPEST = 3
"""Invocations in the middle of each other."""
_LONGEST_DELAY_SECONDS = 900

Weaken = Callable[[str, Json], Json]
"""Changes a request before it is carried out: a condition that is missing in the code."""


class Crashed(BaseException):
    """The invocation is gone. Not an ``Exception``: nothing in it may go on."""


class Broken(AssertionError):
    """A promise was not kept."""


class WebhooksSimulation:
    """One seed."""

    def __init__(self, seed: int, weaken: Weaken | None = None) -> None:
        self._random = Random(seed)
        self.entropy = Random(seed + 1)
        self._weaken = weaken or (lambda _, body: body)
        self._now = EPOCH_SECONDS
        tables = Stack().of_type("AWS::DynamoDB::Table")
        self._database = Database(tables, self.now, lambda: 0.0, lambda: None, lambda _: None)
        self._queue: list[tuple[float, str]] = []
        self._depth = 0
        self._calm = True
        self._seq = 0
        self._in_flight: list[tuple[str, int]] = []
        self._bodies: dict[tuple[str, int], tuple[str, str]] = {}
        self._delivered: set[tuple[str, int]] = set()
        self._webhooks: dict[str, Webhook] = {}

    # ------------------------------------------------------------------------------------- the world
    def now(self) -> float:
        return self._now

    clock = now

    def sleep(self, seconds: float) -> None:
        self._now += seconds

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """What AWS answers; or the end of the invocation, before or after it has carried the request out."""
        service, _, operation = _text(request.headers["X-Amz-Target"]).partition(".")
        body = json.loads(_text(request.body))
        self._now += 0.004
        if not self._calm:
            self._in_the_middle()
            self._crash(0.01)
        if service == "AmazonSQS":
            self._queue.append((self._now + body["DelaySeconds"], body["MessageBody"]))
            outcome = _Outcome({"MessageId": "1"})
        else:
            try:
                outcome = _Outcome(self._database.call(operation, self._weaken(operation, body)))
            except ServiceError as error:
                outcome = _Outcome.of(error)
        if not self._calm:
            self._crash(0.01)
        return _response(request, outcome)

    def _crash(self, probability: float) -> None:
        if self._depth and self._random.random() < probability:
            raise Crashed

    def _in_the_middle(self, probability: float = 0.06) -> None:
        """Somebody else runs now, from beginning to end."""
        if self._depth < _DEEPEST and self._random.random() < probability:
            self._step()

    # ------------------------------------------------------------------------------------- the story
    def run(self, steps: int) -> None:
        """Raises ``Broken``."""
        with inside(self):
            self._database.call("PutItem", {"TableName": "RoomsTable", "Item": _membership()})
            self._append()
            for ordered in (False, True, True):
                made = self._service().create(ADMIN, ROOM, "https://hooks.example.org/", None, ordered=ordered)
                self._webhooks[made.id] = made
            self._calm = False
            for _ in range(steps):
                self._step()
                if self._random.random() < 0.1:
                    self.sleep(self._random.choice((1, 60, 700, 4_000, 90_000)))
            self._calm = True
            self._finish()

    def _step(self) -> None:
        kind = self._random.choices(
            (self._append, self._dispatch, self._handle, self._sweep, self._replay, self._resume),
            (6, 8, 14, 1, 0.3, 1),
        )[0]
        self._invocation(kind)

    def _invocation(self, run: Callable[[], None]) -> None:
        self._depth += 1
        try:
            run()
        except (Crashed, TaskSyncError):
            pass
        finally:
            self._depth -= 1

    def _append(self) -> None:
        self._seq += 1
        self._database.call("PutItem", {"TableName": "LogTable", "Item": _entry(self._seq, self._now)})

    def _dispatch(self) -> None:
        Dispatcher(WebhooksRepository(), DeliveriesRepository(), ChangeLogRepository(), DeliveryQueue()).dispatch(
            ROOM, self._seq, lambda: True
        )

    def _handle(self) -> None:
        """A message that is there: it may be lost, come again, or be handled."""
        there = [each for each in self._queue if each[0] <= self._now]
        if not there:
            return
        message = self._random.choice(there)
        fate = 1.0 if self._calm else self._random.random()
        if fate > 0.1:
            self._queue.remove(message)
        if fate > 0.15:
            self._deliver(message[1])

    def _deliver(self, body: str) -> None:
        message = read(body)
        webhooks, deliveries, log, queue = (
            WebhooksRepository(),
            DeliveriesRepository(),
            ChangeLogRepository(),
            DeliveryQueue(),
        )
        attempts = Attempts(
            webhooks, deliveries, log, WholeTasks(), _no_task, self._sent, lambda *_: None, lambda *_: None
        )
        if is_delivery(message.item):
            deliverer = Deliverer(webhooks, deliveries, queue, attempts)
            deliverer.deliver(ROOM, message.item, message.begun, _LONGEST_DELAY_SECONDS)
        elif is_replay(message.item):
            Replayer(webhooks, deliveries, log, queue).replay(ROOM, message.item, lambda: True)
        else:
            ordered = OrderedDeliverer(webhooks, deliveries, log, queue, attempts)
            ordered.advance(ROOM, webhook_in(message.item), lambda: self._random.random() < 0.9, _LONGEST_DELAY_SECONDS)

    def _sweep(self) -> None:
        now = times.now()
        for page in DeliveriesRepository().due(now):
            for room_id, item in page:
                if is_dispatch(item):
                    WebhooksRepository().looked_at(room_id, now + timedelta(hours=1))
                    self._dispatch()
                else:
                    message = DeliveriesRepository().remind(room_id, item, now, now + DUE_AFTER)
                    if message is not None:
                        DeliveryQueue().send([message])

    def _replay(self) -> None:
        webhook_id = self._random.choice([*self._webhooks])
        first = self._random.randint(1, self._seq)
        self._service().replay(ADMIN, ROOM, webhook_id, first, self._random.randint(first, self._seq))

    def _resume(self) -> None:
        self._service().resume(ADMIN, ROOM, self._random.choice([*self._webhooks]))

    def _service(self) -> WebhookService:
        return WebhookService(
            MembershipsRepository(),
            SubscriptionsRepository(),
            DeliveriesRepository(),
            _Head(lambda: self._seq),
            DeliveryQueue(),
            lambda first, other: (first(), other()),
        )

    # ------------------------------------------------------------------------------------ the receiver
    def _sent(self, webhook: Webhook, delivery: Delivery, at: datetime) -> Outcome:
        """The receiver gets an event. It takes a while, in which others run; then it answers, or the sender dies."""
        event = webhook.id, delivery.seq
        sent = delivery.id, str(delivery.body)
        if self._bodies.setdefault(event, sent) != sent:
            raise Broken(f"{event} has another id or payload at a later attempt")
        others = [each for each in self._in_flight if each[0] == webhook.id and (webhook.ordered or each == event)]
        if others:
            raise Broken(f"{event} is sent while {others} is in flight")
        self._in_flight.append(event)
        try:
            if not self._calm:
                self._in_the_middle(0.5)
            self.sleep(self._random.uniform(0, 10))
            status = 200 if self._calm else self._random.choices((200, 500, 410), (8, 4, 0.2))[0]
            if status == 200:
                self._take(webhook, delivery.seq)
            self._crash(0.05)
        finally:
            self._in_flight.remove(event)
        return Outcome(Attempt(at, 1, status, None if status == 200 else f"status_{status}", "ok"))

    def _take(self, webhook: Webhook, seq: int) -> None:
        before = {(webhook.id, each) for each in range(self._webhooks[webhook.id].since + 1, seq)}
        if webhook.ordered and not before <= self._delivered:
            raise Broken(f"{webhook.id} got {seq} before {sorted(before - self._delivered)}")
        self._delivered.add((webhook.id, seq))

    # ---------------------------------------------------------------------------------------- the end
    def _finish(self) -> None:
        """Everything works from now on: all is delivered, or stands in the ledger as failed, and then replayed."""
        self._settle()
        for webhook in self._webhooks.values():
            found = WebhooksRepository().find(ROOM, webhook.id)
            if found is None:
                raise Broken("a webhook is gone")
            wanted = range(webhook.since + 1, self._seq + 1)
            missing = [seq for seq in wanted if (webhook.id, seq) not in self._delivered]
            unaccounted = [seq for seq in missing if not self._stands_as_failed(found, seq)]
            if unaccounted:
                raise Broken(f"{unaccounted} of {found} were neither delivered nor failed")
            self._service().resume(ADMIN, ROOM, webhook.id)
            if missing and not found.ordered:
                self._service().replay(ADMIN, ROOM, webhook.id, missing[0], missing[-1])
        self._settle()
        everything = {
            (webhook.id, seq) for webhook in self._webhooks.values() for seq in range(webhook.since + 1, self._seq + 1)
        }
        if not everything <= self._delivered:
            raise Broken(f"a replay did not deliver {everything - self._delivered}")

    def _stands_as_failed(self, webhook: Webhook, seq: int) -> bool:
        """In the ledger; or the webhook is stopped, which its state shows: then it may be absent."""
        delivery = DeliveriesRepository().of_entry(ROOM, webhook.id, seq)
        stopped = webhook.state is not WebhookState.ACTIVE
        # While a webhook is disabled, nothing is put down for it, and it may have been resumed since.
        return stopped or delivery is None or delivery.status is DeliveryStatus.FAILED

    def _settle(self) -> None:
        """Let the sweeper and the queue work until nothing is due any more."""
        self._invocation(self._dispatch)
        for _ in range(40):
            self._invocation(self._sweep)
            while any(at <= self._now for at, _ in self._queue):
                self._invocation(self._handle)
            if not self._queue and not self._due():
                return
            self.sleep(100_000)
        raise Broken("something is due for ever")

    def _due(self) -> list[Any]:
        items = self._database.tables["WebhooksTable"].items
        return [key for key, item in items.items() if "due" in item and not is_dispatch(key[1])]


class _Head:
    """The end of the log, which is not appended to by the code under test."""

    def __init__(self, seq: Callable[[], int]) -> None:
        self._seq = seq

    def head(self, log_id: str) -> Head:
        return Head(self._seq() if log_id == ROOM else 0)


def _no_task(_: object) -> dict[str, Any]:
    raise Broken("there are no tasks here")


def _membership() -> Json:
    return {
        "room_id": {"S": ROOM},
        "item": {"S": f"MEMBER#{ADMIN.user_id}"},
        "kind": {"S": "membership"},
        "user_id": {"S": ADMIN.user_id},
        "role": {"S": "admin"},
        "join_id": {"S": "000000000001"},
        "joined_at": {"S": "2026-01-01T00:00:00.000Z"},
    }


def _entry(seq: int, at: float) -> Json:
    return {
        "owner_id": {"S": ROOM},
        "item": {"S": f"c#{seq:012}"},
        "entry_id": {"S": f"entry-{seq:012}"},
        "at": {"S": times.timestamp(datetime.fromtimestamp(at, UTC))},
        "action": {"S": "updated"},
        "resource": {"S": "task"},
        "resource_id": {"S": f"{ROOM}.018f000000007000800000000000000{seq % 10}"},
        "changes": {"S": "{}"},
        "revision": {"N": str(seq)},
    }

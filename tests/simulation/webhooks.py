"""Webhooks under crashes: what dispatches and delivers, on the DynamoDB of the simulation, with a queue and receivers.

A seed decides what happens next: appends whose entries come into sight one by one; stream records and messages that are
lost, late or come twice; several invocations at the same time, each of which may die before or after any request, or at
its time-out; receivers that fail; admins who create, delete, replay, resume, test and renew secrets. Then everything
works again, and what is promised must hold. At last, in some seeds, the room is deleted.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from random import Random
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from msgspec.structs import replace

from tasksync.domain.webhooks.delivery import Attempts, Deliverer, Outcome
from tasksync.domain.webhooks.dispatch import DUE_AFTER, Dispatcher
from tasksync.domain.webhooks.ordered import OrderedDeliverer
from tasksync.domain.webhooks.purge import Purger
from tasksync.domain.webhooks.replay import Replayer
from tasksync.domain.webhooks.subscriptions import WebhookService
from tasksync.dynamodb.change_log.decoder import HEAD
from tasksync.dynamodb.change_log.items import entry_item
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.rooms.memberships import MembershipsRepository
from tasksync.dynamodb.tasks.whole_tasks import WholeTasks
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.items import delivery_item
from tasksync.dynamodb.webhooks.purges import WebhookPurges
from tasksync.dynamodb.webhooks.queue import (
    DeliveryQueue,
    is_delivery,
    is_dispatch,
    is_purge,
    is_replay,
    read,
    webhook_in,
)
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.dynamodb.webhooks.subscriptions import SubscriptionsRepository
from tasksync.model import times
from tasksync.model.entities import Caller, UserRole
from tasksync.model.errors import TaskSyncError
from tasksync.model.webhooks import SLOW_AFTER, Attempt, Delivery, DeliveryStatus, Webhook, WebhookState
from tasksync.runtime.settings import settings
from tests.simulation.dynamodb import Database, Json, ServiceError
from tests.simulation.process import run_in
from tests.simulation.scheduler import Scheduler
from tests.simulation.service import _Outcome, _response, _text
from tests.simulation.tables import Change
from tests.support.stack import Stack

ROOM = "room_018f0000000070008000000000000001"
ADMIN = Caller("usr_018f0000000070008000000000000002", "ses_1", UserRole.USER)

STEPS = 60
"""Invocations of one seed."""
_AT_ONCE = 4
"""Invocations."""
_LONGEST_DELAY_SECONDS = 900
_TIMEOUT_SECONDS = 60.0
_MOST_WEBHOOKS = 3

Weaken = Callable[[str, Json], Json]
"""Changes a request before it is carried out: a condition that is missing in the code."""


Event = tuple[str, int, int | None]
"""The webhook, and the entry; of a notice, the first and the last one."""

_OTHERS = ("membership.created",)
"""Types of events that there are not."""

_NOTHING = 10**9
"""After which entry somebody is owed events who does not know that the webhook is there."""


class Crashed(BaseException):
    """The invocation is gone. Not an ``Exception``: nothing in it may go on."""


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class Subscriber:
    """A webhook, and what its receiver has seen."""

    webhook: Webhook
    owed_after: int
    """The last entry before the response to the webhook's creation."""
    deleted: bool = False
    secrets: int = 1
    """The generation of the secret that was renewed last, whether or not its response arrived."""
    delivered: set[int] = field(default_factory=set)
    chose_others: bool = False
    """At some time it wanted events of no type that there are."""
    stopped: list[tuple[float, float]] = field(default_factory=list)
    """Between which times it was, perhaps, not active."""


class WebhooksSimulation:
    """One seed."""

    def __init__(self, seed: int, weaken: Weaken | None = None) -> None:
        self._random = Random(seed)
        self.entropy = Random(seed + 1)
        self._weaken = weaken or (lambda _, body: body)
        self._scheduler = Scheduler(Random(seed + 2))
        tables = Stack().of_type("AWS::DynamoDB::Table")
        self._database = Database(tables, self.now, lambda: 0.0, self._breathe, self._committed)
        self._queue: list[tuple[float, str]] = []
        self._records: list[int] = []
        """Heads, as records of the stream of the log show them."""
        self._began: dict[str, float] = {}
        """When each invocation began that runs now."""
        self._appending = False
        self._calm = True
        self._appended: list[float] = []
        """When each entry was appended."""
        self._in_flight: list[Event] = []
        self._bodies: dict[Event, tuple[str, str]] = {}
        self._subscribers: dict[str, Subscriber] = {}

    # ------------------------------------------------------------------------------------- the world
    def now(self) -> float:
        return self._scheduler.now

    clock = now

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """What AWS answers; or the end of the invocation, before or after it has carried the request out."""
        service, _, operation = _text(request.headers["X-Amz-Target"]).partition(".")
        body = json.loads(_text(request.body))
        self._breathe()
        self._crash(0.01)
        if service == "AmazonSQS":
            self._queue.append((self.now() + body["DelaySeconds"], body["MessageBody"]))
            outcome = _Outcome({"MessageId": "1"})
        else:
            try:
                outcome = _Outcome(self._database.call(operation, self._weaken(operation, body)))
            except ServiceError as error:
                outcome = _Outcome.of(error)
        self._crash(0.01)
        return _response(request, outcome)

    def _breathe(self) -> None:
        """A request takes a while, in which others run."""
        self.sleep(self._random.uniform(0.001, 0.02))

    def _committed(self, changes: list[Change]) -> None:
        for change in changes:
            if change.table == "LogTable" and change.key[1] == HEAD and "webhooks" in (change.new or {}):
                self._records.append(int(change.new["seq"]["N"]))  # type: ignore[index]  # it is there

    def _crash(self, probability: float) -> None:
        began = self._began.get(self._scheduler.current.name)
        if not self._calm and began is not None:
            late = self.now() > began + _TIMEOUT_SECONDS
            if late or self._random.random() < probability:
                raise Crashed

    @property
    def _seq(self) -> int:
        return len(self._appended)

    # ------------------------------------------------------------------------------------- the story
    def run(self, steps: int) -> None:
        """Raises ``Broken``."""
        self._at_once(self._begin)
        self._calm = False
        self._at_once(*[partial(self._work, steps // _AT_ONCE)] * _AT_ONCE)
        self._calm = True
        self._at_once(self._finish)
        if self._random.random() < 0.3:
            self._calm = False
            self._at_once(self._delete_room, *[partial(self._work, 5)] * (_AT_ONCE - 1))
            self._calm = True
            self._at_once(self._finish_room)

    def _at_once(self, *actors: Callable[[], None]) -> None:
        run_in(self, self._scheduler, *actors)

    def _begin(self) -> None:
        self._database.call("PutItem", {"TableName": "RoomsTable", "Item": _membership()})
        self._append()
        for ordered in (False, True):
            self._create(ordered=ordered)

    def _work(self, steps: int) -> None:
        """One invocation after the other."""
        kinds: dict[Callable[[], None], float] = {
            self._append: 6,
            self._dispatch: 8,
            self._handle: 14,
            self._sweep: 1,
            self._replay: 0.3,
            self._resume: 1,
            self._create: 0.3,
            self._delete: 0.1,
            self._renew_secret: 0.3,
            self._test: 0.2,
            self._change: 0.3,
            self._expire: 0.2,
        }
        for _ in range(steps):
            self._invocation(self._random.choices([*kinds], [*kinds.values()])[0])
            self.sleep(self._random.choice((0.0,) * 40 + (1, 60, 700, 4_000, 90_000)))

    def _invocation(self, run: Callable[[], None]) -> None:
        name = self._scheduler.current.name
        self._began[name] = self.now()
        try:
            run()
        except (Crashed, TaskSyncError):
            pass
        finally:
            del self._began[name]

    def _append(self) -> None:
        """Entries of one transaction, each of which a query may see before the others; then the head."""
        if self._appending:
            return
        self._appending = True
        before, number = self._seq, self._random.choice((1, 1, 2, 3))
        self._appended += [self.now()] * number
        numbers = list(range(before + 1, before + number + 1))
        self._random.shuffle(numbers)
        for seq in numbers:
            self._database.call("PutItem", {"TableName": "LogTable", "Item": _entry(seq, self.now())})
            self._breathe()
        self._database.call(
            "UpdateItem",
            {
                "TableName": "LogTable",
                "Key": {"owner_id": {"S": ROOM}, "item": {"S": HEAD}},
                "UpdateExpression": "SET #s = :s, #o = :z, #c = :z",
                "ExpressionAttributeNames": {"#s": "seq", "#o": "open", "#c": "completed"},
                "ExpressionAttributeValues": {":s": {"N": str(before + number)}, ":z": {"N": "0"}},
            },
        )
        self._appending = False

    def _head(self) -> Mapping[str, Any]:
        return self._database.tables["LogTable"].items.get((ROOM, HEAD)) or {}

    def _dispatch(self) -> None:
        """A record that is there: it may be lost, come again, or be handed over."""
        if not self._records:
            return
        last = self._random.choice(self._records)
        fate = 1.0 if self._calm else self._random.random()
        if fate > 0.3:
            self._records.remove(last)
        if fate > 0.1:
            self._dispatch_up_to(last)

    def _dispatch_up_to(self, last: int) -> None:
        Dispatcher(WebhooksRepository(), DeliveriesRepository(), ChangeLogRepository(), DeliveryQueue()).dispatch(
            ROOM, last, lambda: True
        )

    def _handle(self) -> None:
        """A message that is there: it may be lost, come again, or be handled."""
        there = [each for each in self._queue if each[0] <= self.now()]
        if not there:
            return
        message = self._random.choice(there)
        fate = 1.0 if self._calm else self._random.random()
        if fate > 0.3:
            self._queue.remove(message)
        if fate > 0.1:
            self._deliver(message[1])

    def _deliver(self, body: str) -> None:
        message = read(body)
        webhooks, deliveries, log, queue = (
            WebhooksRepository(),
            DeliveriesRepository(),
            ChangeLogRepository(),
            DeliveryQueue(),
        )
        slow_queue = None if message.slow else DeliveryQueue(settings.slow_delivery_queue)
        attempts = Attempts(
            webhooks, deliveries, log, WholeTasks(), _no_task, self._sent, lambda *_: None, self._stopped
        )
        if is_delivery(message.item):
            deliverer = Deliverer(webhooks, deliveries, queue, attempts, slow_queue)
            deliverer.deliver(ROOM, message.item, message.begun, _LONGEST_DELAY_SECONDS)
        elif is_purge(message.item):
            Purger(WebhookPurges(), queue).purge(ROOM, message.item, lambda: self._random.random() < 0.9)
        elif is_replay(message.item):
            Replayer(webhooks, deliveries, log, queue).replay(ROOM, message.item, lambda: True)
        else:
            ordered = OrderedDeliverer(webhooks, deliveries, log, queue, attempts, slow_queue)
            ordered.advance(ROOM, webhook_in(message.item), lambda: self._random.random() < 0.9, _LONGEST_DELAY_SECONDS)

    def _sweep(self) -> None:
        now = times.now()
        for page in DeliveriesRepository().due(now):
            for room_id, item in page:
                if is_dispatch(item):
                    WebhooksRepository().looked_at(room_id, now + timedelta(hours=1))
                    self._dispatch_up_to(ChangeLogRepository().head(room_id).seq)
                else:
                    message = DeliveriesRepository().remind(room_id, item, now, now + DUE_AFTER)
                    if message is not None:
                        DeliveryQueue().send([message])

    # ---------------------------------------------------------------------------------------- the admin
    def _create(self, *, ordered: bool | None = None) -> None:
        ordered = self._random.random() < 0.5 if ordered is None else ordered
        if len(self._live()) < _MOST_WEBHOOKS:
            made = self._service().create(ADMIN, ROOM, "https://hooks.example.org/", None, ordered=ordered)
            self._subscriber(made).owed_after = self._seq

    def _delete(self) -> None:
        for webhook_id in self._chosen():
            self._subscribers[webhook_id].deleted = True
            self._service().delete(ADMIN, ROOM, webhook_id)

    def _replay(self) -> None:
        for webhook_id in self._chosen():
            first = self._random.randint(1, self._seq)
            last = self._random.randint(first, self._seq + 2)
            self._service().replay(ADMIN, ROOM, webhook_id, first, last)

    def _resume(self) -> None:
        for webhook_id in self._chosen():
            self._service().resume(ADMIN, ROOM, webhook_id)
            stopped = self._subscribers[webhook_id].stopped
            if stopped and stopped[-1][1] == inf:
                stopped[-1] = stopped[-1][0], self.now()

    def _renew_secret(self) -> None:
        for webhook_id in self._chosen():
            subscriber = self._subscribers[webhook_id]
            subscriber.secrets = self._service().renew_secret(ADMIN, ROOM, webhook_id).generation

    def _change(self) -> None:
        """Another URL; or other types, which are nobody's any more: then it is owed nothing for sure."""
        for webhook_id in self._chosen():
            url, events = (
                f"https://hooks.example.org/{self._random.random()}",
                self._random.choice((None, None, _OTHERS)),
            )
            subscriber = self._subscribers[webhook_id]
            if events is not None:
                subscriber.owed_after, subscriber.chose_others = _NOTHING, True
            edit = partial(replace, url=url, events=events)
            self._service().change(ADMIN, ROOM, webhook_id, edit)

    def _expire(self) -> None:
        """The log loses some of the entries that are dispatched, in no order."""
        state = self._database.tables["WebhooksTable"].items.get((ROOM, "H"))
        dispatched = 0 if state is None else int(state["dispatched"]["N"])
        for seq in self._random.sample(range(1, dispatched + 1), dispatched // 2):
            self._database.call(
                "DeleteItem",
                {"TableName": "LogTable", "Key": {"owner_id": {"S": ROOM}, "item": {"S": entry_item(seq)}}},
            )

    def _test(self) -> None:
        for webhook_id in self._chosen():
            self._service().test(ADMIN, ROOM, webhook_id)

    def _chosen(self) -> list[str]:
        """One of the webhooks, if there is any."""
        live = [*self._live()]
        return [self._random.choice(live)] if live else []

    def _live(self) -> dict[str, Subscriber]:
        return {webhook_id: each for webhook_id, each in self._subscribers.items() if not each.deleted}

    def _subscriber(self, webhook: Webhook) -> Subscriber:
        """Whoever created the webhook may have been cut off before they heard of it: they are owed nothing for sure."""
        return self._subscribers.setdefault(webhook.id, Subscriber(webhook, _NOTHING))

    def _stopped(self, webhook: Webhook, _: WebhookState) -> None:
        self._subscriber(webhook).stopped.append((self.now(), inf))

    def _service(self) -> WebhookService:
        return WebhookService(
            MembershipsRepository(),
            SubscriptionsRepository(),
            DeliveriesRepository(),
            ChangeLogRepository(),
            DeliveryQueue(),
            lambda first, other: (first(), other()),
        )

    # ------------------------------------------------------------------------------------ the receiver
    def _sent(self, webhook: Webhook, delivery: Delivery, at: datetime, is_slow: Callable[[], None]) -> Outcome:
        """The receiver gets an event. It takes a while, in which others run; then it answers, or the sender dies."""
        subscriber = self._subscriber(webhook)
        event = webhook.id, delivery.seq if delivery.test is None else -1, delivery.last
        sent = delivery.id, str(delivery.body)
        if delivery.test is None and self._bodies.setdefault(event, sent) != sent:
            raise Broken(f"{event} has another id or payload at a later attempt")
        others = [each for each in self._in_flight if each[0] == webhook.id and (webhook.ordered or each == event)]
        if others and delivery.test is None:
            raise Broken(f"{event} is sent while {others} is in flight")
        if delivery.test is None:
            self._in_flight.append(event)
        try:
            seconds, quick = self._random.uniform(0, 10), SLOW_AFTER.total_seconds()
            self.sleep(min(seconds, quick))
            if seconds > quick:
                is_slow()
                self.sleep(seconds - quick)
            status = 200 if self._calm else self._random.choices((200, 500, 410), (8, 4, 0.2))[0]
            # Both the newest secret and the one before it are good for a while.
            if subscriber.secrets - webhook.generation > 1:
                status = 401
            if status == 200 and delivery.test is None:
                self._take(subscriber, delivery)
            if status == 410:
                # It may be stopped from now on, whatever becomes of the sender.
                subscriber.stopped.append((self.now(), inf))
            self._crash(0.05)
        finally:
            if delivery.test is None:
                self._in_flight.remove(event)
        return Outcome(Attempt(at, 1, status, None if status == 200 else f"status_{status}", "ok"))

    def _take(self, subscriber: Subscriber, delivery: Delivery) -> None:
        """An event, or a notice in the place of some."""
        webhook, seq = subscriber.webhook, delivery.seq
        before = {*range(webhook.since + 1, seq)}
        if webhook.ordered and not before <= subscriber.delivered and not subscriber.chose_others:
            raise Broken(f"{webhook.id} got {seq} before {sorted(before - subscriber.delivered)}")
        subscriber.delivered.update(range(seq, (delivery.last or seq) + 1))

    # ---------------------------------------------------------------------------------------- the end
    def _finish(self) -> None:
        """Everything works from now on: all is delivered, or stands in the ledger as failed, and then replayed."""
        self._settle()
        for webhook_id, subscriber in self._live().items():
            found = WebhooksRepository().find(ROOM, webhook_id)
            if found is None:
                raise Broken("a webhook is gone")
            missing = self._missing(subscriber)
            unaccounted = [seq for seq in missing if not self._stands_as_failed(found, subscriber, seq)]
            if unaccounted:
                raise Broken(f"{unaccounted} of {found} were neither delivered nor failed")
            self._service().resume(ADMIN, ROOM, webhook_id)
            if missing and not found.ordered:
                self._service().replay(ADMIN, ROOM, webhook_id, missing[0], missing[-1])
        self._settle()
        for subscriber in self._live().values():
            if missing := self._missing(subscriber):
                raise Broken(f"a replay did not deliver {missing} to {subscriber.webhook}")
        self._check_marks()
        self._check_ledger()

    def _missing(self, subscriber: Subscriber) -> list[int]:
        owed = range(subscriber.owed_after + 1, self._seq + 1)
        return [seq for seq in owed if seq not in subscriber.delivered]

    def _stands_as_failed(self, found: Webhook, subscriber: Subscriber, seq: int) -> bool:
        """In the ledger; or it may have been stopped when the entry was dispatched: then it may be absent."""
        if found.ordered:
            return found.state is not WebhookState.ACTIVE
        delivery = DeliveriesRepository().find(ROOM, delivery_item(found.id, seq))
        if delivery is not None:
            return delivery.status is DeliveryStatus.FAILED
        return any(until >= self._appended[seq - 1] for _, until in subscriber.stopped)

    def _check_marks(self) -> None:
        """What is stored beside webhooks says how many there are."""
        items = self._database.tables["WebhooksTable"].items
        there = sum(item.startswith("H#") for _, item in items)
        state = items.get((ROOM, "H"))
        if (0 if state is None else int(state["webhooks"]["N"])) != there or ("webhooks" in self._head()) != (
            there > 0
        ):
            raise Broken(f"{there} webhooks, {state}, {self._head()}")

    def _check_ledger(self) -> None:
        """Nothing is pending that has no turn any more."""
        items = self._database.tables["WebhooksTable"].items
        pending = [name for _, name in items if name.startswith("D#") and items[ROOM, name]["status"]["S"] == "pending"]
        if pending:
            raise Broken(f"{pending} are pending for ever")

    def _settle(self) -> None:
        """Let the sweeper and the queue work until nothing is due any more, and nothing left to dispatch."""
        self._records.clear()
        for _ in range(40):
            self._invocation(self._sweep)
            while any(at <= self.now() for at, _ in self._queue):
                self._invocation(self._handle)
            if not self._queue and not self._due() and self._is_dispatched():
                return
            self.sleep(100_000)
        raise Broken("something is due for ever")

    def _is_dispatched(self) -> bool:
        state = self._database.tables["WebhooksTable"].items.get((ROOM, "H"))
        return state is None or int(state["dispatched"]["N"]) == self._seq

    def _due(self) -> list[Any]:
        items = self._database.tables["WebhooksTable"].items
        return [key for key, item in items.items() if "due" in item and not is_dispatch(key[1])]

    def _delete_room(self) -> None:
        """While others are still at work."""
        self._database.call("DeleteItem", {"TableName": "RoomsTable", "Key": _membership_key()})
        purged = False
        while not purged:
            with suppress(TaskSyncError):
                now = times.now()
                purged = WebhookPurges().purge(ROOM, now, now + DUE_AFTER, lambda: self._random.random() < 0.5)

    def _finish_room(self) -> None:
        """What others have put down meanwhile goes with the room."""
        for subscriber in self._subscribers.values():
            subscriber.deleted = True
        self._settle()
        if left := list(self._database.tables["WebhooksTable"].items):
            raise Broken(f"{left} are of a room that is gone")


def _no_task(_: object) -> dict[str, Any]:
    raise Broken("there are no tasks here")


def _membership_key() -> Json:
    return {"room_id": {"S": ROOM}, "item": {"S": f"MEMBER#{ADMIN.user_id}"}}


def _membership() -> Json:
    return {
        **_membership_key(),
        "kind": {"S": "membership"},
        "user_id": {"S": ADMIN.user_id},
        "role": {"S": "admin"},
        "join_id": {"S": "000000000001"},
        "joined_at": {"S": "2026-01-01T00:00:00.000Z"},
    }


def _entry(seq: int, at: float) -> Json:
    return {
        "owner_id": {"S": ROOM},
        "item": {"S": entry_item(seq)},
        "entry_id": {"S": f"entry-{seq:012}"},
        "at": {"S": times.timestamp(datetime.fromtimestamp(at, UTC))},
        "action": {"S": "updated"},
        "resource": {"S": "task"},
        "resource_id": {"S": f"{ROOM}.018f000000007000800000000000000{seq % 10}"},
        "changes": {"S": "{}"},
        "revision": {"N": str(seq)},
    }

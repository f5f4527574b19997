"""What must be true of webhooks in the moments that conditions are for."""

# ruff: noqa: ARG005  # requests are functions of one shape; not all need everything

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from tasksync.domain.webhooks.delivery import Attempts, Deliverer, Outcome
from tasksync.domain.webhooks.dispatch import Dispatcher
from tasksync.domain.webhooks.ordered import OrderedDeliverer
from tasksync.domain.webhooks.replay import Replayer
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.tasks.whole_tasks import WholeTasks
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.queue import DeliveryQueue, is_delivery, is_replay, webhook_in
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.http import responses
from tasksync.model import times
from tasksync.model.webhooks import MOST_WEBHOOKS, Attempt, Delivery, Webhook
from tasksync.runtime import deadline
from tests.mutation.environment import Response, Stage
from tests.mutation.scenarios import DAY, SCENARIOS, Json, Person, key, keyed, people, refused, scenario

__all__ = ["SCENARIOS"]

_AFTER_A_LEASE = 121
_LONGEST_DELAY_SECONDS = 900
_MOST_STEPS = 1_000
_MILLISECONDS = 60_000
"""Of each function, whatever the clock says."""
_PATH = "/rooms/{room_id}/webhooks"


class Hooked:
    """A room of two admins, with a webhook whose responses the test chooses."""

    def __init__(self, stage: Stage, *, ordered: bool = False) -> None:
        self.stage = stage
        self.ordered = ordered
        self.ann, self.bob = people(stage, "ann", "bob")
        self.room = self.ann.open()
        assert self.ann.add(self.room, self.bob, "admin").status == 201
        self.id: str = create(self.ann, self.room, ordered=ordered).body["id"]
        self.answers: list[int] = []
        """Of the receiver, one after the other; then 200."""
        self.meanwhile: list[Callable[[], object]] = []
        """What happens while the receiver makes its mind up, one after the other."""
        self.sent: list[int] = []
        """The entries that it got."""
        self.slow = False
        """Whether it takes long."""
        self.stopped: list[str] = []
        self.steps = _MOST_STEPS
        """How many steps of a replay the function has time for."""

    # ------------------------------------------------------------------------------------------- events
    def append(self, number: int = 1) -> int:
        """So many events more in the log: the number of the last one."""
        before = len(self.stage.committed)
        for _ in range(number):
            assert self.ann.plan(self.room).status == 201
        made = [each for each in self.stage.committed[before:] if each.table == "TasksTableV2"]
        self.stage.append_to_logs(*(each for each in made if each.key[1].startswith("room_")))
        return self.head

    def event(self) -> int:
        """One event more, dispatched."""
        seq = self.append()
        self.dispatch()
        return seq

    @property
    def head(self) -> int:
        return int((self.stage.item("LogTable", self.room["id"], "head") or {"seq": 0})["seq"])

    def dispatch(self) -> None:
        deadline.begin(lambda: _MILLISECONDS)
        queue = DeliveryQueue()
        dispatcher = Dispatcher(WebhooksRepository(), DeliveriesRepository(), ChangeLogRepository(), queue)
        dispatcher.dispatch(self.room["id"], self.head, lambda: True)

    def handle(self) -> None:
        """All messages that are there, and that these cause."""
        while self.stage.messages:
            self.take(self.stage.messages.pop(0))

    def take(self, message: Json) -> None:
        deadline.begin(lambda: _MILLISECONDS)
        webhooks, deliveries, log, queue = (
            WebhooksRepository(),
            DeliveriesRepository(),
            ChangeLogRepository(),
            DeliveryQueue(),
        )
        attempts = Attempts(
            webhooks, deliveries, log, WholeTasks(), responses.task, self._send, lambda *_: None, self._stopped
        )
        room_id, item = self.room["id"], message["item"]
        if is_delivery(item):
            deliverer = Deliverer(webhooks, deliveries, queue, attempts)
            deliverer.deliver(room_id, item, message["begun"], _LONGEST_DELAY_SECONDS)
        elif is_replay(item):
            Replayer(webhooks, deliveries, log, queue).replay(room_id, item, self._has_time)
        else:
            ordered = OrderedDeliverer(webhooks, deliveries, log, queue, attempts)
            ordered.advance(room_id, webhook_in(item), lambda: True, _LONGEST_DELAY_SECONDS)

    def _has_time(self) -> bool:
        self.steps -= 1
        return self.steps >= 0

    def _send(self, _: Webhook, delivery: Delivery, at: datetime, is_slow: Callable[[], None]) -> Outcome:
        self.sent.append(delivery.seq)
        if self.slow:
            is_slow()
        status = self.answers.pop(0) if self.answers else 200
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return Outcome(Attempt(at, 1, status, None if status == 200 else f"status_{status}", ""))

    def _stopped(self, _: Webhook, state: object) -> None:
        self.stopped.append(str(state))

    def wake(self) -> None:
        """A message for an ordered webhook comes, and is handled."""
        self.take({"item": f"H#{self.id}"})

    def wake_and_cut_off(self) -> None:
        """The same; the function is cut off in the middle of the first attempt."""
        self.meanwhile.insert(0, _cut_off)
        with suppress(_CutOffError):
            self.wake()

    def fail(self, seq: int) -> None:
        """Let all attempts at an event of an ordered webhook fail, whose turn it is."""
        while self.delivery(seq) is None or self.delivery(seq)["status"] != "failed":
            self.answers = [500]
            self.wake()
            self.stage.messages.clear()
            self.stage.time += 2 * DAY

    # --------------------------------------------------------------------------------------- what is stored
    def webhook(self) -> Any:
        return self.stage.item("WebhooksTable", self.room["id"], f"H#{self.id}") or {}

    @property
    def state(self) -> str:
        return str(self.webhook()["state"])

    def number(self, name: str) -> int:
        return int(self.webhook()[name])

    def item(self, seq: int) -> str:
        return f"D#{self.id}#{seq:012}"

    def delivery(self, seq: int) -> Any:
        return self.stage.item("WebhooksTable", self.room["id"], self.item(seq))

    # ------------------------------------------------------------------------------------------ what admins do
    def does(self, method: str, path: str, body: Json | None = None, *, who: Person | None = None) -> Response:
        ids = {"room_id": self.room["id"], "webhook_id": self.id}
        return (who or self.ann).do(method, f"{_PATH}/{{webhook_id}}{path}", body, **ids)

    def replay(self, first: int, last: int, **options: Any) -> Response:
        return self.does("POST", "/replay", {"from": first, "to": last}, **options)

    def resume(self, **options: Any) -> Response:
        return self.does("POST", "/resume", {}, **options)

    def rename(self, url: str, **options: Any) -> Response:
        return self.does("PATCH", "", {"url": url}, **options)

    def delete(self, **options: Any) -> Response:
        return self.does("DELETE", "", **options)


def counted(stage: Stage, room: Json) -> tuple[int, int, bool]:
    """How many webhooks the state says there are, how many there are, and whether the head is marked."""
    names = [name for room_id, name in stage.database.tables["WebhooksTable"].items if room_id == room["id"]]
    state = stage.item("WebhooksTable", room["id"], "H") or {"webhooks": 0}
    head = stage.item("LogTable", room["id"], "head") or {}
    return int(state["webhooks"]), sum(name.startswith("H#") for name in names), "webhooks" in head


def create(person: Person, room: Json, *, ordered: bool = False, **options: Any) -> Response:
    body = {"url": "https://hooks.example.org/", "ordered": ordered}
    return person.do("POST", _PATH, body, room_id=room["id"], **options)


_Asked = tuple[str, str, Json | None]
_CHANGE: _Asked = ("PATCH", "", {"url": "https://other.example.org/"})
_REPLAY: _Asked = ("POST", "/replay", {"from": 1, "to": 1})
_DELETE: _Asked = ("DELETE", "", None)
_TEST: _Asked = ("POST", "/test", {})


_webhooks: WeakKeyDictionary[Stage, Json] = WeakKeyDictionary()


def _ask(person: Person, room: Json, method: str, path: str, body: Json | None, *, ordered: bool = True) -> Response:
    """Under a key, of the webhook of this stage."""
    if person.stage not in _webhooks:
        _webhooks[person.stage] = create(person, room, ordered=ordered).body
    ids = {"room_id": room["id"], "webhook_id": _webhooks[person.stage]["id"]}
    return person.do(method, f"{_PATH}/{{webhook_id}}{path}", body, **ids, **key())


keyed("SubscriptionsRepository.create", lambda ann, bob, room, task: create(ann, room, **key()))
keyed("SubscriptionsRepository.change", lambda ann, bob, room, task: _ask(ann, room, *_CHANGE))
keyed("SubscriptionsRepository.resume", lambda ann, bob, room, task: _ask(ann, room, *_REPLAY))
keyed("SubscriptionsRepository.delete", lambda ann, bob, room, task: _ask(ann, room, *_DELETE))
keyed("SubscriptionsRepository.create_test", lambda ann, bob, room, task: _ask(ann, room, *_TEST))
keyed("SubscriptionsRepository.start_replay", lambda ann, bob, room, task: _ask(ann, room, *_REPLAY, ordered=False))


@scenario
def an_admin_of_webhooks_is_none_any_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    _loses_rights(hooked, "SubscriptionsRepository.create", lambda: create(hooked.bob, hooked.room))
    for operation, request in {"change": _CHANGE, "resume": _REPLAY, "delete": _DELETE, "create_test": _TEST}.items():
        _loses_rights(hooked, f"SubscriptionsRepository.{operation}", partial(hooked.does, *request, who=hooked.bob))


@scenario
def an_admin_who_replays_is_none_any_more(stage: Stage) -> None:
    hooked = Hooked(stage)
    _loses_rights(hooked, "SubscriptionsRepository.start_replay", partial(hooked.does, *_REPLAY, who=hooked.bob))


def _loses_rights(hooked: Hooked, operation: str, request: Callable[[], Response]) -> None:
    before = dict(hooked.stage.database.tables["WebhooksTable"].items)
    hooked.stage.before(operation, lambda: hooked.ann.set_role(hooked.room, hooked.bob, "member"))
    refused(request(), 403, "role_too_low")
    assert hooked.ann.set_role(hooked.room, hooked.bob, "admin").status == 200
    hooked.stage.before(operation, lambda: hooked.ann.remove(hooked.room, hooked.bob))
    refused(request(), 404)
    assert hooked.ann.add(hooked.room, hooked.bob, "admin").status == 201
    assert hooked.stage.database.tables["WebhooksTable"].items == before


# ---------------------------------------------------------------------------------------- how many there are
@scenario
def two_make_the_first_webhook_at_once(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    room = ann.open()
    assert ann.add(room, bob, "admin").status == 201
    stage.before("SubscriptionsRepository.create", lambda: create(bob, room))
    assert create(ann, room).status == 201
    assert counted(stage, room) == (2, 2, True)


@scenario
def two_make_the_last_webhook_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    for _ in range(MOST_WEBHOOKS - 2):
        assert create(hooked.ann, hooked.room).status == 201
    stage.before("SubscriptionsRepository.create", lambda: create(hooked.bob, hooked.room))
    refused(create(hooked.ann, hooked.room), 409, "too_many_webhooks")
    assert counted(stage, hooked.room) == (MOST_WEBHOOKS, MOST_WEBHOOKS, True)


@scenario
def two_delete_webhooks_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    other = create(hooked.ann, hooked.room).body
    ids = {"room_id": hooked.room["id"], "webhook_id": other["id"]}
    stage.before("SubscriptionsRepository.delete", lambda: hooked.bob.do("DELETE", f"{_PATH}/{{webhook_id}}", **ids))
    assert hooked.delete().status == 204
    assert counted(stage, hooked.room) == (0, 0, False)


@scenario
def a_webhook_is_made_before_the_last_one_is_deleted(stage: Stage) -> None:
    hooked = Hooked(stage)
    stage.before("SubscriptionsRepository.delete", lambda: create(hooked.bob, hooked.room))
    assert hooked.delete().status == 204
    assert counted(stage, hooked.room) == (1, 1, True)


@scenario
def a_webhook_is_deleted_twice_and_another_made(stage: Stage) -> None:
    hooked = Hooked(stage)
    create(hooked.ann, hooked.room)

    def meanwhile() -> None:
        assert hooked.delete(who=hooked.bob).status == 204
        assert create(hooked.bob, hooked.room).status == 201

    stage.before("SubscriptionsRepository.delete", meanwhile)
    refused(hooked.delete(), 404)
    assert counted(stage, hooked.room) == (2, 2, True)


@scenario
def the_last_webhook_is_deleted_before_the_sweeper_looks_at_the_room(stage: Stage) -> None:
    hooked = Hooked(stage)
    stage.before("WebhooksRepository.looked_at", hooked.delete)
    stage.sweep()
    assert counted(stage, hooked.room) == (0, 0, False)
    assert stage.item("WebhooksTable", hooked.room["id"], "H") is None


# ------------------------------------------------------------------------------------------------- choices
@scenario
def two_admins_change_a_webhook_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    stage.before("SubscriptionsRepository.change", lambda: hooked.does("PATCH", "", {"events": ["task.created"]}))
    changed = hooked.rename("https://other.example.org/")
    assert (changed.status, changed.body["events"]) == (200, ["task.created"])
    assert hooked.webhook()["url"] == "https://other.example.org/"


@scenario
def a_webhook_changes_before_it_is_replayed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    for seq in (hooked.event(), _waiting(hooked)):
        changed: list[str] = []

        def meanwhile(changed: list[str] = changed) -> None:
            # A change that leaves its waiting alone.
            assert hooked.does("POST", "/secret", {}).status == 200
            changed.append(hooked.webhook()["updated_at"])
            assert hooked.does("POST", "/secret", {}).status == 200

        stage.before("SubscriptionsRepository.resume", meanwhile)
        assert hooked.replay(seq, seq).status == 202
        assert hooked.webhook()["updated_at"] > changed[0]


@scenario
def a_webhook_is_stopped_before_it_is_replayed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    stage.before("SubscriptionsRepository.resume", lambda: hooked.fail(seq))
    assert hooked.replay(seq, seq).status == 202
    assert hooked.state == "suspended"


@scenario
def an_event_arrives_before_a_later_one_is_replayed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    stage.before("SubscriptionsRepository.resume", hooked.handle)
    assert hooked.replay(seq + 1, seq + 1).status == 202
    hooked.handle()
    assert hooked.sent == [seq]


def _waiting(hooked: Hooked) -> int:
    """An event whose next attempt is some minutes away."""
    seq = hooked.event()
    hooked.answers = [500, 500]
    hooked.handle()
    hooked.stage.time += 10
    hooked.wake()
    hooked.stage.messages.clear()
    return seq


@scenario
def a_webhook_that_waits_is_seized_before_it_is_replayed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = _waiting(hooked)

    def seized() -> None:
        stage.time += DAY
        hooked.wake_and_cut_off()

    stage.before("SubscriptionsRepository.resume", seized)
    assert hooked.replay(seq, seq).status == 202
    hooked.handle()
    # Whoever has seized it may still be at work.
    assert hooked.sent == [seq] * 3


@scenario
def a_webhook_that_waits_is_seized_before_it_is_changed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = _waiting(hooked)

    def seized() -> None:
        stage.time += DAY
        hooked.wake_and_cut_off()

    stage.before("SubscriptionsRepository.change", seized)
    assert hooked.rename("https://other.example.org/").status == 200
    hooked.handle()
    # Whoever has seized it may still be at work.
    assert hooked.sent == [seq] * 3


@scenario
def the_secret_of_a_webhook_that_waits_is_renewed_before_its_url_is_changed(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    _waiting(hooked)
    stage.before("SubscriptionsRepository.change", lambda: hooked.does("POST", "/secret", {}, who=hooked.bob))
    assert hooked.rename("https://other.example.org/").status == 200
    assert hooked.number("generation") == 2


@scenario
def a_change_of_the_url_ends_waiting(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = _waiting(hooked)
    assert hooked.rename("https://other.example.org/").status == 200
    hooked.handle()
    assert hooked.sent == [seq] * 3
    assert hooked.delivery(seq)["status"] == "delivered"


@scenario
def an_event_is_chosen_no_more_while_it_is_in_flight(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()

    def meanwhile() -> None:
        # What is wanted at this moment counts, not what the admin has read.
        stage.before("SubscriptionsRepository.change", hooked.event)
        assert hooked.does("PATCH", "", {"events": ["membership.created"]}).status == 200

    hooked.answers, hooked.meanwhile = [500, 500], [meanwhile]
    hooked.handle()
    stage.time += DAY
    hooked.wake()
    assert hooked.number("rechosen") == seq + 1
    assert hooked.delivery(seq)["status"] == "failed"
    assert hooked.sent == [seq]


@scenario
def a_replay_ends_waiting(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = _waiting(hooked)
    assert hooked.replay(seq, seq).status == 202
    hooked.handle()
    assert hooked.sent == [seq] * 3
    assert hooked.delivery(seq)["status"] == "delivered"


# ------------------------------------------------------------------------------------------------- dispatch
@scenario
def two_dispatch_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.append()

    def meanwhile() -> None:
        hooked.event()
        hooked.handle()

    stage.before("DeliveriesRepository.create", meanwhile)
    hooked.dispatch()
    hooked.handle()
    assert hooked.sent == sorted(set(hooked.sent))


@scenario
def the_log_goes_on_before_it_is_dispatched(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.append()
    stage.before("WebhooksRepository.dispatched", hooked.event)
    hooked.dispatch()
    assert (stage.item("WebhooksTable", hooked.room["id"], "H") or {})["dispatched"] == str(hooked.head)


@scenario
def an_ordered_webhook_that_rests_is_replayed_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    first = hooked.event()
    hooked.handle()
    hooked.append()
    stage.before("WebhooksRepository.want", lambda: hooked.replay(first, first))
    hooked.dispatch()
    hooked.handle()
    assert hooked.sent == [first, first, first + 1]


@scenario
def an_ordered_webhook_wants_more_before_it_wants_less(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.append()
    stage.before("WebhooksRepository.want", hooked.event)
    hooked.dispatch()
    assert hooked.number("wanted") == hooked.head
    hooked.handle()
    assert hooked.sent == [hooked.head - 1, hooked.head]


@scenario
def an_ordered_webhook_is_suspended_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    hooked.append()
    stage.before("WebhooksRepository.want", lambda: hooked.fail(seq))
    hooked.dispatch()
    assert (hooked.state, hooked.number("wanted")) == ("suspended", seq + 1)
    assert "due" not in hooked.webhook()


@scenario
def a_suspended_webhook_wants_more_before_it_wants_less(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.fail(hooked.event())
    hooked.append()
    # Before the write for one that is active; the one for one that is not comes then.
    stage.before("WebhooksRepository.want", hooked.event)
    hooked.dispatch()
    assert hooked.number("wanted") == hooked.head
    hooked.append()
    stage.before("WebhooksRepository.want", lambda: stage.before("WebhooksRepository.want", hooked.event))
    hooked.dispatch()
    assert hooked.number("wanted") == hooked.head


@scenario
def a_suspended_webhook_is_resumed_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    hooked.fail(seq)
    hooked.append()

    def resumed() -> None:
        hooked.resume()
        hooked.handle()

    # After the write for one that is active.
    stage.before("WebhooksRepository.want", lambda: stage.before("WebhooksRepository.want", resumed))
    hooked.dispatch()
    hooked.handle()
    assert hooked.sent[-2:] == [seq, seq + 1]


@scenario
def an_ordered_webhook_that_is_behind_wants_more_before_it_wants_less(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.event()
    hooked.append()
    stage.before("WebhooksRepository.want", hooked.event)
    hooked.dispatch()
    assert hooked.number("wanted") == hooked.head


@scenario
def an_ordered_webhook_that_rests_is_disabled_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.append()
    stage.before("WebhooksRepository.want", lambda: _gone(hooked))
    hooked.dispatch()
    assert (hooked.state, hooked.number("wanted")) == ("disabled", hooked.head)
    assert "due" not in hooked.webhook()


@scenario
def a_disabled_webhook_that_rests_is_resumed_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    _gone(hooked)
    seq = hooked.append()

    def resumed() -> None:
        hooked.resume()
        hooked.handle()

    # After the write for one that is active.
    stage.before("WebhooksRepository.want", lambda: stage.before("WebhooksRepository.want", resumed))
    hooked.dispatch()
    hooked.handle()
    assert hooked.sent[-1] == seq


@scenario
def a_disabled_webhook_that_rests_wants_more_before_it_wants_less(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    _gone(hooked)
    hooked.append()
    stage.before("WebhooksRepository.want", hooked.event)
    hooked.dispatch()
    assert hooked.number("wanted") == hooked.head


@scenario
def a_disabled_webhook_that_rests_is_replayed_before_it_wants_more(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    first = hooked.event()
    hooked.handle()
    _gone(hooked)
    hooked.append()
    hooked.sent.clear()
    stage.before("WebhooksRepository.want", lambda: hooked.replay(first, first))
    hooked.dispatch()
    hooked.resume()
    hooked.handle()
    assert hooked.sent == [first, first + 1]


# --------------------------------------------------------------------------------------------- deliveries
@scenario
def two_begin_an_attempt_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()
    message = stage.messages.pop()
    hooked.answers = [500]
    stage.before("DeliveriesRepository.begin", lambda: hooked.take(message))
    hooked.take(message)
    assert hooked.sent == [seq]


@scenario
def two_end_a_pause_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.append(number=7)
    hooked.dispatch()
    first, second, *others = stage.messages[:]
    stage.messages.clear()
    hooked.answers = [500] * 7
    for message in others:
        hooked.take(message)
    assert hooked.number("failures") == 5
    before = len(hooked.sent)
    stage.before("WebhooksRepository.pause", lambda: hooked.take(first))
    hooked.take(second)
    assert len(hooked.sent) == before + 1


def _pausing(stage: Stage) -> tuple[Hooked, Json]:
    """A webhook that pauses, and the message about a delivery that is to wait."""
    hooked = Hooked(stage)
    hooked.append(number=7)
    hooked.dispatch()
    waits, *others = stage.messages[:]
    hooked.answers = [500] * len(others)
    for message in others:
        hooked.take(message)
    stage.messages.clear()
    return hooked, waits


@scenario
def an_attempt_fails_before_the_next_one_is_put_off(stage: Stage) -> None:
    hooked, waits = _pausing(stage)

    def meanwhile() -> None:
        hooked.resume()
        hooked.answers = [500]
        hooked.take(waits)

    stage.before("DeliveriesRepository.put_off", meanwhile)
    now = stage.time
    hooked.take(waits)
    delivery = stage.item("WebhooksTable", hooked.room["id"], waits["item"]) or {}
    assert (delivery["begun"], delivery["status"]) == ("1", "pending")
    # As the attempt has left it.
    assert delivery["next_at"] < times.timestamp(datetime.fromtimestamp(now + 30, UTC))


@scenario
def a_delivery_is_given_up_before_it_is_put_off(stage: Stage) -> None:
    hooked, waits = _pausing(stage)

    def meanwhile() -> None:
        hooked.answers = [410]
        assert hooked.does("POST", "/test", {}).status == 202
        hooked.take(stage.messages.pop())
        hooked.take(waits)

    stage.before("DeliveriesRepository.put_off", meanwhile)
    hooked.take(waits)
    delivery = stage.item("WebhooksTable", hooked.room["id"], waits["item"]) or {}
    assert (delivery["status"], "due" in delivery) == ("failed", False)


@scenario
def a_webhook_recovers_before_it_pauses(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.append(number=6)
    hooked.dispatch()
    waits, *others = stage.messages[:]
    hooked.answers = [500] * len(others)
    for message in others:
        hooked.take(message)
    assert hooked.number("failures") == 5

    def meanwhile() -> None:
        hooked.answers = [200, *[500] * 4]
        for _ in range(5):
            assert hooked.does("POST", "/test", {}).status == 202
            hooked.take(stage.messages.pop())

    stage.before("WebhooksRepository.pause", meanwhile)
    hooked.take(waits)
    assert (hooked.number("failures"), hooked.number("pauses")) == (4, 0)


@scenario
def a_webhook_is_deleted_before_it_is_replayed(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.event()
    hooked.handle()
    stage.before("SubscriptionsRepository.start_replay", hooked.delete)
    refused(hooked.replay(1, 1), 404)
    assert hooked.webhook() == {}


@scenario
def a_delivery_is_given_up_before_an_attempt_begins(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.event()
    (message,) = stage.messages

    def given_up() -> None:
        hooked.answers = [410]
        assert hooked.does("POST", "/test", {}).status == 202
        hooked.take(stage.messages.pop())
        hooked.take(message)

    stage.before("DeliveriesRepository.begin", given_up)
    hooked.handle()
    assert hooked.state == "disabled"
    assert len(hooked.sent) == 1


@scenario
def an_attempt_is_over_after_another_has_begun(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()

    def meanwhile() -> None:
        stage.time += _AFTER_A_LEASE
        hooked.take({"item": hooked.item(seq), "begun": 1})

    hooked.answers = [503, 500]
    hooked.meanwhile = [meanwhile]
    hooked.take(stage.messages.pop(0))
    assert hooked.delivery(seq)["begun"] == "2"
    assert "status_503" not in hooked.delivery(seq)["attempts"]


@scenario
def a_delivery_is_given_up_after_it_has_arrived(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()

    def meanwhile() -> None:
        stage.time += _AFTER_A_LEASE
        hooked.delete()
        hooked.take({"item": hooked.item(seq), "begun": 1})

    hooked.meanwhile = [meanwhile]
    hooked.take(stage.messages.pop(0))
    assert hooked.delivery(seq)["status"] == "failed"


@scenario
def a_delivery_is_replayed_twice_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()
    hooked.handle()
    hooked.replay(seq, seq)
    hooked.replay(seq, seq)
    first, second = stage.messages[:]
    stage.messages.clear()

    def meanwhile() -> None:
        hooked.take(first)
        hooked.handle()

    stage.before("DeliveriesRepository.again", meanwhile)
    hooked.take(second)
    hooked.handle()
    assert hooked.sent == [seq] * 2
    assert hooked.delivery(seq)["status"] == "delivered"


@scenario
def two_carry_a_replay_out_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.append(number=51)
    assert hooked.replay(1, hooked.head).status == 202
    replay = stage.messages.pop()

    def meanwhile() -> None:
        hooked.steps = 2
        hooked.take(replay)
        hooked.steps = _MOST_STEPS
        for message in [each for each in stage.messages if each["item"] != replay["item"]]:
            hooked.take(message)
        stage.messages[:] = [replay]

    stage.before("DeliveriesRepository.continue_replay", meanwhile)
    hooked.take(replay)
    hooked.handle()
    assert hooked.sent == sorted(set(hooked.sent))
    assert len(hooked.sent) == hooked.head
    assert not [name for _, name in stage.database.tables["WebhooksTable"].items if name.startswith("R#")]


@scenario
def what_is_due_is_gone_before_the_sweeper_puts_it_off(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.replay(1, 1)
    stage.time += 3600
    stage.before("DeliveriesRepository.remind", hooked.handle)
    stage.sweep()
    assert not [name for _, name in stage.database.tables["WebhooksTable"].items if name.startswith("R#")]


@scenario
def a_webhook_is_deleted_in_the_middle_of_an_attempt(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()
    hooked.answers = [500]
    hooked.meanwhile = [hooked.delete]
    hooked.take(stage.messages.pop(0))
    assert hooked.sent == [seq]
    assert hooked.webhook() == {}


@scenario
def a_webhook_is_deleted_in_the_middle_of_an_attempt_after_one_that_failed(stage: Stage) -> None:
    hooked = Hooked(stage)
    seq = hooked.event()
    hooked.answers = [500]
    hooked.meanwhile = [lambda: None, hooked.delete]
    hooked.handle()
    assert hooked.sent == [seq] * 2
    assert hooked.webhook() == {}


# ---------------------------------------------------------------------------------------- ordered webhooks
@scenario
def two_seize_a_webhook_at_once(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    stage.before("WebhooksRepository.seize", hooked.wake_and_cut_off)
    hooked.wake()
    assert hooked.sent == [seq]
    # When the lease is over, two are there again.
    stage.time += _AFTER_A_LEASE
    stage.before("WebhooksRepository.seize", hooked.wake_and_cut_off)
    hooked.wake()
    assert hooked.sent == [seq] * 2


def _gone(hooked: Hooked) -> None:
    """The receiver answers a test event that it wants no more."""
    hooked.answers.insert(0, 410)
    assert hooked.does(*_TEST).status == 202
    hooked.take(hooked.stage.messages.pop())


@scenario
def a_webhook_is_disabled_before_it_is_seized(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.event()
    stage.before("WebhooksRepository.seize", lambda: _gone(hooked))
    hooked.wake()
    assert hooked.state == "disabled"
    assert "busy_until" not in hooked.webhook()


@scenario
def a_webhook_is_set_back_before_it_advances(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    first, second = hooked.event(), hooked.event()
    hooked.handle()
    third = hooked.event()
    hooked.meanwhile = [lambda: hooked.replay(first, first)]
    hooked.wake()
    assert hooked.sent == [first, second, third] * 2


@scenario
def an_event_comes_before_a_webhook_rests(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    first = hooked.event()

    def meanwhile() -> None:
        hooked.event()
        stage.messages.clear()

    stage.before("WebhooksRepository.rest", meanwhile)
    hooked.wake()
    assert hooked.sent == [first, first + 1]


@scenario
def a_webhook_is_set_back_before_it_rests(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    first = hooked.event()
    stage.before("WebhooksRepository.rest", lambda: hooked.replay(first, first))
    hooked.wake()
    assert hooked.sent == [first] * 2


def _seized_by_another(hooked: Hooked) -> None:
    """The function at work takes longer than it may."""
    hooked.stage.time += _AFTER_A_LEASE
    hooked.wake_and_cut_off()


@scenario
def a_webhook_is_seized_by_another_before_it_waits(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    leases: list[str] = []

    def meanwhile() -> None:
        _seized_by_another(hooked)
        leases.append(hooked.webhook()["busy_until"])

    stage.before("WebhooksRepository.release", meanwhile)
    hooked.answers = [500]
    hooked.wake()
    assert hooked.sent == [seq] * 2
    assert leases == [hooked.webhook()["busy_until"]]


@scenario
def a_webhook_is_seized_by_another_before_it_is_suspended(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    seq = hooked.event()
    stage.before("WebhooksRepository.stop", lambda: _seized_by_another(hooked))
    hooked.answers = [410]
    hooked.wake()
    assert hooked.sent == [seq] * 2
    assert hooked.state == "active"


@scenario
def a_webhook_is_seized_before_it_is_disabled(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    hooked.event()
    stage.before("WebhooksRepository.stop", hooked.wake_and_cut_off)
    _gone(hooked)
    assert "busy_until" in hooked.webhook()


@scenario
def a_webhook_is_deleted_before_its_receiver_is_known_as_slow(stage: Stage) -> None:
    hooked = Hooked(stage)
    hooked.event()
    hooked.slow = True
    stage.before("WebhooksRepository.slow", hooked.delete)
    hooked.handle()
    assert hooked.webhook() == {}


@scenario
def a_webhook_is_disabled_twice_at_once(stage: Stage) -> None:
    hooked = Hooked(stage)
    stage.before("WebhooksRepository.stop", lambda: _gone(hooked))
    _gone(hooked)
    assert hooked.stopped == ["disabled"]


@scenario
def an_ordered_webhook_is_disabled_twice_at_once(stage: Stage) -> None:
    hooked = Hooked(stage, ordered=True)
    stage.before("WebhooksRepository.stop", lambda: _gone(hooked))
    _gone(hooked)
    assert hooked.stopped == ["disabled"]


class _CutOffError(Exception):
    """The function is gone."""


def _cut_off() -> None:
    raise _CutOffError

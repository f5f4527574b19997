"""Webhooks of rooms, how far the log of a room is dispatched to them, and what deliveries change of them."""

from contextlib import suppress
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tasksync.dynamodb.change_log import webhook_mark
from tasksync.dynamodb.core.connection import Transaction, single_write
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.webhooks.items import (
    STATE,
    WEBHOOK,
    StateItem,
    WebhookItem,
    WebhooksItem,
    shard,
    written,
)
from tasksync.model import times
from tasksync.model.errors import WriteConflict
from tasksync.model.webhooks import FAILURES_BEFORE_PAUSE, Subscriptions, Webhook, WebhookState


class WebhooksRepository:
    """Webhooks of rooms, for functions that act on their own."""

    def subscriptions(self, room_id: str) -> Subscriptions | None:
        """The webhooks of a room, oldest first; None if there are none. One consistent query."""
        dispatched: int | None = None
        webhooks = []
        for raw in raws(WebhooksItem.query(room_id, WebhooksItem.item.startswith(STATE), consistent_read=True)):
            if raw["item"]["S"] == STATE:
                dispatched = int(StateItem.from_raw_data(raw).dispatched)
            else:
                webhooks.append(WebhookItem.from_raw_data(raw).entity())
        if dispatched is None:
            return None
        return Subscriptions(dispatched, tuple(sorted(webhooks, key=lambda each: (each.created_at, each.id))))

    def find(self, room_id: str, webhook_id: str) -> Webhook | None:
        """Read consistently."""
        try:
            return WebhookItem.get(room_id, WEBHOOK + webhook_id, consistent_read=True).entity()
        except DoesNotExist:
            return None

    # ------------------------------------------------------------------------------------------ dispatch
    def want(self, webhook: Webhook, first: int, last: int, due_at: datetime) -> bool:
        """Let an ordered webhook, which wants less, get the entries from ``first`` up to ``last``. False if it is not
        to do anything about it now.

        One that has got all it wanted is done with what is before ``first``: it does not look for it in the log, which
        may not hold it any more.

        Raises ``WriteConflict`` if it wants them already, is gone, or was stopped, resumed or set back at this moment.
        """
        active, stopped = (
            WebhookItem.state == WebhookState.ACTIVE.value,
            WebhookItem.state != WebhookState.ACTIVE.value,
        )
        wanted: list[Action] = [WebhookItem.wanted.set(last)]
        behind: Condition = WebhookItem.wanted < last
        if webhook.cursor == webhook.wanted:
            wanted.append(WebhookItem.cursor.set(first - 1))
            behind = (WebhookItem.wanted == webhook.wanted) & (WebhookItem.cursor == webhook.cursor)
        due = [
            # Where a delivery waits or is in flight, it is due already.
            WebhookItem.due.set(WebhookItem.due | shard(webhook.id)),
            WebhookItem.next_at.set(WebhookItem.next_at | times.timestamp(due_at)),
        ]
        if _changed(webhook, [*wanted, *due], active & behind):
            return True
        if not _changed(webhook, wanted, stopped & behind):
            raise WriteConflict
        return False

    def dispatched(self, room_id: str, before: int, after: int) -> None:
        """The log is dispatched up to ``after``. Raises ``WriteConflict`` if it was not up to ``before``."""
        with single_write(WriteConflict):
            StateItem.at(room_id).update([StateItem.dispatched.set(after)], StateItem.dispatched == before)

    def looked_at(self, room_id: str, next_at: datetime) -> None:
        """The sweeper comes to this room again at this time. The mark on the head of its log is set again: a head that
        was restored from a backup may be without.
        """
        transaction = Transaction()
        later: Action = StateItem.next_at.set(times.timestamp(next_at))
        transaction.update(StateItem.at(room_id), [later], StateItem.room_id.exists(), WriteConflict)
        webhook_mark.mark(transaction, room_id)
        with suppress(WriteConflict):  # its last webhook was deleted
            transaction.commit()

    # ---------------------------------------------------------------------------------------- deliveries
    def seize(self, webhook: Webhook, busy_until: datetime) -> bool:
        """Let this invocation alone deliver to an ordered webhook, until a time. False if another does, or it waits."""
        return _changed(
            webhook,
            [WebhookItem.busy_until.set(times.timestamp(busy_until)), *due(webhook.id, busy_until)],
            _same_lease(webhook) & (WebhookItem.state == WebhookState.ACTIVE.value),
        )

    def advance(self, webhook: Webhook, cursor: int) -> bool:
        """An ordered webhook is done with the entries up to ``cursor``. False if it was set back."""
        return _changed(
            webhook,
            [WebhookItem.cursor.set(cursor), WebhookItem.failures.set(0)],
            WebhookItem.cursor == webhook.cursor,
        )

    def rest(self, webhook: Webhook) -> bool:
        """An ordered webhook has got all it wants. False if it wants more meanwhile, or was set back."""
        return _changed(
            webhook,
            [WebhookItem.busy_until.remove(), WebhookItem.due.remove(), WebhookItem.next_at.remove()],
            # Then nobody has anything to deliver, whoever has seized it.
            (WebhookItem.cursor == webhook.cursor) & (WebhookItem.wanted == webhook.wanted),
        )

    def release(self, webhook: Webhook, busy_until: datetime, next_at: datetime) -> None:
        """An ordered webhook waits until ``busy_until``; the sweeper sees to it from ``next_at`` on."""
        _changed(
            webhook,
            [WebhookItem.busy_until.set(times.timestamp(busy_until)), *due(webhook.id, next_at)],
            WebhookItem.busy_until == written(webhook.busy_until),
        )

    def stop(self, webhook: Webhook, state: WebhookState) -> bool:
        """Suspend or disable an active webhook. False if it is no longer active."""
        actions: list[Action] = [WebhookItem.state.set(state.value)]
        if webhook.ordered:
            actions += [WebhookItem.busy_until.remove(), WebhookItem.due.remove(), WebhookItem.next_at.remove()]
        condition = WebhookItem.state == WebhookState.ACTIVE.value
        return _changed(webhook, actions, condition & _same_lease(webhook) if webhook.ordered else condition)

    def failed(self, webhook: Webhook, error: str, at: datetime) -> None:
        """Count an attempt that failed."""
        _changed(
            webhook,
            [
                WebhookItem.failures.add(1),
                WebhookItem.last_error.set(error),
                WebhookItem.last_failed_at.set(times.timestamp(at)),
            ],
            WebhookItem.room_id.exists(),
        )

    def succeeded(self, webhook: Webhook) -> None:
        """An attempt succeeded after others had failed."""
        _changed(webhook, unfailed(), WebhookItem.room_id.exists())

    def slow(self, webhook: Webhook, until: datetime) -> None:
        """Its receiver counts as slow until a time."""
        _changed(webhook, [WebhookItem.slow_until.set(times.timestamp(until))], WebhookItem.room_id.exists())

    def pause(self, webhook: Webhook, until: datetime) -> bool:
        """Let this invocation alone make the attempt that is made between two pauses. False if another does."""
        pauses: list[Action] = [WebhookItem.paused_until.set(times.timestamp(until))]
        pauses.append(WebhookItem.pauses.set(webhook.pauses + 1))
        still_fails = WebhookItem.failures >= FAILURES_BEFORE_PAUSE
        return _changed(webhook, pauses, (WebhookItem.pauses == webhook.pauses) & still_fails)


def _changed(webhook: Webhook, actions: list[Action], condition: Condition) -> bool:
    try:
        with single_write(WriteConflict):
            WebhookItem.at(webhook.room_id, webhook.id).update(actions, condition)
    except WriteConflict:
        return False
    return True


def _same_lease(webhook: Webhook) -> Condition:
    if webhook.busy_until is None:
        condition: Condition = WebhookItem.busy_until.does_not_exist()
    else:
        condition = WebhookItem.busy_until == written(webhook.busy_until)
    return condition


def unfailed() -> list[Action]:
    """No attempt has failed lately, and none waits for the end of a pause."""
    return [WebhookItem.failures.set(0), WebhookItem.paused_until.remove(), WebhookItem.pauses.set(0)]


def due(subject: str, at: datetime) -> tuple[Action, Action]:
    return WebhooksItem.due.set(shard(subject)), WebhooksItem.next_at.set(times.timestamp(at))

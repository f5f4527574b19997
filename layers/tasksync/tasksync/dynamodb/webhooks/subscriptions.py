"""What admins of a room do with its webhooks.

A write takes place only if they still are admins: it checks their membership in its transaction.
"""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tasksync.dynamodb.change_log import webhook_mark
from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.rooms.memberships import require_membership
from tasksync.dynamodb.webhooks.items import (
    DeliveryItem,
    PurgeItem,
    ReplayItem,
    StateItem,
    WebhookItem,
    shard,
    written,
)
from tasksync.dynamodb.webhooks.repository import WebhooksRepository, due, unfailed
from tasksync.model import times
from tasksync.model.entities import Membership
from tasksync.model.errors import WriteConflict
from tasksync.model.webhooks import Delivery, Purge, Replay, Webhook, WebhookState


class SubscriptionsRepository(WebhooksRepository):
    """Webhooks of rooms, as their admins change them. What ``actor`` asks for raises ``WriteConflict`` if their
    membership is not what was read.
    """

    def create(self, actor: Membership, webhook: Webhook, others: int) -> None:
        """Raises ``WriteConflict`` if the room has not as many ``others`` any more."""
        transaction = Transaction()
        require_membership(transaction, actor)
        state = StateItem.at(webhook.room_id)
        if others == 0:
            state.dispatched, state.webhooks = webhook.since, 1
            state.due, state.next_at = shard(webhook.room_id), times.timestamp(webhook.created_at)
            transaction.put(state, StateItem.room_id.does_not_exist(), WriteConflict)
            webhook_mark.mark(transaction, webhook.room_id)
        else:
            transaction.update(state, [StateItem.webhooks.add(1)], StateItem.webhooks == others, WriteConflict)
        transaction.note(WebhookItem.of(webhook))
        transaction.commit()

    def change(self, actor: Membership, before: Webhook, after: Webhook) -> None:
        """Write what an admin changes: URL, events, the generation of the secret. A new URL ends a pause. Where the
        webhook does not wait any longer (``busy_until``), it is due."""
        chosen = after.events
        events = WebhookItem.events.remove() if chosen is None else WebhookItem.events.set([*map(str, chosen)])
        unchanged = _same_choices(before)
        actions: list[Action] = [
            WebhookItem.url.set(after.url),
            events,
            WebhookItem.generation.set(after.generation),
            _set(WebhookItem.overlaps_until, after.overlaps_until),
            WebhookItem.updated_at.set(times.timestamp(after.updated_at)),
        ]
        if after.events != before.events:
            actions.append(WebhookItem.rechosen.set(WebhookItem.wanted))
        if after.url != before.url:
            actions += unfailed()
        if after.busy_until != before.busy_until:
            actions += [WebhookItem.busy_until.remove(), *due(after.id, after.updated_at)]
            unchanged &= WebhookItem.busy_until == written(before.busy_until)
        transaction = Transaction()
        require_membership(transaction, actor)
        transaction.update(WebhookItem.at(before.room_id, before.id), actions, unchanged, WriteConflict)
        transaction.commit()

    def resume(self, actor: Membership, before: Webhook, after: Webhook) -> None:
        """Let a webhook get events again; also from an earlier entry on (``cursor``), where it is ordered, and without
        waiting any longer (``busy_until``)."""
        # What deliveries write, too, must be what was read.
        unchanged = (
            _same_choices(before) & (WebhookItem.state == before.state.value) & (WebhookItem.cursor == before.cursor)
        )
        actions: list[Action] = [
            WebhookItem.state.set(after.state.value),
            WebhookItem.cursor.set(after.cursor),
            *unfailed(),
            WebhookItem.updated_at.set(times.timestamp(after.updated_at)),
        ]
        if after.ordered and after.state is WebhookState.ACTIVE:
            actions += due(after.id, after.updated_at)
        if after.busy_until != before.busy_until:
            actions.append(WebhookItem.busy_until.remove())
            unchanged &= WebhookItem.busy_until == written(before.busy_until)
        transaction = Transaction()
        require_membership(transaction, actor)
        transaction.update(WebhookItem.at(before.room_id, before.id), actions, unchanged, WriteConflict)
        transaction.commit()

    def delete(self, actor: Membership, webhook: Webhook, others: int, purge: Purge, next_at: datetime) -> None:
        """Delete a webhook, and let its deliveries be deleted: the sweeper sees to that at ``next_at``, if no message
        comes.

        Raises ``WriteConflict`` if it is gone, or the room has not as many ``others`` any more.
        """
        transaction = Transaction()
        require_membership(transaction, actor)
        state, condition = StateItem.at(webhook.room_id), StateItem.webhooks == others + 1
        if others:
            transaction.update(state, [StateItem.webhooks.add(-1)], condition, WriteConflict)
        else:
            transaction.delete(state, condition, WriteConflict)
            webhook_mark.unmark(transaction, webhook.room_id)
        item = WebhookItem.at(webhook.room_id, webhook.id)
        transaction.delete(item, WebhookItem.room_id.exists(), WriteConflict)
        transaction.note(PurgeItem.of(purge, next_at))
        transaction.commit()

    def create_test(self, actor: Membership, delivery: Delivery) -> None:
        """The delivery of a test event."""
        transaction = Transaction()
        require_membership(transaction, actor)
        transaction.note(DeliveryItem.of(delivery))
        transaction.commit()

    def start_replay(self, actor: Membership, replay: Replay, at: datetime) -> None:
        """To be seen to by the sweeper at this time, if no message comes. A pause of the webhook ends.

        Raises ``WriteConflict`` if the webhook is gone, too.
        """
        item = ReplayItem.at(replay)
        item.next, item.last = replay.next, replay.last
        item.due, item.next_at = shard(replay.webhook_id), times.timestamp(at)
        transaction = Transaction()
        require_membership(transaction, actor)
        webhook = WebhookItem.at(replay.room_id, replay.webhook_id)
        transaction.update(webhook, unfailed(), WebhookItem.room_id.exists(), WriteConflict)
        transaction.note(item)
        transaction.commit()


def _same_choices(webhook: Webhook) -> Condition:
    """What admins have chosen is what was read."""
    condition: Condition = WebhookItem.updated_at == times.timestamp(webhook.updated_at)
    return condition


def _set(attribute: UnicodeAttribute, at: datetime | None) -> Action:
    action: Action = attribute.remove() if at is None else attribute.set(times.timestamp(at))
    return action

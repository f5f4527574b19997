"""Who may make and change webhooks: the admins of a room.

A webhook belongs to the room, and outlives the membership of who made it.
"""

import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.domain.webhooks.delivery import is_waiting
from tasksync.domain.webhooks.dispatch import DUE_AFTER
from tasksync.domain.webhooks.payload import test_payload
from tasksync.model import times
from tasksync.model.change_log import Head
from tasksync.model.entities import Caller, Membership, Page, RoomRole
from tasksync.model.errors import (
    DependencyFailed,
    FieldError,
    Invalid,
    RoleTooLow,
    RoomNotFound,
    TooManyWebhooks,
    WebhookNotFound,
)
from tasksync.model.webhooks import (
    MOST_REPLAYED,
    MOST_WEBHOOKS,
    SECRETS_OVERLAP,
    TEST,
    Delivery,
    DeliveryStatus,
    Purge,
    Replay,
    Subscriptions,
    Webhook,
    WebhookState,
    new_webhook_id,
)
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict


class Memberships(Protocol):
    """The part of the rooms repository that this service uses."""

    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/subscriptions.py`` that this service uses."""

    def subscriptions(self, room_id: str) -> Subscriptions | None: ...
    def find(self, room_id: str, webhook_id: str) -> Webhook | None: ...
    def create(self, actor: Membership, webhook: Webhook, others: int) -> None: ...
    def change(self, actor: Membership, before: Webhook, after: Webhook) -> None: ...
    def resume(self, actor: Membership, before: Webhook, after: Webhook) -> None: ...
    def delete(self, actor: Membership, webhook: Webhook, others: int, purge: Purge, next_at: datetime) -> None: ...
    def create_test(self, actor: Membership, delivery: Delivery) -> None: ...
    def start_replay(self, actor: Membership, replay: Replay, at: datetime) -> None: ...


class Deliveries(Protocol):
    """The part of ``dynamodb/webhooks/deliveries.py`` that this service uses."""

    def page(
        self, room_id: str, webhook_id: str, status: DeliveryStatus | None, limit: int, after: str | None
    ) -> Page[Delivery]: ...


class Log(Protocol):
    """The part of ``dynamodb/change_log/repository.py`` that this service uses."""

    def head(self, log_id: str) -> Head: ...


class Queue(Protocol):
    """The part of ``dynamodb/webhooks/queue.py`` that this service uses. What it cannot send, the sweeper sees to."""

    def deliver(self, deliveries: list[Delivery], delay_seconds: int = 0) -> None: ...
    def advance(self, room_id: str, webhook_id: str, delay_seconds: int = 0) -> None: ...
    def replay(self, replay: Replay) -> None: ...
    def purge(self, purge: Purge) -> None: ...


class WebhookService:
    """Webhooks of rooms. Every method raises ``RoomNotFound`` for others than members of the room, ``RoleTooLow`` for
    members who are not its admins, and ``WebhookNotFound``."""

    def __init__(
        self,
        memberships: Memberships,
        webhooks: Webhooks,
        deliveries: Deliveries,
        log: Log,
        queue: Queue,
        gather: Gather,
    ) -> None:
        """``gather`` runs two reads at the same time."""
        self._memberships = memberships
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._log = log
        self._queue = queue
        self._gather = gather

    @retry_on_conflict
    def create(
        self, caller: Caller, room_id: str, url: str, events: tuple[str, ...] | None, *, ordered: bool
    ) -> Webhook:
        """Subscribe a URL to the entries that follow. Raises ``TooManyWebhooks``."""
        (actor, known), head = self._gather(
            lambda: self._gather(
                lambda: self._membership(caller, room_id), lambda: self._webhooks.subscriptions(room_id)
            ),
            lambda: self._log.head(room_id),
        )
        actor = _require_admin(actor)
        others = () if known is None else known.webhooks
        if len(others) >= MOST_WEBHOOKS:
            raise TooManyWebhooks
        at = times.now()
        webhook = Webhook(
            room_id=room_id,
            id=new_webhook_id(room_id),
            url=url,
            events=_each_once(events),
            ordered=ordered,
            since=head.seq,
            created_by=caller.user_id,
            created_at=at,
            updated_at=at,
            cursor=head.seq,
            wanted=head.seq,
        )
        unit_of_work.respond_with(webhook)
        self._webhooks.create(actor, webhook, len(others))
        return webhook

    def list(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[Webhook]:
        """Oldest first."""
        actor, known = self._gather(
            lambda: self._membership(caller, room_id), lambda: self._webhooks.subscriptions(room_id)
        )
        _require_admin(actor)
        webhooks = (
            [] if known is None else [each for each in known.webhooks if after is None or _position(each) > after]
        )
        return Page(webhooks[:limit], _position(webhooks[limit - 1]) if len(webhooks) > limit else None)

    def get(self, caller: Caller, room_id: str, webhook_id: str) -> Webhook:
        return self._found(caller, room_id, webhook_id)[1]

    @retry_on_conflict
    def change(self, caller: Caller, room_id: str, webhook_id: str, edit: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace URL and events by what ``edit`` returns.

        A new URL ends a pause. An ordered webhook that waits for its next attempt goes on at once: the event may arrive
        now, or is not wanted any more.
        """
        actor, before = self._found(caller, room_id, webhook_id)
        edited = edit(before)
        after = replace(edited, events=_each_once(edited.events))
        if after == before:
            return after
        after = replace(after, updated_at=times.later_than(before.updated_at))
        if after.url != before.url:
            after = replace(after, failures=0, paused_until=None, pauses=0)
        waits = before.ordered and is_waiting(before.busy_until)
        if waits:
            after = replace(after, busy_until=None)
        unit_of_work.respond_with(after)
        self._webhooks.change(actor, before, after)
        if waits:
            _notify(lambda: self._queue.advance(room_id, webhook_id))
        return after

    @retry_on_conflict
    def renew_secret(self, caller: Caller, room_id: str, webhook_id: str) -> Webhook:
        """Sign with the next secret from now on, and with the present one for ``SECRETS_OVERLAP``.

        One before the present one ends at once, so renewing twice ends a secret that somebody has got to know.
        """
        actor, before = self._found(caller, room_id, webhook_id)
        at = times.later_than(before.updated_at)
        after = replace(before, generation=before.generation + 1, overlaps_until=at + SECRETS_OVERLAP, updated_at=at)
        unit_of_work.respond_with(after)
        self._webhooks.change(actor, before, after)
        return after

    @retry_on_conflict
    def delete(self, caller: Caller, room_id: str, webhook_id: str) -> Webhook:
        """Nothing is sent any more, and its deliveries are deleted. Returns the webhook that was there."""
        actor, known = self._gather(
            lambda: self._membership(caller, room_id), lambda: self._webhooks.subscriptions(room_id)
        )
        actor = _require_admin(actor)
        webhooks = () if known is None else known.webhooks
        webhook = next((each for each in webhooks if each.id == webhook_id), None)
        if webhook is None:
            raise WebhookNotFound
        at = times.now()
        purge = Purge(room_id, webhook_id, at)
        unit_of_work.respond_with(webhook)
        self._webhooks.delete(actor, webhook, len(webhooks) - 1, purge, at + DUE_AFTER)
        _notify(lambda: self._queue.purge(purge))
        return webhook

    @retry_on_conflict
    def resume(self, caller: Caller, room_id: str, webhook_id: str) -> Webhook:
        """Let a webhook that is suspended or disabled get events again; let one that pauses try again at once.

        An ordered one continues with the event at which it stopped. Any other gets those of later changes.
        """
        actor, before = self._found(caller, room_id, webhook_id)
        if before.state is WebhookState.ACTIVE and before.paused_until is None:
            return before
        at = times.later_than(before.updated_at)
        after = replace(before, state=WebhookState.ACTIVE, failures=0, paused_until=None, pauses=0, updated_at=at)
        unit_of_work.respond_with(after)
        self._webhooks.resume(actor, before, after)
        if after.ordered:
            _notify(lambda: self._queue.advance(room_id, webhook_id))
        return after

    @retry_on_conflict
    def test(self, caller: Caller, room_id: str, webhook_id: str) -> Delivery:
        """Send a test event, as any event is sent."""
        (actor, webhook), head = self._gather(
            lambda: self._found(caller, room_id, webhook_id), lambda: self._log.head(room_id)
        )
        at = times.now()
        delivery = Delivery(
            room_id=room_id,
            webhook_id=webhook.id,
            seq=head.seq,
            test=uuid.uuid4().hex,
            type=TEST,
            body=test_payload(room_id, webhook.id, at),
            created_at=at,
            next_at=at + DUE_AFTER,
        )
        unit_of_work.respond_with(delivery)
        self._webhooks.create_test(actor, delivery)
        _notify(lambda: self._queue.deliver([delivery]))
        return delivery

    @retry_on_conflict
    def replay(self, caller: Caller, room_id: str, webhook_id: str, first: int, last: int) -> tuple[int, int]:
        """Deliver the entries from ``first`` to ``last`` again, as far as the log holds them, and the webhook wants
        them; also what waits for its next attempt. An ordered webhook goes back to ``first``, and delivers everything
        from there on again.

        Returns the range. Raises ``Invalid``.
        """
        (actor, before), head = self._gather(
            lambda: self._found(caller, room_id, webhook_id), lambda: self._log.head(room_id)
        )
        _require_range(first, last, head.seq, ordered=before.ordered)
        at = times.later_than(before.updated_at)
        if before.ordered:
            back = min(before.cursor, first - 1)
            busy_until = None if is_waiting(before.busy_until) else before.busy_until
            after = replace(before, cursor=back, busy_until=busy_until, updated_at=at)
            unit_of_work.respond_with((first, last))
            self._webhooks.resume(actor, before, after)
            _notify(lambda: self._queue.advance(room_id, webhook_id))
        else:
            job = Replay(room_id, webhook_id, uuid.uuid4().hex, first, min(last, head.seq))
            unit_of_work.respond_with((first, last))
            self._webhooks.start_replay(actor, job, at + DUE_AFTER)
            _notify(lambda: self._queue.replay(job))
        return first, last

    def deliveries(
        self,
        caller: Caller,
        room_id: str,
        webhook_id: str,
        status: DeliveryStatus | None,
        limit: int,
        after: str | None,
    ) -> Page[Delivery]:
        """Newest entries first."""
        page, _ = self._gather(
            lambda: self._deliveries.page(room_id, webhook_id, status, limit, after),
            lambda: self._found(caller, room_id, webhook_id),
        )
        return page

    def _found(self, caller: Caller, room_id: str, webhook_id: str) -> tuple[Membership, Webhook]:
        """The caller's membership, which is that of an admin, and the webhook."""
        actor, webhook = self._gather(
            lambda: self._membership(caller, room_id), lambda: self._webhooks.find(room_id, webhook_id)
        )
        actor = _require_admin(actor)
        if webhook is None:
            raise WebhookNotFound
        return actor, webhook

    def _membership(self, caller: Caller, room_id: str) -> Membership | None:
        return self._memberships.members_among(room_id, [caller.user_id]).get(caller.user_id)


def _each_once(events: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """In the order given."""
    return None if events is None else tuple(dict.fromkeys(events))


def _position(webhook: Webhook) -> str:
    return f"{times.timestamp(webhook.created_at)}#{webhook.id}"


def _notify(send: Callable[[], None]) -> None:
    """Send a message about what is committed. The sweeper sees to what could not be sent."""
    with suppress(DependencyFailed):
        send()


def _require_admin(actor: Membership | None) -> Membership:
    if actor is None:
        raise RoomNotFound
    if actor.role is not RoomRole.ADMIN:
        detail = f"This needs the role admin in the room; your role is {actor.role}. Ask an admin of the room."
        raise RoleTooLow(detail, actor.role, RoomRole.ADMIN)
    return actor


def _require_range(first: int, last: int, head: int, *, ordered: bool) -> None:
    """Raises ``Invalid`` for a range that is none, or too long. What is beyond the log is no entry, and not counted."""
    if first > last:
        raise Invalid([FieldError("/to", "out_of_range", "Must be `from` or more.")])
    count = (head if ordered else min(last, head)) - first + 1
    if count <= MOST_REPLAYED:
        return
    detail = f"At most {MOST_REPLAYED:,} entries at once; these would be {count:,}"
    if ordered:
        error = FieldError("/from", "out_of_range", f"{detail}: an ordered webhook delivers all that follow, too.")
    else:
        error = FieldError("/to", "out_of_range", f"{detail}.")
    raise Invalid([error])

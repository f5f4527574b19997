"""Routes of webhooks."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

from tasksync.aws.secret_values import secret
from tasksync.domain.webhooks.subscriptions import WebhookService
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.memberships import MembershipsRepository
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.queue import DeliveryQueue
from tasksync.dynamodb.webhooks.subscriptions import SubscriptionsRepository
from tasksync.http.app import Api
from tasksync.http.pagination.lists import listing
from tasksync.http.pipeline import Idempotency, RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok, uncompressed
from tasksync.http.schemas.fields import EmptyBody, Paging
from tasksync.http.schemas.responses import Listing
from tasksync.http.security_log import note, noting_refusals
from tasksync.model.errors import FieldError, Invalid, RoleTooLow, TooManyWebhooks
from tasksync.model.webhooks import Webhook
from tasksync.runtime.settings import settings
from tasksync.security.webhook_addresses import Refused, target_of
from tasksync.security.webhook_secrets import secret_of
from webhooks_api import response_schemas as shown
from webhooks_api.request_schemas import DeliveryQuery, NewWebhook, ReplayRange, WebhookChange
from webhooks_api.response_schemas import Replayed, ShownDelivery, ShownWebhook, WebhookWithSecret

api = Api("webhooks", Idempotency(IdempotencyRepository()), RateLimits(RateLimitsRepository(), settings))
app = api.chalice

_webhooks = WebhookService(
    MembershipsRepository(),
    SubscriptionsRepository(),
    DeliveriesRepository(),
    ChangeLogRepository(),
    DeliveryQueue(),
    gather_pair,
)

_GENERATION = "generation"


def _with_secret(stored: Response) -> Response:
    """A replayed response with the secret, which is derived again: it is stored nowhere."""
    body = dict(cast("Mapping[str, Any]", stored.body))
    body["secret"] = _secret(body["id"], body.pop(_GENERATION))
    return replace(stored, body=body)


@api.route(
    "POST",
    "/rooms/{room_id}/webhooks",
    body=NewWebhook,
    status=201,
    response=WebhookWithSecret,
    raises=(RoleTooLow, TooManyWebhooks),
    restored=_with_secret,
)
def create_webhook(request: Request, room_id: str, body: NewWebhook) -> Response:
    """Send the events of a room to a URL, as one of its admins.

    Each entry of the room's change log from now on is sent as an event, signed as Standard Webhooks 1.0.0 says. The
    secret is shown in this response alone. A room has at most 10 webhooks. A webhook belongs to the room: it stays when
    its creator leaves.
    """
    _require_allowed(body.url)
    secret(settings.webhook_secret)  # before any write: if it cannot be read, nothing must be half done
    caller = request.caller
    change = _Change(lambda: _webhooks.create(caller, room_id, body.url, body.events, ordered=body.ordered))
    with _noting_refusals(request, room_id):
        response = request.carry_out(
            change,
            lambda made: _created(made, {"secret": _secret(made.id, made.generation)}),
            stored=lambda made: _created(made, {_GENERATION: made.generation}),
        )
    note(request, "webhook_created", caller.user_id, **change.names())
    return response


@api.route("GET", "/rooms/{room_id}/webhooks", query=Paging, response=Listing[ShownWebhook], raises=(RoleTooLow,))
def list_webhooks(request: Request, room_id: str, query: Paging) -> Response:
    """List the webhooks of a room, as one of its admins.

    They come oldest first. No response but the first shows the secret of a webhook.
    """
    caller = request.caller
    return listing(request, query, lambda limit, after: _webhooks.list(caller, room_id, limit, after), shown.webhook)


@api.route("GET", "/rooms/{room_id}/webhooks/{webhook_id}", response=ShownWebhook, raises=(RoleTooLow,))
def get_webhook(request: Request, room_id: str, webhook_id: str) -> Response:
    """Get a webhook, as an admin of the room.

    It says whether the webhook gets events, and how the last attempt failed that did. No response but the first shows
    the secret.
    """
    return ok(shown.webhook(_webhooks.get(request.caller, room_id, webhook_id)))


@api.route(
    "PATCH",
    "/rooms/{room_id}/webhooks/{webhook_id}",
    body=WebhookChange,
    response=ShownWebhook,
    raises=(RoleTooLow,),
)
def change_webhook(request: Request, room_id: str, webhook_id: str, body: WebhookChange) -> Response:
    """Change the URL or the types of events of a webhook, as an admin of the room.

    It holds for attempts that begin later, also at events of before. A new URL ends a pause. An ordered webhook makes
    its next attempt at once, or goes on with the next event of a type that is chosen.
    """
    if isinstance(body.url, str):
        _require_allowed(body.url)

    before: list[Webhook] = []

    def applied(webhook: Webhook) -> Webhook:
        before[:] = [webhook]
        return request.merged(shown.webhook(webhook), lambda: body.applied(webhook))

    change = _Change(lambda: _webhooks.change(request.caller, room_id, webhook_id, applied))
    with _noting_refusals(request, room_id):
        response = request.carry_out(change, _shown)
    fields = [name for name in ("url", "events") if getattr(change.webhook, name) != getattr(before[0], name)]
    if fields:
        note(request, "webhook_changed", request.caller.user_id, **change.names(), fields=fields)
    return response


@api.route("DELETE", "/rooms/{room_id}/webhooks/{webhook_id}", raises=(RoleTooLow,))
def delete_webhook(request: Request, room_id: str, webhook_id: str) -> Response:
    """Delete a webhook, as an admin of the room. Nothing is sent to it any more, and its deliveries are deleted."""
    change = _Change(lambda: _webhooks.delete(request.caller, room_id, webhook_id))
    with _noting_refusals(request, room_id):
        response = request.carry_out(change, lambda _: no_content())
    note(request, "webhook_deleted", request.caller.user_id, **change.names())
    return response


@api.route(
    "POST",
    "/rooms/{room_id}/webhooks/{webhook_id}/secret",
    body=EmptyBody,
    response=WebhookWithSecret,
    raises=(RoleTooLow,),
    restored=_with_secret,
)
def renew_secret(request: Request, room_id: str, webhook_id: str, body: EmptyBody) -> Response:
    """Give a webhook its next secret, as an admin of the room.

    For 24 hours, the present secret signs, too. A secret before that ends at once: renew twice to end a secret that
    somebody else knows.
    """
    secret(settings.webhook_secret)
    change = _Change(lambda: _webhooks.renew_secret(request.caller, room_id, webhook_id))
    with _noting_refusals(request, room_id):
        response = request.carry_out(
            change,
            lambda found: uncompressed(ok({**shown.webhook(found), "secret": _secret(found.id, found.generation)})),
            stored=lambda found: uncompressed(ok({**shown.webhook(found), _GENERATION: found.generation})),
        )
    note(request, "webhook_secret_renewed", request.caller.user_id, **change.names())
    return response


@api.route(
    "POST",
    "/rooms/{room_id}/webhooks/{webhook_id}/resume",
    body=EmptyBody,
    response=ShownWebhook,
    raises=(RoleTooLow,),
)
def resume_webhook(request: Request, room_id: str, webhook_id: str, body: EmptyBody) -> Response:
    """Let a webhook that is suspended or disabled get events again, as an admin of the room.

    An ordered webhook continues with the event at which it stopped. Any other gets events of later changes; those of
    before can be replayed. One that pauses after failures makes its next attempt at once.
    """
    return request.carry_out(lambda: _webhooks.resume(request.caller, room_id, webhook_id), _shown)


@api.route(
    "POST",
    "/rooms/{room_id}/webhooks/{webhook_id}/test",
    body=EmptyBody,
    status=202,
    response=ShownDelivery,
    raises=(RoleTooLow,),
)
def send_test(request: Request, room_id: str, webhook_id: str, body: EmptyBody) -> Response:
    """Send a test event of type `webhook.test`, as an admin of the room.

    It is sent as any event is, outside of the order of an ordered webhook. The list of deliveries shows what came of
    it. It fails if the webhook is suspended or disabled: resume the webhook first.
    """
    return request.carry_out(
        lambda: _webhooks.test(request.caller, room_id, webhook_id),
        lambda made: Response(202, shown.delivery(made)),
    )


@api.route(
    "POST",
    "/rooms/{room_id}/webhooks/{webhook_id}/replay",
    body=ReplayRange,
    status=202,
    response=Replayed,
    raises=(RoleTooLow,),
)
def replay(request: Request, room_id: str, webhook_id: str, body: Any) -> Response:
    """Deliver entries of the log again, at most 1,000 at once, as an admin of the room.

    It serves a receiver that has lost events, and events whose delivery has failed or waits for its next attempt. An
    event keeps its `webhook-id`. An ordered webhook goes back to `from`, and delivers everything from there on again.
    An event of type `log.expired` stands for entries that the log does not hold any more.
    """
    return request.carry_out(
        lambda: _webhooks.replay(request.caller, room_id, webhook_id, getattr(body, "from"), body.to),
        lambda found: Response(202, shown.replayed(*found)),
    )


@api.route(
    "GET",
    "/rooms/{room_id}/webhooks/{webhook_id}/deliveries",
    query=DeliveryQuery,
    response=Listing[ShownDelivery],
    raises=(RoleTooLow,),
)
def list_deliveries(request: Request, room_id: str, webhook_id: str, query: DeliveryQuery) -> Response:
    """List the deliveries of a webhook, as an admin of the room.

    They come by entry, newest first, and are kept for 30 days. A page may have fewer than `limit`, or none, although
    there is a next one.
    """
    caller = request.caller
    return listing(
        request,
        query,
        lambda limit, after: _webhooks.deliveries(caller, room_id, webhook_id, query.status, limit, after),
        shown.delivery,
    )


class _Change:
    """A change of a webhook, and what the security log says of the webhook: never its path and query, which may hold
    secrets of the receiver."""

    def __init__(self, carry_out: Callable[[], Webhook]) -> None:
        self._carry_out = carry_out
        self.webhook: Webhook
        """Once it is carried out; of a deletion, what was there."""

    def __call__(self) -> Webhook:
        self.webhook = self._carry_out()
        return self.webhook

    def names(self) -> dict[str, str | None]:
        webhook = self.webhook
        return {"room_id": webhook.room_id, "webhook_id": webhook.id, "host": urlsplit(webhook.url).hostname}


def _noting_refusals(request: Request, room_id: str) -> AbstractContextManager[None]:
    return noting_refusals(request, "webhook_refused", request.caller.user_id, room_id=room_id)


def _require_allowed(url: str) -> None:
    """Raises ``Invalid`` for a URL that webhooks are never sent to. What its name resolves to is checked when they are
    sent."""
    try:
        target_of(url, loopback=settings.webhooks_to_loopback)
    except Refused as refused:
        raise Invalid([FieldError("/url", "url_not_allowed", str(refused))]) from refused


def _secret(webhook_id: str, generation: int) -> str:
    return secret_of(secret(settings.webhook_secret), webhook_id, generation)


def _created(made: Webhook, further: Mapping[str, Any]) -> Response:
    path = f"/rooms/{made.room_id}/webhooks/{made.id}"
    return uncompressed(created({**shown.webhook(made), **further}, path))


def _shown(found: Webhook) -> Response:
    return ok(shown.webhook(found))

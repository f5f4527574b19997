"""Responses about webhooks."""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import CreatedAt, Creator, RoomId, Timestamp, UpdatedAt
from tasksync.model import times
from tasksync.model.webhooks import Attempt, Delivery, DeliveryStatus, Webhook, WebhookState

_WebhookId = Annotated[
    str, Meta(description="The id of the webhook.", examples=["whk_6c9d3e1f2a9b4c5d6e7f8091a2b3c4d5"])
]
_Seq = Annotated[int, Meta(description="The position of the entry in the change log of the room.", examples=[812])]


class ShownWebhook(TypedDict):
    """A webhook of a room, as its admins see it."""

    id: _WebhookId
    room_id: RoomId
    url: Annotated[str, Meta(description="Where events are sent to.", examples=["https://hooks.example.org/tasksync"])]
    events: Annotated[
        list[str] | None, Meta(description="The types of events that are sent; `null`: all.", examples=[None])
    ]
    ordered: Annotated[bool, Meta(description="Whether each event waits until the one before it is delivered.")]
    state: Annotated[WebhookState, Meta(description="Whether it gets events.")]
    failures: Annotated[
        int, Meta(ge=0, description="Attempts that failed since the last one that succeeded.", examples=[0])
    ]
    last_error: Annotated[
        str | None, Meta(description="Why the last attempt failed that did.", examples=["status_500"])
    ]
    last_failed_at: Annotated[Timestamp | None, Meta(description="When that was.")]
    paused_until: Annotated[
        Timestamp | None,
        Meta(
            description=(
                "After five failures in a row: when the next attempt may begin. One is made after each pause, until "
                "one succeeds. Null for ordered webhooks."
            )
        ),
    ]
    previous_secret_until: Annotated[
        Timestamp | None, Meta(description="Until when the secret before the present one signs, too.")
    ]
    created_by: Creator
    created_at: CreatedAt
    updated_at: UpdatedAt


class WebhookWithSecret(ShownWebhook):
    """A webhook with its secret, which is shown once."""

    secret: Annotated[
        str,
        Meta(
            description="The secret by which receivers verify signatures. No other response shows it.",
            examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw3m0vQ1o8E0k="],
        ),
    ]


class ShownAttempt(TypedDict):
    """One attempt to deliver an event."""

    at: Annotated[Timestamp, Meta(description="When it began.")]
    milliseconds: Annotated[int, Meta(ge=0, description="How long it took.", examples=[84])]
    status: Annotated[int | None, Meta(description="The status of the response; null: there was none.", examples=[200])]
    error: Annotated[
        str | None,
        Meta(
            description=(
                "Why it failed: `status_…`, `redirect`, `timeout`, `unknown_host`, `address_not_allowed`, "
                "`url_not_allowed`, `connection_refused`, `connection_broken`, `tls_failed`, `entry_expired`, "
                "`event_not_chosen`, `broken_off`, `receiver_fails`, `webhook_suspended`, `webhook_disabled`, "
                "`webhook_deleted`. Null: it succeeded."
            ),
            examples=[None],
        ),
    ]
    response: Annotated[
        str | None, Meta(description="The first KB of the response's body; null: there was none.", examples=["ok"])
    ]


class ShownDelivery(TypedDict):
    """The delivery of one event to one webhook."""

    id: Annotated[
        str,
        Meta(
            description="The `webhook-id` header, the same at each attempt.",
            examples=["msg_0f4c1d2e3b5a69788796a5b4c3d2e1f0"],
        ),
    ]
    seq: Annotated[
        int,
        Meta(
            description=(
                "The position of the entry in the change log of the room; of a test event, that of the last entry "
                "before it."
            ),
            examples=[812],
        ),
    ]
    type: Annotated[
        str,
        Meta(
            description=(
                "The type of the event. `webhook.test`: a test event. `log.expired`: stands for entries from `seq` on "
                "that the log does not hold any more; the payload says up to which."
            ),
            examples=["task.created"],
        ),
    ]
    status: Annotated[DeliveryStatus, Meta(description="How far the delivery is.")]
    created_at: CreatedAt
    next_attempt_at: Annotated[
        Timestamp | None,
        Meta(description="When the next attempt is due, or the one that is being made will be given up; null: none."),
    ]
    attempts: Annotated[list[ShownAttempt], Meta(description="The latest 20 attempts, oldest first.")]
    payload: NotRequired[
        Annotated[str, Meta(description="The body that is sent. Absent until the first attempt begins.")]
    ]


Replayed = TypedDict("Replayed", {"from": _Seq, "to": _Seq})
Replayed.__doc__ = "The entries that are delivered again, as far as the log holds them and the webhook wants them."


def webhook(found: Webhook) -> ShownWebhook:
    return {
        "id": found.id,
        "room_id": found.room_id,
        "url": found.url,
        "events": None if found.events is None else [*found.events],
        "ordered": found.ordered,
        "state": found.state,
        "failures": found.failures,
        "last_error": found.last_error,
        "paused_until": None if found.paused_until is None else times.timestamp(found.paused_until),
        "last_failed_at": None if found.last_failed_at is None else times.timestamp(found.last_failed_at),
        "previous_secret_until": None if found.overlaps_until is None else times.timestamp(found.overlaps_until),
        "created_by": found.created_by,
        "created_at": times.timestamp(found.created_at),
        "updated_at": times.timestamp(found.updated_at),
    }


def delivery(found: Delivery) -> ShownDelivery:
    shown: ShownDelivery = {
        "id": found.id,
        "seq": found.seq,
        "type": found.type,
        "status": found.status,
        "created_at": times.timestamp(found.created_at),
        "next_attempt_at": None if found.next_at is None else times.timestamp(found.next_at),
        "attempts": [_attempt(each) for each in found.attempts],
    }
    if found.body is not None:
        shown["payload"] = found.body
    return shown


def replayed(first: int, last: int) -> dict[str, Any]:
    return {"from": first, "to": last}


def _attempt(found: Attempt) -> ShownAttempt:
    return {
        "at": times.timestamp(found.at),
        "milliseconds": found.milliseconds,
        "status": found.status,
        "error": found.error,
        "response": found.response,
    }

"""Request schemas of webhooks."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import Paging
from tasksync.model.webhooks import MOST_REPLAYED, DeliveryStatus, EventType, Webhook

_URL = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern=r"\A[\x21-\x7e]*\Z",
        description=(
            "Where events are sent to: https, on port 443 or one from 1024 on, to a host that everybody on the "
            "Internet can reach, without a user name or a fragment."
        ),
        examples=["https://hooks.example.org/tasksync"],
        extra={"hint": "Must be a URL in printable ASCII, such as https://hooks.example.org/tasksync."},
    ),
]
_EVENTS = Annotated[
    tuple[EventType, ...],
    Meta(
        min_length=1,
        max_length=len(EventType),
        description=(
            "The types of events to send; `null`: all. With any type of a resource, its `refetch` is sent, too: it "
            "stands for changes that are not in the log."
        ),
    ),
]
_SEQ = Meta(ge=1, le=999_999_999_999)


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A new webhook. Only its URL is required."""

    url: _URL
    events: _EVENTS | None = None
    ordered: Annotated[
        bool,
        Meta(
            description=(
                "Whether each event waits until the one before it is delivered. One that cannot be delivered then "
                "suspends the webhook. It cannot be changed."
            )
        ),
    ] = False


class WebhookChange(Change, frozen=True, kw_only=True):
    """A change of a webhook. An absent field stays unchanged. `null`: all events are sent."""

    url: _URL | UnsetType = UNSET
    events: _EVENTS | UnsetType | None = UNSET

    def applied(self, webhook: Webhook) -> Webhook:
        return msgspec.structs.replace(webhook, **self.given(webhook))


class DeliveryQuery(Paging, frozen=True, kw_only=True):
    """The page of a ledger, and which deliveries are in it."""

    status: Annotated[DeliveryStatus | None, Meta(description="Only deliveries of this status.")] = None


# ``from`` is no name that a class can have in Python.
ReplayRange: Any = msgspec.defstruct(
    "ReplayRange",
    [
        ("from", Annotated[int, _SEQ, Meta(description="The `seq` of the first entry.", examples=[812])]),
        (
            "to",
            Annotated[
                int,
                _SEQ,
                Meta(
                    description=f"The `seq` of the last entry: at most {MOST_REPLAYED:,} at once.",
                    examples=[840],
                ),
            ],
        ),
    ],
    frozen=True,
    kw_only=True,
    module=__name__,
    namespace={"__doc__": "Which entries of the room's log to deliver again."},
)

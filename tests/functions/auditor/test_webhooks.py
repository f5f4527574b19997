"""Webhooks that are miscounted, unmarked, left over or seen to by nobody are found by the auditor (I18)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tasksync.dynamodb.change_log.decoder import HAS_WEBHOOKS
from tasksync.integrity.checks import Invariant
from tasksync.model import times
from tests.functions.auditor.test_change_logs import audit, faults
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver
from tests.support.product import Product
from tests.support.tables import change, forget, put

Json = dict[str, Any]


@pytest.fixture
def hooked(product: Product) -> HookedRoom:
    """A room with an ordered webhook, one that is not, and an event that nobody has delivered yet."""
    receiver = Receiver()
    receiver.port = 8443  # nothing is sent there
    hooked = HookedRoom(product, receiver, ordered=True)
    assert hooked.ann.post(hooked.path, json={"url": receiver.url}).status == 201
    hooked.plan("first")
    return hooked


def changed(hooked: HookedRoom, table: str, item: str, **values: Any) -> None:
    """``None``: without this attribute."""
    key = {("owner_id" if table == "LogTable" else "room_id"): hooked.id, "item": item}
    for name, value in values.items():
        if value is None:
            forget(hooked.product.aws, table, key, name)
        else:
            change(hooked.product.aws, table, key, **{name: value})


def delivery(hooked: HookedRoom) -> str:
    return next(str(each["item"]) for each in hooked.product.items("WebhooksTable") if each["item"].startswith("D#"))


def forget_the_room(hooked: HookedRoom) -> None:
    hooked.product.aws.dynamodb.delete_item(
        TableName="RoomsTable", Key={"room_id": {"S": hooked.id}, "item": {"S": "ROOM"}}
    )


def mark_without_webhooks(hooked: HookedRoom) -> None:
    for webhook in hooked.ann.list(hooked.path):
        assert hooked.ann.delete(f"{hooked.path}/{webhook['id']}").status == 204
    changed(hooked, "LogTable", "head", webhooks=HAS_WEBHOOKS)


def pass_a_pending_delivery(hooked: HookedRoom) -> None:
    """The ordered webhook is beyond an event that stands as pending."""
    (item,) = [each for each in hooked.product.items("WebhooksTable") if each["item"] == delivery(hooked)]
    put(hooked.product.aws, "WebhooksTable", **_as_ordered(hooked, item))
    changed(hooked, "WebhooksTable", f"H#{hooked.webhook['id']}", cursor=2)


def _as_ordered(hooked: HookedRoom, item: Json) -> Json:
    webhook_id = hooked.webhook["id"]
    kept = {name: value for name, value in item.items() if name not in {"due", "next_at"}}
    return {**kept, "item": f"D#{webhook_id}#000000000002", "webhook_id": webhook_id}


def test_webhooks_of_the_product_are_as_they_must_be(hooked: HookedRoom) -> None:
    finding = audit(hooked.product, Invariant.WEBHOOKS, timedelta(hours=1))

    # The webhooks of the room, the mark; and what is due: the state, both webhooks and the delivery.
    assert (finding.violations, finding.checked) == (0, 6)


@pytest.mark.parametrize(
    ("break_it", "item", "fault"),
    [
        (
            lambda hooked: changed(hooked, "WebhooksTable", "H", webhooks=3),
            lambda hooked: hooked.id,
            "has webhooks 3, and 2 counted",
        ),
        (
            lambda hooked: changed(hooked, "LogTable", "head", webhooks=None),
            lambda hooked: hooked.id,
            "has webhooks, and its log is not marked",
        ),
        (mark_without_webhooks, lambda hooked: f"log of {hooked.id}", "is marked, and its room has no webhooks"),
        (forget_the_room, lambda hooked: hooked.id, "is no room, and has webhooks"),
        (
            lambda hooked: changed(hooked, "WebhooksTable", delivery(hooked), due=None, next_at=None),
            lambda hooked: f"{delivery(hooked)} of {hooked.id}",
            "is pending, and the sweeper does not see to it",
        ),
        (
            lambda hooked: changed(hooked, "WebhooksTable", f"H#{hooked.webhook['id']}", due=None, next_at=None),
            lambda hooked: f"H#{hooked.webhook['id']} of {hooked.id}",
            "is pending, and the sweeper does not see to it",
        ),
        (
            pass_a_pending_delivery,
            lambda hooked: f"D#{hooked.webhook['id']}#000000000002 of {hooked.id}",
            "is pending, and the sweeper does not see to it",
        ),
        (
            lambda hooked: changed(hooked, "WebhooksTable", "H", due=None),
            lambda hooked: f"H of {hooked.id}",
            "is pending, and the sweeper does not see to it",
        ),
    ],
    ids=["count", "no mark", "a mark", "no room", "delivery", "ordered webhook", "passed delivery", "state"],
)
def test_what_is_wrong_is_reported(
    hooked: HookedRoom,
    break_it: Callable[[HookedRoom], None],
    item: Callable[[HookedRoom], str],
    fault: str,
) -> None:
    break_it(hooked)

    assert (item(hooked), fault) in faults(audit(hooked.product, Invariant.WEBHOOKS, timedelta(hours=1)))


def test_what_the_sweeper_should_have_seen_to_is_reported(hooked: HookedRoom) -> None:
    at = times.now() - timedelta(minutes=21)
    changed(hooked, "WebhooksTable", delivery(hooked), next_at=times.timestamp(at))
    name = f"{delivery(hooked)} of {hooked.id}"

    found = audit(hooked.product, Invariant.WEBHOOKS, timedelta(minutes=20))
    assert faults(found) == {(name, f"is due since {times.parse(times.timestamp(at))}")}
    assert audit(hooked.product, Invariant.WEBHOOKS, timedelta(minutes=22)).violations == 0


def test_an_item_that_is_none_of_webhooks_is_reported(hooked: HookedRoom) -> None:
    put(hooked.product.aws, "WebhooksTable", room_id=hooked.id, item="X#1")

    assert {item for item, _ in faults(audit(hooked.product, Invariant.READABLE))} == {
        f"item {hooked.id} X#1 in WebhooksTable"
    }

"""Who sets a webhook up, changes or deletes it, or renews its secret stands in the security log, without its URL."""

from typing import Any

import pytest

from tests.functions.auth.test_security_log import security
from tests.support.client import Person
from tests.support.product import Product

URL = "https://hooks.example.org:8443/token-in-the-path?key=token-in-the-query"
OTHER = "https://Other.example.org/token-in-the-path"


@pytest.fixture
def ann(product: Product) -> Person:
    product.aws.stack.parameters["LogLevel"] = "INFO"
    return product.register("ann")


def test_each_change_of_a_webhook_names_who_made_it_and_the_host(
    ann: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    room = ann.open_room()
    path = f"/rooms/{room['id']}/webhooks"
    capsys.readouterr()
    responses = [ann.post(path, json={"url": URL}, headers={"Idempotency-Key": "k"})]
    webhook = responses[0].json()
    own = f"{path}/{webhook['id']}"
    # A response that is stored already, and a change of nothing, are no changes.
    assert ann.post(path, json={"url": URL}, headers={"Idempotency-Key": "k"}).status == 201
    assert ann.patch(own, json={"url": URL}).status == 200
    assert ann.patch(own, json={"events": None}).status == 200
    responses += [
        ann.patch(own, json={"url": OTHER, "events": ["task.created"]}),
        ann.patch(own, json={"events": None}),
        ann.post(f"{own}/secret"),
        ann.delete(own),
    ]

    lines = security(capsys)

    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("webhook_created", "hooks.example.org", {}),
        ("webhook_changed", "other.example.org", {"fields": ["url", "events"]}),
        ("webhook_changed", "other.example.org", {"fields": ["events"]}),
        ("webhook_secret_renewed", "other.example.org", {}),
        ("webhook_deleted", "other.example.org", {}),
    ]
    for line in lines:
        assert line.pop("ip")
        assert line.pop("session_id") == ann.refresh_token.partition(".")[0]
    assert lines == [
        {
            "level": "INFO",
            "event": "security",
            "kind": kind,
            "request_id": response.headers["X-Request-Id"],
            "user_id": ann.id,
            "actor_id": ann.id,
            "room_id": room["id"],
            "webhook_id": webhook["id"],
            "host": host,
            **more,
        }
        for (kind, host, more), response in zip(changes, responses, strict=True)
    ]
    assert "token" not in repr(lines)
    assert webhook["secret"] not in repr(lines)


def test_a_refusal_names_who_tried(product: Product, ann: Person, capsys: pytest.CaptureFixture[str]) -> None:
    bob = product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/webhooks"
    own = f"{path}/{ann.post(path, json={'url': URL}).json()['id']}"
    capsys.readouterr()

    for response in (
        bob.post(path, json={"url": URL}),
        bob.patch(own, json={"url": OTHER}),
        bob.post(f"{own}/secret"),
        bob.delete(own),
    ):
        assert response.status == 403

    lines = security(capsys)
    assert [(each["kind"], each["level"], each["user_id"], each["room_id"], each["reason"]) for each in lines] == [
        ("webhook_refused", "WARNING", bob.id, room["id"], "role_too_low")
    ] * 4

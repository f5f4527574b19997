"""Webhooks of a room: who makes them, what they show, and what never leaves."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasksync.security.webhook_secrets import hkdf
from tests.support import tables
from tests.support.problems import problem
from tests.support.product import Product

URL = {"url": "https://hooks.example.org/tasksync"}


def test_the_secret_is_shown_once_and_stored_nowhere(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"

    made = ann.post(path, json=URL, headers={"Idempotency-Key": "k"})
    secret = made.json()["secret"]

    assert made.status == 201
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    own = f"{path}/{made.json()['id']}"
    assert made.headers["location"].endswith(own)
    shown = made.json()
    del shown["secret"]
    assert ann.get(own).json() == shown
    assert ann.get(path).json() == {"items": [shown], "next_cursor": None}
    tables = product.aws.stack.of_type("AWS::DynamoDB::Table")
    assert secret.removeprefix("whsec_") not in repr([product.items(table) for table in tables])
    assert "webhooks" not in ann.get("/users/me/export").text
    # The response to the same request is the same, with the secret derived again.
    again = ann.post(path, json=URL, headers={"Idempotency-Key": "k"})
    assert (again.json(), again.headers["idempotency-replayed"]) == (made.json(), "true")


def test_each_renewed_secret_is_another(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"
    webhooks = [ann.post(path, json=URL).json() for _ in range(2)]
    renewed = [ann.post(f"{path}/{webhooks[0]['id']}/secret", headers={"Idempotency-Key": "k"}) for _ in range(2)]

    secrets = [*(each["secret"] for each in webhooks), renewed[0].json()["secret"]]
    assert len(set(secrets)) == 3
    assert renewed[0].json() == renewed[1].json()
    assert renewed[0].json()["previous_secret_until"] is not None


def test_a_room_has_ten_webhooks_at_most_however_they_are_made(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(each.status for each in threads.map(lambda _: ann.post(path, json=URL), range(12)))

    assert statuses == [201] * 10 + [409] * 2
    problem(ann.post(path, json=URL), 409, "too_many_webhooks")
    listed = ann.list(path, limit=3)
    assert len({each["id"] for each in listed}) == 10
    first = listed[0]["id"]
    assert ann.delete(f"{path}/{first}").status == 204
    assert ann.delete(f"{path}/{first}").status == 404
    assert ann.post(path, json=URL).status == 201


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "https://169.254.169.254/", "https://user@example.org/", "https://example.org:22/", "x"],
)
def test_a_url_that_webhooks_are_not_sent_to_is_refused(product: Product, url: str) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"
    own = f"{path}/{ann.post(path, json=URL).json()['id']}"

    for response in (ann.post(path, json={"url": url}), ann.patch(own, json={"url": url})):
        assert response.status == 422
        assert [(each["pointer"], each["code"]) for each in response.json()["errors"]] == [("/url", "url_not_allowed")]


@pytest.mark.parametrize(
    ("parameter", "runtime"), [("false", {}), ("true", {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"})]
)
def test_on_aws_no_webhook_is_sent_to_the_machine_itself(
    product: Product, monkeypatch: pytest.MonkeyPatch, parameter: str, runtime: dict[str, str]
) -> None:
    for name, value in runtime.items():
        monkeypatch.setenv(name, value)
    product.aws.deploy(WebhooksToLoopback=parameter)
    ann = product.register("ann")

    response = ann.post(f"/rooms/{ann.open_room()['id']}/webhooks", json={"url": "http://127.0.0.1:8000/"})

    assert response.status == 422


def test_url_and_events_can_be_changed_and_the_rest_sent_back(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"
    own = f"{path}/{ann.post(path, json=URL).json()['id']}"
    shown = ann.get(own).json()

    changed = ann.patch(own, json={**shown, "url": "https://other.example.org/", "events": ["task.created"]})

    assert changed.status == 200, changed
    assert changed.json() == {
        **shown,
        "url": "https://other.example.org/",
        "events": ["task.created"],
        "updated_at": changed.json()["updated_at"],
    }
    assert ann.patch(own, json={"events": None}).json()["events"] is None
    assert ann.patch(own, json={"ordered": True}).status == 422
    assert ann.patch(own, json={"events": ["task.vanished"]}).status == 422
    assert ann.patch(own, json={"events": []}).status == 422


def test_each_type_of_events_is_shown_once_in_the_order_given(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/webhooks"
    twice = ["task.updated", "task.created", "task.updated"]

    made = ann.post(path, json={**URL, "events": twice}).json()
    own = f"{path}/{made['id']}"

    assert made["events"] == ["task.updated", "task.created"]
    changed = ann.patch(own, json={"events": [*twice, "task.trashed", "task.created"]}).json()
    assert changed["events"] == ["task.updated", "task.created", "task.trashed"]


def test_a_webhook_outlives_the_membership_of_who_made_it_and_goes_with_the_room(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/webhooks"
    ann.post(path, json=URL)
    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "admin"})

    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    assert ann.get(path).status == 404
    assert len(bob.get(path).json()["items"]) == 1
    assert bob.delete(f"/rooms/{room['id']}").status == 204
    product.deliver()
    assert {item["item"][:2] for item in product.items("WebhooksTable")} == {"P#"}


def test_a_replay_is_of_a_thousand_entries_at_most(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    path = f"/rooms/{room['id']}/webhooks"
    own = f"{path}/{ann.post(path, json=URL).json()['id']}"

    for body in ({"from": 2, "to": 1}, {"from": 0, "to": 1}, {"from": 1}, {"from": "1", "to": 2}):
        response = ann.post(f"{own}/replay", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert response.status == 422, response
    assert ann.post(f"{own}/replay", json={"from": 1, "to": 1_000_000}).json() == {"from": 1, "to": 1_000_000}
    tables.change(product.aws, "LogTable", {"owner_id": room["id"], "item": "head"}, seq=5_000)
    ordered = f"{path}/{ann.post(path, json={**URL, 'ordered': True}).json()['id']}"
    for webhook, status, field in ((own, 202, "/to"), (ordered, 422, "/from")):
        assert ann.post(f"{webhook}/replay", json={"from": 4_001, "to": 5_000}).status == 202
        assert ann.post(f"{webhook}/replay", json={"from": 3_000, "to": 3_999}).status == status
        refused = problem(ann.post(f"{webhook}/replay", json={"from": 3_000, "to": 4_000}), 422, "validation_failed")
        assert [(each["pointer"], each["code"]) for each in refused["errors"]] == [(field, "out_of_range")]


@pytest.mark.parametrize(
    ("master", "salt", "info", "key"),
    [
        # RFC 5869, A.1 and A.3, the first 32 bytes of each: all that there is in one block.
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        ("0b" * 22, "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
    ],
)
def test_keys_are_derived_as_rfc_5869_says(master: str, salt: str, info: str, key: str) -> None:
    assert hkdf(bytes.fromhex(master), bytes.fromhex(salt), bytes.fromhex(info)).hex() == key

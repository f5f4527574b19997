"""POST /live/tickets, and what opens a WebSocket."""

import pytest

from tests.support import tables
from tests.support.live import Refused
from tests.support.product import Product


def test_a_ticket_is_an_address_that_expires_in_30_seconds(product: Product) -> None:
    response = product.register("ann").post("/live/tickets")

    assert response.status == 201
    assert response.json()["expires_in"] == 30
    assert response.json()["url"].startswith("wss://LiveApi.execute-api.")


def test_a_ticket_opens_one_connection(product: Product) -> None:
    url = product.register("ann").post("/live/tickets").json()["url"]

    assert product.live.open(url).open
    with pytest.raises(Refused, match="403"):
        product.live.open(url)


@pytest.mark.parametrize("ticket", ["", "x", "a" * 43, "é" * 43, "ses_1", "a" * 5000])
def test_another_text_opens_nothing(product: Product, ticket: str) -> None:
    product.connect(product.register("ann"))

    with pytest.raises(Refused):
        product.live.open(f"wss://live.example.org/live?ticket={ticket}")


def test_an_expired_ticket_opens_nothing(product: Product) -> None:
    url = product.register("ann").post("/live/tickets").json()["url"]
    [ticket] = product.items("LiveTable")
    tables.change(product.aws, "LiveTable", {"live_id": ticket["live_id"]}, expires_at=int(ticket["expires_at"]) - 31)

    with pytest.raises(Refused, match="403"):
        product.live.open(url)


def test_the_table_has_no_ticket_and_the_idempotency_record_neither(product: Product) -> None:
    ann = product.register("ann")
    key = {"Idempotency-Key": "again"}
    first, second = (ann.post("/live/tickets", headers=key) for _ in range(2))
    secret = first.json()["url"].partition("ticket=")[2]

    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert secret not in str(product.items("LiveTable"))
    assert secret not in str(product.items("IdempotencyTable"))


def test_a_ticket_of_a_session_that_ended_opens_nothing(product: Product) -> None:
    ann = product.register("ann")
    url = ann.post("/live/tickets").json()["url"]
    product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})

    with pytest.raises(Refused, match="403"):
        product.live.open(url)


def test_a_ticket_from_before_a_password_change_opens_nothing(product: Product) -> None:
    ann = product.register("ann")
    url = ann.post("/live/tickets").json()["url"]
    body = {"current_password": ann.password, "new_password": "crimson lantern 44 boat"}
    assert ann.post("/auth/password", json=body).status == 204

    with pytest.raises(Refused, match="403"):
        product.live.open(url)


def test_a_fault_of_the_table_refuses_the_connection_with_503(product: Product) -> None:
    url = product.register("ann").post("/live/tickets").json()["url"]

    with product.aws.permissions.outage("UsersTable"), pytest.raises(Refused, match="503"):
        product.live.open(url)


@pytest.mark.parametrize("ticket", ["x", "a" * 42, "a" * 44, "é" * 43, "a" * 42 + "=", "a" * 5000])
def test_a_text_without_the_form_of_a_ticket_causes_no_call(product: Product, ticket: str) -> None:
    before = len(product.aws.permissions.calls)

    with pytest.raises(Refused, match="403"):
        product.live.open(f"wss://live.example.org/live?ticket={ticket}")

    assert product.aws.permissions.calls[before:] == []


def test_no_log_line_has_a_ticket(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.aws.deploy(LogLevel="DEBUG")
    ann = product.register("ann")
    url = ann.post("/live/tickets").json()["url"]
    product.live.open(url)
    with pytest.raises(Refused):
        product.live.open(url)
    product.deliver()

    written = capsys.readouterr().out
    assert "connection opened" in written
    assert "connection refused" in written
    assert url.partition("ticket=")[2] not in written

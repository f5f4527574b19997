"""The security log: a line for each sign-in, each failed one, and whatever ends sessions or changes passwords."""

import json
from typing import Any

import pytest

from tests.support.client import Answer, Person
from tests.support.product import Product

NEW = "another staple of horses"


@pytest.fixture
def product(product: Product) -> Product:
    """The product as it logs in production."""
    product.aws.stack.parameters["LogLevel"] = "INFO"
    return product


def security(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "security"]


def sign_in(product: Product, username: str, password: str) -> Answer:
    return product.anonymous.post("/auth/login", json={"username": username, "password": password})


def session_of(person: Person) -> str:
    return person.refresh_token.partition(".")[0]


def test_registering_and_signing_in_name_the_user_the_session_and_the_request(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    answer = sign_in(product, ann.username, ann.password)

    registered, signed_in = security(capsys)

    assert (registered["kind"], registered["user_id"], registered["session_id"]) == (
        "registered",
        ann.id,
        session_of(ann),
    )
    assert signed_in.pop("ip")
    assert signed_in.pop("session_id") == answer.json()["refresh_token"].partition(".")[0]
    assert signed_in == {
        "level": "INFO",
        "event": "security",
        "kind": "signed_in",
        "request_id": answer.headers["X-Request-Id"],
        "user_id": ann.id,
    }


def test_failed_sign_ins_at_one_account_are_seen_to_be_so_without_its_name(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    security(capsys)
    answers = [
        sign_in(product, ann.username, "wrong"),
        sign_in(product, ann.username.upper(), "wrong again"),
        sign_in(product, "nobody", "wrong"),
    ]

    lines = security(capsys)

    assert [answer.status for answer in answers] == [401] * 3
    assert {(line["kind"], line["level"]) for line in lines} == {("sign_in_failed", "WARNING")}
    assert [line["request_id"] for line in lines] == [answer.headers["X-Request-Id"] for answer in answers]
    assert lines[0]["identifier"] == lines[1]["identifier"] != lines[2]["identifier"]
    assert not any(text in json.dumps(lines) for text in (ann.username, "nobody", "wrong"))


def test_changed_passwords_and_ended_sessions_are_logged(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann = product.register("ann")
    phone = product.anonymous.sign_in(ann.username, ann.password)
    tablet = product.anonymous.sign_in(ann.username, ann.password)
    security(capsys)

    wrong = ann.post("/auth/password", json={"current_password": "wrong", "new_password": NEW})
    ann.delete(f"/auth/sessions/{session_of(phone)}")
    product.anonymous.post("/auth/logout", json={"refresh_token": tablet.refresh_token})
    product.anonymous.post("/auth/logout", json={"refresh_token": tablet.refresh_token})
    refused = product.anonymous.post("/auth/refresh", json={"refresh_token": tablet.refresh_token})
    ann.post("/auth/password", json={"current_password": ann.password, "new_password": NEW})
    ann.delete("/auth/sessions")

    lines = security(capsys)
    assert (wrong.status, refused.status) == (401, 401)
    assert [(line["kind"], line["user_id"], line.get("session_id")) for line in lines] == [
        ("password_change_failed", ann.id, None),
        ("session_ended", ann.id, session_of(phone)),
        ("signed_out", ann.id, session_of(tablet)),
        ("refresh_failed", None, None),
        ("password_changed", ann.id, session_of(ann)),
        ("all_sessions_ended", ann.id, None),
    ]


def test_a_password_change_repeated_under_its_key_is_logged_once(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    security(capsys)
    body = {"current_password": ann.password, "new_password": NEW}

    answers = [ann.post("/auth/password", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status for answer in answers] == [204, 204]
    assert [line["kind"] for line in security(capsys)] == ["password_changed"]

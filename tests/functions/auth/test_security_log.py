"""The security log: a line for whatever opens, ends or takes over an account or a session, and for what was refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tests.functions.costs.route_requests import Team
from tests.functions.users.administrators import administrator
from tests.support.client import Person, Response
from tests.support.clock import Clock
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


def sign_in(product: Product, username: str, password: str) -> Response:
    return product.anonymous.post("/auth/login", json={"username": username, "password": password})


def session_of(person: Person) -> str:
    return person.refresh_token.partition(".")[0]


def test_registering_and_signing_in_log_the_user_the_session_and_the_request(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    response = sign_in(product, ann.username, ann.password)

    registered, signed_in = security(capsys)

    assert (registered["kind"], registered["user_id"], registered["session_id"]) == (
        "registered",
        ann.id,
        session_of(ann),
    )
    assert signed_in.pop("ip")
    assert signed_in.pop("session_id") == response.json()["refresh_token"].partition(".")[0]
    assert signed_in == {
        "level": "INFO",
        "event": "security",
        "kind": "signed_in",
        "request_id": response.headers["X-Request-Id"],
        "user_id": ann.id,
        "actor_id": ann.id,
    }


def test_failed_sign_ins_of_one_account_are_correlated_without_its_name(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    security(capsys)
    responses = [
        sign_in(product, ann.username, "wrong"),
        sign_in(product, ann.username.upper(), "wrong again"),
        sign_in(product, "nobody", "wrong"),
    ]

    lines = security(capsys)

    assert [response.status for response in responses] == [401] * 3
    assert {(line["kind"], line["level"]) for line in lines} == {("sign_in_failed", "WARNING")}
    assert [line["request_id"] for line in lines] == [response.headers["X-Request-Id"] for response in responses]
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
        ("password_change_failed", ann.id, session_of(ann)),
        ("session_ended", ann.id, session_of(phone)),
        ("signed_out", ann.id, session_of(tablet)),
        ("refresh_failed", None, None),
        ("password_changed", ann.id, session_of(ann)),
        ("all_sessions_ended", ann.id, session_of(ann)),
    ]
    assert lines[1]["by_session_id"] == session_of(ann)


def test_a_password_change_repeated_under_its_key_is_logged_once(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    security(capsys)
    body = {"current_password": ann.password, "new_password": NEW}

    responses = [ann.post("/auth/password", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [response.status for response in responses] == [204, 204]
    assert [line["kind"] for line in security(capsys)] == ["password_changed"]


def described(line: dict[str, Any]) -> tuple[str, str | None, str | None, str | None, str]:
    """What happened, by whom, to whom, in which session, by which request."""
    return line["kind"], line["actor_id"], line["user_id"], line["session_id"], line["request_id"]


def test_an_administrators_action_on_a_user_names_both(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    root, ann = administrator(product), product.register("ann", email="ann@example.org")
    security(capsys)

    changed = root.patch(f"/users/{ann.id}", json={"username": "another", "email": None})
    same = root.patch(f"/users/{ann.id}", json={"username": "another"})
    deleted = root.delete(f"/users/{ann.id}")

    lines = security(capsys)
    assert (changed.status, same.status, deleted.status) == (200, 200, 204)
    assert [described(line) for line in lines] == [
        ("profile_changed", root.id, ann.id, session_of(root), changed.headers["X-Request-Id"]),
        ("user_deleted", root.id, ann.id, session_of(root), deleted.headers["X-Request-Id"]),
    ]
    assert lines[0]["fields"] == ["username", "email"]
    assert not any(text in json.dumps(lines) for text in ("another", "example.org", ann.username, root.username))


def test_actions_of_users_on_themselves_are_logged_alike(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann = product.register("ann")
    security(capsys)

    responses = [
        ann.patch("/users/me", json={"email": "ann@example.org"}, headers={"Idempotency-Key": "one"}),
        ann.post("/auth/reauthenticate", json={"password": ann.password}),
        ann.get("/users/me/export"),
        ann.delete("/users/me"),
    ]
    ann.patch("/users/me", json={"email": "ann@example.org"}, headers={"Idempotency-Key": "one"})

    ids = [response.headers["X-Request-Id"] for response in responses]
    assert [described(line) for line in security(capsys)] == [
        (kind, ann.id, ann.id, session_of(ann), request_id)
        for kind, request_id in zip(
            ("profile_changed", "reauthenticated", "exported", "user_deleted"), ids, strict=True
        )
    ]


def test_a_reused_refresh_token_is_distinguished_from_a_forged_one(
    product: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, ann = Clock(monkeypatch), product.register("ann")
    body = {"refresh_token": ann.refresh_token}
    product.anonymous.post("/auth/refresh", json=body)
    security(capsys)

    at_once = product.anonymous.post("/auth/refresh", json=body)
    clock.pass_by(10)
    reused = product.anonymous.post("/auth/refresh", json=body)
    over = product.anonymous.post("/auth/refresh", json=body)

    lines = security(capsys)
    assert [response.status for response in (at_once, reused, over)] == [409, 401, 401]
    assert reused.json()["code"] == over.json()["code"] == "invalid_token"
    assert [described(line) for line in lines] == [
        ("refresh_in_progress", None, ann.id, session_of(ann), at_once.headers["X-Request-Id"]),
        ("refresh_reused", None, ann.id, session_of(ann), reused.headers["X-Request-Id"]),
        ("refresh_failed", None, None, None, over.headers["X-Request-Id"]),
    ]
    assert {line["level"] for line in lines} == {"WARNING"}
    assert not any(part in json.dumps(lines) for part in ann.refresh_token.split(".")[1:])


def test_refusals_of_a_user_are_logged_with_the_reason(
    product: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = product.register("ann"), product.register("ben")
    ben.join(ann.open_room())
    Clock(monkeypatch).pass_by(20 * 60)
    security(capsys)

    ben.patch(f"/users/{ann.id}", json={"username": "mine"})
    ben.delete(f"/users/{ann.id}")
    ben.get(f"/users/{ann.id}/export")
    ben.get(f"/users/{ann.id}/activity")
    ben.delete("/users/me")
    ben.post("/auth/reauthenticate", json={"password": "wrong"})
    product.anonymous.post("/users", json={"username": ann.username, "password": ann.password})
    ben.delete("/users/a-text-that-names-nobody")

    lines = security(capsys)
    assert [(*described(line)[:4], line.get("reason")) for line in lines] == [
        ("profile_change_failed", ben.id, ann.id, session_of(ben), "role_too_low"),
        ("user_deletion_failed", ben.id, ann.id, session_of(ben), "role_too_low"),
        ("export_failed", ben.id, ann.id, session_of(ben), "role_too_low"),
        ("activity_failed", ben.id, ann.id, session_of(ben), "role_too_low"),
        ("user_deletion_failed", ben.id, ben.id, session_of(ben), "reauthentication_required"),
        ("reauthentication_failed", ben.id, ben.id, session_of(ben), None),
        ("registration_failed", None, None, None, "username_taken"),
    ]
    assert {line["level"] for line in lines} == {"WARNING"}
    assert not any(text in json.dumps(lines) for text in ("mine", "wrong", ann.username, ann.password))


def test_an_exceeded_guessing_limit_is_logged_and_an_exceeded_write_limit_is_not(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(SignInFailuresPerAccount="1", WritesPerUser="1", BcryptCost="4", LogLevel="INFO")
    ann, ben = product.register("ann"), product.register("ben")
    security(capsys)

    responses = [sign_in(product, ann.username, "wrong") for _ in range(2)]
    responses += [ben.post("/auth/reauthenticate", json={"password": "wrong"}) for _ in range(2)]

    assert [response.status for response in responses] == [401, 429, 401, 429]
    lines = security(capsys)
    assert [(line["kind"], line["actor_id"], line.get("policy")) for line in lines] == [
        ("sign_in_failed", None, None),
        ("rate_limited", None, "sign-in-failures"),
        ("reauthentication_failed", ben.id, None),
    ]


def test_every_change_of_an_account_or_a_session_is_logged(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """Generated from the routes: a new one that changes an account fails here until it logs that."""
    team = Team(product)
    product.aws.deploy(LogLevel="INFO")
    silent = []

    for name, request in team.requests().items():
        method, path = name.partition(", ")[0].split()
        of_an_account = path.split("/")[1] in ("auth", "users") and "/trash/" not in path
        # A refresh is no change: what it refuses is logged.
        if method == "GET" or not of_an_account or path == "/auth/refresh":
            continue
        capsys.readouterr()
        response = request()
        assert response.status < 300, response
        of_it = [line for line in security(capsys) if line["request_id"] == response.headers["X-Request-Id"]]
        if not of_it or not all(line["user_id"] and line["actor_id"] and line["ip"] for line in of_it):
            silent.append(name)

    assert silent == []


def test_the_event_types_are_those_of_the_document() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    table = text.partition("### The security log")[2].partition("\n#")[0]
    rows = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    listed = [kind for row in rows for kind in re.findall(r"`(\w+)`", row)]

    written = set()
    for folder in ("functions", "layers", "infrastructure"):
        for path in Path(REPOSITORY, folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            written.update(re.findall(r'\b(?:note|note_refusal|noting_refusals)\(\s*request,\s*"(\w+)"', text))
            written.update(re.findall(r'\bnote\(\s*logs,.*?, by, "(\w+)"', text))

    assert sorted(listed) == sorted(written)

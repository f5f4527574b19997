"""A request that failed says whether it may have been carried out, and what to do then."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import builders, faults
from tests.support.aws import Aws
from tests.support.client import Person, Response
from tests.support.faults import happening, no_waiting, one_after_the_other, refusing
from tests.support.problems import problem
from tests.support.product import Product

COUNTERS = "RateLimitsTable"
PERHAPS = "may have been carried out"
KEY = {"Idempotency-Key": "once"}
Write = Callable[[Product, Person], Response]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    del aws
    no_waiting(monkeypatch)


def refresh(product: Product, person: Person) -> Response:
    return product.anonymous.post("/auth/refresh", json={"refresh_token": person.refresh_token})


def log_out(product: Product, person: Person) -> Response:
    return product.anonymous.post("/auth/logout", json={"refresh_token": person.refresh_token})


def sign_in(product: Product, person: Person) -> Response:
    credentials = {"username": person.username, "password": person.password}
    return product.anonymous.post("/auth/login", json=credentials)


# Every way in which something is written: transactions, single writes, with a key and where none is taken.
WITH_KEYS: dict[str, Write] = {
    "plan a task": lambda _, ann: ann.post("/tasks", json=builders.task()),
    "open a room": lambda _, ann: ann.post("/rooms", json={}),
    "change a profile": lambda _, ann: ann.patch("/users/me", json={"email": "new@example.org"}),
    "end all sessions": lambda _, ann: ann.delete("/auth/sessions"),
    "delete a user": lambda _, ann: ann.delete("/users/me"),
    "refresh": refresh,
}
WITHOUT_KEYS: dict[str, Write] = {
    "sign in": sign_in,
    "log out": log_out,
    "register": lambda product, _: product.anonymous.post("/users", json=builders.person()),
}
ALL = WITH_KEYS | WITHOUT_KEYS


@pytest.mark.parametrize("write", ALL)
def test_a_lost_write_response_is_reported_as_possibly_carried_out(product: Product, write: str) -> None:
    ann = product.register("ann")

    with happening(faults.silent, carried_out=True, without=COUNTERS):
        response = ALL[write](product, ann)

    document = problem(response, 503, "outcome_unknown")
    assert PERHAPS in document["detail"]
    assert ("Idempotency-Key" in document["detail"]) == (write in WITH_KEYS), "recommended where one is taken"


@pytest.mark.parametrize("write", ALL)
def test_a_write_that_never_arrived_is_reported_as_not_carried_out(product: Product, write: str) -> None:
    ann = product.register("ann")

    with happening(faults.unreachable, without=COUNTERS):
        response = ALL[write](product, ann)

    document = problem(response, 503, "dependency_failed")
    assert document["detail"].endswith("Nothing is lost; try again.")


UNKNOWN = {
    "500": refusing("InternalServerError", 500),
    "503": refusing("ServiceUnavailable", 503),
    "in progress": refusing("TransactionInProgressException"),
    "silence, then throttled": one_after_the_other(faults.silent, refusing("ThrottlingException")),
    "silence, then no connection": one_after_the_other(faults.silent, faults.unreachable),
    "silence, then conflicts": one_after_the_other(
        faults.silent,
        refusing("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}]),
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_write_is_only_as_certain_as_its_least_certain_attempt(product: Product, case: str) -> None:
    ann = product.register("ann")

    with happening(UNKNOWN[case], to={"TransactWriteItems"}):
        response = ann.post("/tasks", json=builders.task())

    assert PERHAPS in problem(response, 503, "outcome_unknown")["detail"]


def test_a_throttled_write_was_not_carried_out(product: Product) -> None:
    ann = product.register("ann")

    with happening(refusing("ThrottlingException"), to={"TransactWriteItems"}):
        response = ann.post("/tasks", json=builders.task())

    problem(response, 503, "dependency_failed")


def test_with_a_key_the_response_says_that_retrying_with_it_is_safe(product: Product) -> None:
    ann = product.register("ann")

    with happening(faults.silent, to={"TransactWriteItems"}):
        response = ann.post("/tasks", json=builders.task(), headers=KEY)

    detail = problem(response, 503, "outcome_unknown")["detail"]
    assert "the same Idempotency-Key" in detail
    assert ann.post("/tasks", json=builders.task(), headers=KEY).status == 201


def test_an_unreadable_idempotency_record_does_not_claim_that_nothing_was_done(product: Product) -> None:
    ann = product.register("ann")
    looked_up = 0

    def lost_after_the_first(request: Any) -> None:
        nonlocal looked_up
        looked_up += 1
        if looked_up > 1:
            faults.unreachable(request)

    with (
        happening(lost_after_the_first, to={"GetItem"}),
        happening(faults.silent, to={"TransactWriteItems"}, carried_out=True),
    ):
        response = ann.post("/tasks", json=builders.task(), headers=KEY)

    problem(response, 503, "outcome_unknown")
    assert len(ann.list("/tasks")) == 1


def test_a_counted_request_is_not_reported_as_carried_out(product: Product) -> None:
    ann = product.register("ann")

    with happening(faults.silent, to={"UpdateItem"}, carried_out=True):
        responses = [
            sign_in(product, ann),
            ann.post("/rooms/join", json={"code": "AAAAAAAAA"}),
            product.anonymous.post("/users", json=builders.person()),
        ]

    for response in responses:
        problem(response, 503, "dependency_failed")


def test_the_outcome_of_a_crashed_function_is_unknown(product: Product) -> None:
    responses = product.aws.stack.decided(product.aws.stack.resources["Api"]["Properties"]["GatewayResponses"])

    said = {kind: responses[kind]["ResponseTemplates"]["application/json"] for kind in responses}

    assert PERHAPS in said["DEFAULT_5XX"]
    assert PERHAPS not in said["AUTHORIZER_FAILURE"], "no function was called"


DEFECTS = {
    "a transaction": (refusing("ValidationException", message="no"), "TransactWriteItems", "ValidationException"),
    "in a transaction": (
        refusing("TransactionCanceledException", CancellationReasons=[{"Code": "ValidationError"}]),
        "TransactWriteItems",
        "ValidationError",
    ),
    "a read": (refusing("SerializationException"), "GetItem", "SerializationException"),
    "a batch": (refusing("ValidationException", message="no"), "BatchGetItem", "ValidationException"),
}


@pytest.mark.parametrize("case", DEFECTS)
def test_a_request_that_dynamodb_rejects_is_an_internal_error(
    product: Product, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register("ann")
    fault, operation, code = DEFECTS[case]
    capsys.readouterr()

    with happening(fault, to={operation}):
        response = (
            ann.get("/users/me")
            if operation == "GetItem"
            else ann.get(f"/tasks/{ann.id}.{'0' * 32}")
            if operation == "BatchGetItem"
            else ann.post("/tasks", json=builders.task())
        )

    document = problem(response, 500, "internal_error")
    assert "Retry-After" not in response.headers
    assert "again" not in document["detail"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [refused] = [line for line in lines if line["event"] == "request to DynamoDB refused"]
    assert (refused["level"], refused["operation"], refused["code"]) == ("ERROR", operation, code)
    assert refused["request_id"] == document["request_id"]

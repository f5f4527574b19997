"""GET /health: 200 while everything answers, 503 with the name of what does not."""

import re

import pytest

from tests.support.product import Product
from tests.support.tables import drop

TABLES = {
    "UsersTable": "users",
    "RoomsTable": "rooms",
    "TasksTable": "tasks",
    "SessionsTable": "sessions",
    "IdempotencyTable": "idempotency",
    "RateLimitsTable": "rate_limits",
}


def test_all_is_well(product: Product) -> None:
    answer = product.anonymous.get("/health")

    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"status", "checks", "version"}
    assert body["status"] == "ok"
    assert body["checks"] == dict.fromkeys(TABLES.values(), "ok")
    assert re.fullmatch(r"\d+\.\d+\.\d+", body["version"])


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_does_not_answer_is_named(product: Product, table: str) -> None:
    drop(product.aws, table)

    answer = product.anonymous.get("/health")

    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["status"] == "failed"
    failed = {name for name, state in answer.json()["checks"].items() if state != "ok"}
    assert failed == {TABLES[table]}


def test_it_needs_no_token_and_minds_no_bad_one(product: Product) -> None:
    answer = product.anonymous.get("/health", headers={"Authorization": "Bearer nonsense"})

    assert answer.status == 200, answer


def test_it_writes_nothing_but_that_it_was_asked(product: Product) -> None:
    product.anonymous.get("/health")

    assert [table for table in TABLES if product.items(table)] == ["RateLimitsTable"]

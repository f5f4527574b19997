"""GET /health: 200 while everything answers, 503 with the name of what does not.

That it takes less than 3 s whatever happens to the network is shown over HTTP: ``tests/journeys/test_outage.py``.
"""

import re

import pytest

from tasksync import __version__
from tests.support.aws import LOCK
from tests.support.product import Product
from tests.support.tables import drop

TABLES = {
    "UsersTable": "users",
    "RoomsTable": "rooms",
    "TasksTable": "tasks",
    "SessionsTable": "sessions",
    "IdempotencyTable": "idempotency",
    "RateLimitsTable": "rate_limits",
    "ActivityTable": "activity",
}
SECRETS = {
    "SigningSecret": "signing_secret",
    "SessionSecret": "session_secret",
    "PepperSecret": "pepper_secret",
    "HttpSecret": "http_secret",
    "MetricsSecret": "metrics_secret",
}


def test_every_table_and_every_secret_of_the_template_is_looked_at(product: Product) -> None:
    stack = product.aws.stack

    # One missing? It is asked by layers/tasksync/tasksync/probes.py, and named here.
    assert stack.of_type("AWS::DynamoDB::Table").keys() == TABLES.keys()
    assert stack.of_type("AWS::SecretsManager::Secret").keys() == SECRETS.keys()


def test_all_is_well(product: Product) -> None:
    answer = product.anonymous.get("/health")

    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"status", "checks", "version"}
    assert body["status"] == "ok"
    assert body["checks"] == dict.fromkeys([*TABLES.values(), *SECRETS.values()], "ok")
    assert body["version"] == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_does_not_answer_is_named(product: Product, table: str) -> None:
    drop(product.aws, table)

    answer = product.anonymous.get("/health")

    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["status"] == "failed"
    failed = {name for name, state in answer.json()["checks"].items() if state != "ok"}
    assert failed == {TABLES[table]}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("forced", [True, False], ids=["gone", "scheduled for deletion"])
def test_a_secret_that_cannot_be_read_is_named_and_nothing_of_it_told(
    product: Product, secret: str, forced: bool
) -> None:
    with LOCK:
        value = product.aws.secrets.get_secret_value(SecretId=secret)["SecretString"]
        product.aws.secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=forced)

    answer = product.anonymous.get("/health")

    assert answer.status == 503, answer
    failed = {name for name, state in answer.json()["checks"].items() if state != "ok"}
    assert failed == {SECRETS[secret]}
    assert value not in answer.text


def test_it_needs_no_token_and_minds_no_bad_one(product: Product) -> None:
    answer = product.anonymous.get("/health", headers={"Authorization": "Bearer nonsense"})

    assert answer.status == 200, answer


def test_it_writes_nothing(product: Product) -> None:
    product.anonymous.get("/health")

    assert [product.items(table) for table in TABLES] == [[]] * len(TABLES)

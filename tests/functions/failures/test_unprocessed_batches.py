"""DynamoDB may leave a batch unprocessed, wholly and for some time: nothing is lost, and nobody waits for ever."""

import pytest

from tests.support import faults, tables
from tests.support.aws import Aws
from tests.support.faults import happening, no_waiting, nothing_processed
from tests.support.function_calls import call
from tests.support.problems import problem
from tests.support.product import Product

SOME, FOR_EVER = 6, 10_000
BATCHES = {"BatchGetItem", "BatchWriteItem"}
MOST_CALLS = 40


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    del aws
    no_waiting(monkeypatch)


@pytest.mark.parametrize("times", [SOME, FOR_EVER])
def test_a_sign_in_succeeds_although_failures_cannot_be_reset(product: Product, times: int) -> None:
    ann = product.register("ann")

    with happening(nothing_processed(times), to={"BatchWriteItem"}):
        response = product.anonymous.post("/auth/login", json={"username": ann.username, "password": ann.password})

    assert response.status == 200
    known = [item for item in product.items("RateLimitsTable") if item["limit_id"].startswith("known#")]
    assert len(known) == (1 if times == SOME else 0)


@pytest.mark.parametrize("path", ["/rooms", "/users", "/", "/tasks", "/rooms/{room}/tasks", "/tasks/{task}"])
def test_reads_are_complete_or_report_an_error(product: Product, path: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    path = path.format(room=room["id"], task=task["id"])
    fresh = {"Cache-Control": "no-cache"}
    expected = ann.get(path, headers=fresh)
    calls = product.aws.permissions.calls

    with happening(nothing_processed(SOME), to=BATCHES):
        later = ann.get(path, headers=fresh)
    calls.clear()
    with happening(nothing_processed(FOR_EVER), to=BATCHES):
        never = ann.get(path, headers=fresh)

    assert later.json() == expected.json()
    problem(never, 503, "dependency_failed")
    assert len(calls) < MOST_CALLS


@pytest.mark.parametrize("times", [SOME, FOR_EVER])
def test_a_deletion_is_accepted_and_finished_later(product: Product, times: int) -> None:
    ann = product.register("ann")
    for _ in range(3):
        ann.plan()
    planned = product.items("TasksTableV2")

    with happening(nothing_processed(times), to=BATCHES):
        response = ann.delete("/users/me")

    assert response.status == 204
    left = product.items("TasksTableV2")
    assert left == ([] if times == SOME else planned), "what is reported as unprocessed is not processed"
    product.deliver()
    assert product.items("TasksTableV2") == []


def test_a_sweep_keeps_its_results_when_one_table_is_unavailable(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    tables.change(product.aws, "UsersTable", {"user_id": bob.id}, status="deleting", unfinished="user")

    with happening(nothing_processed(FOR_EVER), to=BATCHES):
        swept = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
    with happening(faults.unreachable, to={"Query"}):
        unread = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
    again = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})

    assert swept["users"] == {"found": 1, "finished": 1, "failed": [], "complete": True}
    assert swept["rooms"] == {"found": 1, "finished": 0, "failed": [room["id"]], "complete": True}
    assert not unread["users"]["complete"]
    assert again["rooms"] == {"found": 1, "finished": 1, "failed": [], "complete": True}


def test_the_trail_is_written_at_redelivery(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    with happening(nothing_processed(FOR_EVER), to=BATCHES):
        failed = [delivery.failed for delivery in product.deliver(to="ActivityFunction")]
    product.deliver()

    assert any(failed)
    assert len(ann.list(f"/rooms/{room['id']}/activity")) == 1

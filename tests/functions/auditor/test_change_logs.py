"""Change logs with gaps, or with less or more than was committed, are found by the auditor (I12, I13)."""

from datetime import timedelta
from typing import Any

import pytest

from tasksync.dynamodb.integrity.snapshots import AuditRepository
from tasksync.integrity.checks import Auditor, Finding, Invariant
from tasksync.model import times
from tests.functions.activity.trails import markers, stored
from tests.support.product import Product
from tests.support.tables import change, put


def audit(product: Product, invariant: Invariant, older_than: timedelta = timedelta(0)) -> Finding:
    with product.aws.running("AuditorFunction"):
        report = Auditor(AuditRepository(), older_than, lambda _: None, timedelta(days=30)).run(lambda: True)
    [finding] = [finding for finding in report.findings if finding.invariant is invariant]
    return finding


def faults(finding: Finding) -> set[tuple[str, str | None]]:
    return {(check.item, check.fault) for check in finding.shown}


def delete(product: Product, item: Any) -> None:
    key = {name: {"S": item[name]} for name in ("owner_id", "item")}
    product.aws.dynamodb.delete_item(TableName="LogTable", Key=key)


def busy_room(product: Product) -> Any:
    """A room with members who came and went, tasks that were changed and deleted, and a room that was closed."""
    ann, bob = product.register("ann"), product.register("bob")
    room, closed = ann.open_room(), ann.open_room()
    bob.join(room)
    tasks = [ann.plan(room_id=room["id"]) for _ in range(2)]
    for title in ("Chairs", "Tables"):
        ann.patch(f"/tasks/{tasks[0]['id']}", json={"title": title})
    ann.delete(f"/tasks/{tasks[1]['id']}")
    ann.plan()
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
    ann.plan(room_id=closed["id"])
    ann.delete(f"/rooms/{closed['id']}")
    return room


def test_logs_written_by_the_product_are_complete_and_have_nothing_else(product: Product) -> None:
    busy_room(product)
    product.deliver()

    log, logged = audit(product, Invariant.LOG), audit(product, Invariant.LOGGED)

    assert (log.violations, log.checked) == (0, len(stored(product, "")))
    assert (logged.violations, logged.checked) == (0, 6)


def test_the_epoch_of_all_logs_is_no_head(product: Product) -> None:
    put(product.aws, "LogTable", owner_id="epoch", item="head", epoch=1)

    assert audit(product, Invariant.READABLE).violations == 0


def test_missing_entries_are_reported(product: Product) -> None:
    room = busy_room(product)
    product.deliver()
    missing = [each for each in stored(product) if each["owner_id"] == room["id"]][1::2]

    for entry in missing:
        delete(product, entry)

    before = {int(each["item"].removeprefix("c#")) - 1 for each in missing}
    assert len(before) >= 4
    assert faults(audit(product, Invariant.LOG)) == {
        (f"entry {number} of {room['id']}", "is the last one before a gap") for number in before
    }


def test_an_expired_entry_may_be_missing(product: Product) -> None:
    room = busy_room(product)
    product.deliver()
    first, second, *_ = [each for each in stored(product) if each["owner_id"] == room["id"]]
    for entry in (first, second):
        change(product.aws, "LogTable", {name: entry[name] for name in ("owner_id", "item")}, expires_at=1)

    delete(product, second)

    assert audit(product, Invariant.LOG).violations == 0


def test_entries_after_the_head_are_reported(product: Product) -> None:
    room = busy_room(product)
    product.deliver()

    change(product.aws, "LogTable", {"owner_id": room["id"], "item": "head"}, seq=7)

    assert faults(audit(product, Invariant.LOG)) == {(f"entry 8 of {room['id']}", "is after the head, 7")}


def test_an_entry_after_the_head_may_wait_for_its_record_to_come_again(product: Product) -> None:
    room = busy_room(product)
    product.deliver()
    last = [each for each in stored(product) if each["owner_id"] == room["id"]][-1]
    change(product.aws, "LogTable", {"owner_id": room["id"], "item": "head"}, seq=7)
    assert audit(product, Invariant.LOG, older_than=timedelta(minutes=20)).violations == 0

    key = {name: last[name] for name in ("owner_id", "item")}
    change(product.aws, "LogTable", key, at=times.timestamp(times.now() - timedelta(minutes=20)))

    found = faults(audit(product, Invariant.LOG, older_than=timedelta(minutes=20)))
    assert found == {(f"entry 8 of {room['id']}", "is after the head, 7")}


def test_what_is_still_in_the_stream_is_not_missing(product: Product) -> None:
    busy_room(product)

    assert audit(product, Invariant.LOGGED, older_than=timedelta(minutes=20)).violations == 0
    assert audit(product, Invariant.LOGGED).violations == 8


def test_a_change_that_is_not_in_the_log_is_reported(product: Product) -> None:
    room = busy_room(product)
    product.deliver()

    change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, version=9)

    [(item, fault)] = faults(audit(product, Invariant.LOGGED))
    assert (item, str(fault).endswith("and its log does not say so")) == (room["id"], True)


def test_an_uncommitted_change_in_the_log_is_reported(product: Product) -> None:
    room = busy_room(product)
    product.deliver()

    change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, version=1)

    assert faults(audit(product, Invariant.LOGGED, older_than=timedelta(minutes=20))) == {
        (room["id"], "is in its log up to revision 3, and has 1")
    }


@pytest.mark.parametrize("status", ["completed", "pending"])
def test_a_task_in_the_wrong_count_is_reported(product: Product, status: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], status=status)
    product.deliver()
    [(thing, marker)] = [each for each in markers(product).items() if each[0] == task["id"]]
    wrong = {"completed": "open", "open": "completed"}[marker["counted"]]

    change(product.aws, "LogTable", {"owner_id": room["id"], "item": f"v#{thing}"}, counted=wrong)

    assert faults(audit(product, Invariant.LOGGED)) == {
        (task["id"], f"is counted as {wrong}, and is {marker['counted']}")
    }

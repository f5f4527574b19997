"""Audit trails with gaps, or with more than was committed, are found by the auditor (I9)."""

from datetime import timedelta

import pytest

from tasksync.dynamodb.integrity.snapshots import AuditRepository
from tasksync.integrity.checks import Auditor, Finding, Invariant
from tests.support.product import Product
from tests.support.tables import change


def audit(product: Product, older_than: timedelta = timedelta(0), kept: timedelta = timedelta(days=365)) -> Finding:
    with product.aws.running("AuditorFunction"):
        report = Auditor(AuditRepository(), older_than, lambda _: None, kept, kept).run(lambda: True)
    [finding] = [finding for finding in report.findings if finding.invariant is Invariant.AUDIT_TRAIL]
    return finding


def entries(product: Product) -> list[str]:
    """Ids in the order of time."""
    return sorted(item["entry_id"] for item in product.items("ActivityTable"))


def drop(product: Product, entry_id: str) -> None:
    [item] = [item for item in product.items("ActivityTable") if item["entry_id"] == entry_id]
    key = {"room_id": {"S": item["room_id"]}, "entry_id": {"S": entry_id}}
    product.aws.dynamodb.delete_item(TableName="ActivityTable", Key=key)


def busy_room(product: Product) -> None:
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


def test_the_trail_written_by_the_product_is_complete_and_has_nothing_else(product: Product) -> None:
    busy_room(product)
    product.deliver()

    finding = audit(product)

    assert (finding.violations, finding.checked) == (0, len(entries(product)) + 3)


def test_every_missing_entry_of_an_existing_resource_is_reported(product: Product) -> None:
    busy_room(product)
    product.deliver()
    everything = entries(product)
    rows = {item["entry_id"]: item for item in product.items("ActivityTable")}
    last_words = {each for each in everything if rows[each]["action"] in ("deleted", "purged")}
    last_words -= {each for each in everything if any(each in row["previous"] for row in rows.values())}
    last_words -= {each for each in everything if rows[each]["resource"] == "membership"}

    missed = set()
    for entry_id in everything:
        drop(product, entry_id)
        if audit(product).violations:
            missed.add(entry_id)
        row = rows[entry_id]
        product.aws.dynamodb.put_item(
            TableName="ActivityTable",
            Item={
                name: {"N": str(value)} if name == "expires_at" else {"S": str(value)} for name, value in row.items()
            },
        )

    assert set(everything) - missed == last_words


def test_an_entry_that_is_still_in_the_stream_is_not_missing(product: Product) -> None:
    busy_room(product)

    assert audit(product, older_than=timedelta(minutes=20)).violations == 0
    assert audit(product).violations == 5


def test_an_expired_entry_is_not_missing(product: Product) -> None:
    busy_room(product)
    product.deliver(to="RoomCleanupFunction")

    assert audit(product, kept=timedelta(0)).violations == 0


def test_an_entry_of_an_uncommitted_change_is_reported(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"})
    product.deliver()

    change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, version=1)

    [violation, *_] = [check for check in audit(product).shown if check.fault and "there is 1" in check.fault]
    assert violation.item.endswith(f"-00000002 of {room['id']}")


@pytest.mark.parametrize("table", ["RoomsTable", "TasksTableV2"])
def test_a_last_change_without_a_change_context_needs_no_entry(product: Product, table: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    for item in product.items(table):
        if "stamp" in item:
            keys = ("room_id", "item") if table == "RoomsTable" else ("owner_id", "item")
            product.aws.dynamodb.update_item(
                TableName=table, Key={key: {"S": item[key]} for key in keys}, UpdateExpression="REMOVE stamp"
            )

    assert audit(product).checked == 1

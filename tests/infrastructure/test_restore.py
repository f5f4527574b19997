"""Tasks come back from a restored table whole, with what is stored beside them, and nothing else does."""

from typing import Any

import pytest

from infrastructure.restore import Counts, raise_epoch, restore
from tests.functions.activity.test_personal_logs import purged
from tests.functions.activity.trails import own
from tests.functions.room_cleanup.stream_deliveries import let_indexes_settle
from tests.support import tables
from tests.support.aws import LOCK
from tests.support.function_calls import call
from tests.support.product import Product

TABLE, RESTORED = "TasksTableV2", "Restored"
LONG = "word " * 200


def _back_up(product: Product, table: str = TABLE) -> None:
    """What AWS does: another table with the same keys and items."""
    dynamodb = product.aws.dynamodb
    with LOCK:
        described = dynamodb.describe_table(TableName=table)["Table"]
        types = {key["AttributeName"] for key in described["KeySchema"]}
        dynamodb.create_table(
            TableName=RESTORED,
            KeySchema=described["KeySchema"],
            AttributeDefinitions=[each for each in described["AttributeDefinitions"] if each["AttributeName"] in types],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.put_item(TableName=RESTORED, Item=item)


def _restore(product: Product, *, replace: bool, table: str = TABLE) -> Counts:
    with LOCK:
        return restore(product.aws.dynamodb, RESTORED, table, True, replace)


def _violations(product: Product) -> list[Any]:
    product.deliver()
    found = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})["findings"]
    return [finding["shown"] for finding in found if finding["violations"]]


def test_a_purged_task_comes_back_and_what_others_did_since_stays(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    both = {"room_id": room["id"], "assignee_ids": [ann.id, bob.id], "description": LONG}
    purged, trashed, given, restored = (ann.plan(title=title, **both) for title in ("A", "B", "C", "D"))
    ann.delete(f"/tasks/{restored['id']}")
    _back_up(product)
    ann.patch(f"/tasks/{purged['id']}", json={"title": "AA"})
    shown = ann.patch(f"/tasks/{purged['id']}", json={"title": "A"}).json()
    for task in (purged, trashed):
        ann.delete(f"/tasks/{task['id']}")
    ann.delete(f"/rooms/{room['id']}/trash/{purged['id']}")
    ann.patch(f"/tasks/{given['id']}", json={"assignee_ids": [], "description": None})
    ann.post(f"/tasks/{restored['id']}/restore")

    counts = _restore(product, replace=False)

    assert counts.written == 4  # the purged one, its two links and its description
    back = ann.get(f"/tasks/{purged['id']}").json()
    assert (back["description"], back["assignee_ids"]) == (LONG, [ann.id, bob.id])
    assert back["version"] > shown["version"]
    assert [task["title"] for task in bob.list("/tasks")] == ["A", "D"]
    assert [task["title"] for task in ann.list(f"/rooms/{room['id']}/trash")] == ["B"]
    assert _violations(product) == []


@pytest.mark.parametrize("attribute", ["stamp", "added_by"])
def test_a_deleted_user_comes_back_and_keeps_the_log(product: Product, attribute: str) -> None:
    ann = product.register("ann")
    product.deliver()
    tables.forget(product.aws, "UsersTable", {"user_id": ann.id}, attribute)  # as the version before wrote users
    _back_up(product, "UsersTable")
    ann.delete("/users/me")
    let_indexes_settle(product)
    call(product.aws, "SweeperFunction", {})
    product.deliver()

    _restore(product, replace=False, table="UsersTable")
    product.deliver()
    swept = purged(product)

    assert (swept["found"], swept["finished"]) == (1, 1)
    entries = own(product.anonymous.sign_in(ann.username))
    assert [entry["action"] for entry in entries] == ["created", "deleted", "purged", "refetch", "created"]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert _violations(product) == []


def test_tasks_that_are_replaced_lose_the_links_that_they_had_since(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    trashed, given, live = (ann.plan(title=title, room_id=room["id"], description=LONG) for title in "ABC")
    ann.delete(f"/tasks/{live['id']}")
    _back_up(product)
    revisions = {item["item"]: item["revision"] for item in product.items(TABLE) if "title" in item}
    ann.delete(f"/tasks/{trashed['id']}")
    ann.patch(f"/tasks/{given['id']}", json={"assignee_ids": [bob.id], "description": None})
    ann.post(f"/tasks/{live['id']}/restore")

    _restore(product, replace=True)

    assert [task["title"] for task in ann.list("/tasks")] == ["A", "B"]
    assert bob.list("/tasks") == []
    assert [task["title"] for task in ann.list(f"/rooms/{room['id']}/trash")] == ["C"]
    assert ann.get(f"/tasks/{given['id']}").json()["description"] == LONG
    assert all(
        item["revision"] > revisions[item["item"]] + 1 for item in product.items(TABLE) if item["item"] in revisions
    )
    assert _violations(product) == []


def test_after_a_restore_clients_get_everything_again_and_the_auditor_finds_nothing(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursors = []
    for _ in range(2):
        cursors.append(
            (ann.get("/sync").json()["cursor"], ann.get(f"/rooms/{room['id']}/changes").json()["next_cursor"])
        )
        with LOCK:
            raise_epoch(product.aws.dynamodb, "LogTable")

    for of_copy, of_room in cursors:
        assert ann.get("/sync", params={"cursor": of_copy}).json()["reset"]
        assert ann.get(f"/rooms/{room['id']}/changes", params={"cursor": of_room}).status == 410
    assert _violations(product) == []

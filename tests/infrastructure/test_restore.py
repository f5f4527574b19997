"""Tasks come back from a restored table whole, with what is stored beside them, and nothing else does."""

from typing import Any

from infrastructure.restore import Counts, restore
from tests.support.aws import LOCK
from tests.support.function_calls import call
from tests.support.product import Product

TABLE, RESTORED = "TasksTableV2", "Restored"
LONG = "word " * 200


def _back_up(product: Product) -> None:
    """What AWS does: another table with the same keys and items."""
    dynamodb = product.aws.dynamodb
    with LOCK:
        described = dynamodb.describe_table(TableName=TABLE)["Table"]
        types = {"owner_id", "item"}
        dynamodb.create_table(
            TableName=RESTORED,
            KeySchema=described["KeySchema"],
            AttributeDefinitions=[each for each in described["AttributeDefinitions"] if each["AttributeName"] in types],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in dynamodb.scan(TableName=TABLE)["Items"]:
            dynamodb.put_item(TableName=RESTORED, Item=item)


def _restore(product: Product, *, replace: bool) -> Counts:
    with LOCK:
        return restore(product.aws.dynamodb, RESTORED, TABLE, True, replace)


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

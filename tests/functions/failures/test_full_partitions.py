"""A partition of a table with local indexes has 10 GB at most: a room, or the personal tasks of a user."""

import json
from typing import Any

import pytest

from infrastructure.openapi.document import document
from tasksync.dynamodb.core.connection import shared_connection
from tasksync.model.errors import RoomStorageFull
from tests.functions.requests.write_requests import WRITES, Scene, effects, send
from tests.support.faults import full, happening
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.stack import Stack

LIMITED = {name for name, table in Stack().of_type("AWS::DynamoDB::Table").items() if "LocalSecondaryIndexes" in table}
TASKS = ["plan a task", "plan a personal task", "PUT a task", "PATCH a task", "move a task", "restore a task"]
GROWING = {WRITES[name].route for name in TASKS}
KEY = {"Idempotency_Key": "once"}


@pytest.mark.parametrize("name", TASKS)
def test_a_write_that_does_not_fit_is_a_conflict_and_can_be_repeated_with_its_key(product: Product, name: str) -> None:
    scene = Scene(product)
    request = WRITES[name].request(scene)
    before = effects(product)

    with happening(full(*LIMITED)):
        refused = [send(scene.ann, request, **KEY) for _ in range(2)]
        refused.append(send(scene.ann, request))

    for response in refused:
        document = problem(response, 409, "room_storage_full")
        assert "Nothing was written" in document["detail"]
    assert effects(product) == before
    assert send(scene.ann, request, **KEY).status in (200, 201)


def test_a_full_room_can_be_emptied_and_left(product: Product) -> None:
    scene = Scene(product)

    with happening(full(*LIMITED)):
        responses = [
            scene.ann.get(f"/tasks/{scene.task['id']}"),
            scene.ann.get(f"{scene.path}/tasks"),
            scene.ann.delete(f"/tasks/{scene.task['id']}"),
            scene.ann.delete(f"{scene.path}/trash/{scene.task['id']}"),
            scene.bob.delete(f"{scene.path}/users/me"),
            scene.ann.delete(scene.path),
        ]

    assert [response.status for response in responses] == [200, 200, 204, 204, 204, 204]


def test_preconditions_come_before_a_full_partition(product: Product) -> None:
    scene = Scene(product)

    with happening(full(*LIMITED)):
        response = send(scene.ann, WRITES["PATCH a task"].request(scene), If_Match='"9"')

    problem(response, 412, "version_mismatch")


def test_tasks_of_a_leaver_stay_assigned_until_the_room_has_space(product: Product) -> None:
    scene = Scene(product)
    task = scene.ann.plan(room_id=scene.room["id"], user_id=scene.bob.id)

    with happening(full(*LIMITED)):
        scene.bob.delete(f"{scene.path}/users/me")
        product.deliver(seconds=1)
    product.deliver()

    assert scene.ann.get(f"/tasks/{task['id']}").json()["user_id"] is None


@pytest.mark.parametrize("name", TASKS)
def test_a_full_partition_is_counted_for_the_alarm(
    product: Product, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(product)
    request = WRITES[name].request(scene)
    capsys.readouterr()

    with happening(full(*LIMITED)):
        refused = send(scene.ann, request)

    [line] = [
        line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line.get("event") == "storage full"
    ]
    owner = scene.ann.id if name == "plan a personal task" else scene.room["id"]
    assert (line["level"], line["table"], line["partitions"]) == ("ERROR", "TasksTableV2", [owner])
    assert (line["storage_full"], line["request_id"]) == (1, refused.headers["X-Request-Id"])


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "BatchWriteItem"])
@pytest.mark.parametrize("table", ["TasksTableV2", "RoomsTable", "ActivityTable"])
def test_single_and_batch_writes_of_any_table_say_which_partition_is_full(
    product: Product, table: str, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each table is known to the connection once one of its items was written.
    Scene(product)
    product.deliver()
    capsys.readouterr()
    keys = [key["AttributeName"] for key in product.aws.stack.of_type("AWS::DynamoDB::Table")[table]["KeySchema"]]
    item: Any = {name: {"S": f"{name} 1"} for name in keys}
    requests: dict[str, Any] = {
        "PutItem": {"TableName": table, "Item": item},
        "UpdateItem": {"TableName": table, "Key": item},
        "BatchWriteItem": {"RequestItems": {table: [{"PutRequest": {"Item": item}}]}},
    }

    with happening(full(table)), pytest.raises(RoomStorageFull):
        shared_connection().dispatch(operation, requests[operation])

    assert json.loads(capsys.readouterr().out)["partitions"] == [f"{keys[0]} 1"]


def test_the_description_names_the_error_where_a_table_with_local_indexes_grows() -> None:
    operations = {
        f"{method.upper()} {path}": operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    }

    assert {name for name, each in operations.items() if "room_storage_full" in each["x-problem-codes"]} == GROWING

"""The double of DynamoDB, held against what AWS documents."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.simulation.dynamodb import Database, Json, ServiceError
from tests.simulation.tables import Change

TABLES = {
    "T": {
        "KeySchema": [
            {"AttributeName": "room", "KeyType": "HASH"},
            {"AttributeName": "item", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_user",
                "KeySchema": [
                    {"AttributeName": "user", "KeyType": "HASH"},
                    {"AttributeName": "room", "KeyType": "RANGE"},
                ],
            }
        ],
    }
}


class Bench:
    """A database with a clock, an index that lags one second, and something that may run in the middle of reads."""

    def __init__(self) -> None:
        self.time = 0.0
        self.changes: list[list[Change]] = []
        self.between: Iterator[Callable[[], Any]] = iter(())
        self.database = Database(TABLES, lambda: self.time, lambda: 1.0, self._breathe, self.changes.append)

    def __call__(self, operation: str, **request: Any) -> Json:
        return self.database.call(operation, request)

    def put(self, room: str, item: str, **attributes: str) -> Json:
        return self("PutItem", TableName="T", Item=_item(room, item, **attributes))

    def items(self, **request: Any) -> list[str]:
        return [item["item"]["S"] for item in self("Query", **_query(**request))["Items"]]

    def _breathe(self) -> None:
        next(self.between, lambda: None)()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_failed_condition_leaves_the_item_unchanged(bench: Bench) -> None:
    bench.put("r", "a", title="first")

    with pytest.raises(ServiceError, match="ConditionalCheckFailedException"):
        bench("PutItem", TableName="T", Item=_item("r", "a"), ConditionExpression="attribute_not_exists (room)")

    found = bench("GetItem", TableName="T", Key=_item("r", "a"), ConsistentRead=True)
    assert found["Item"]["title"] == {"S": "first"}


def test_a_transaction_is_atomic(bench: Bench) -> None:
    bench.put("r", "a")
    writes = [{"Delete": _write("a")}, {"Put": _put("b", "attribute_exists (room)")}]

    with pytest.raises(ServiceError) as caught:
        bench("TransactWriteItems", TransactItems=writes, ClientRequestToken="1")

    reasons = [reason["Code"] for reason in caught.value.document["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert bench.items() == ["a"]


def test_a_repeated_transaction_is_carried_out_once(bench: Bench) -> None:
    counted = {**_write("a"), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    request = {"TransactItems": [{"Update": counted}], "ClientRequestToken": "1"}

    bench("TransactWriteItems", **request)
    bench("TransactWriteItems", **request)

    assert len(bench.changes) == 1
    with pytest.raises(ServiceError, match="IdempotentParameterMismatchException"):
        bench("TransactWriteItems", TransactItems=[{"Delete": _write("a")}], ClientRequestToken="1")
    bench.time = 601
    bench("TransactWriteItems", **request)
    assert len(bench.changes) == 2


def test_one_transaction_cannot_write_an_item_twice(bench: Bench) -> None:
    with pytest.raises(ServiceError, match="ValidationException"):
        bench("TransactWriteItems", TransactItems=[{"Put": _put("a")}, {"Delete": _write("a")}], ClientRequestToken="1")


def test_a_query_is_paginated_in_either_direction(bench: Bench) -> None:
    for name in "cabd":
        bench.put("r", name)
    bench.put("other", "x")

    first = bench("Query", **_query(Limit=2))
    assert [item["item"]["S"] for item in first["Items"]] == ["a", "b"]
    assert bench.items(Limit=3, ExclusiveStartKey=first["LastEvaluatedKey"]) == ["c", "d"]
    assert bench.items(ScanIndexForward=False, ExclusiveStartKey=_item("r", "c")) == ["b", "a"]


def test_a_filter_is_applied_after_the_limit(bench: Bench) -> None:
    bench.put("r", "a")
    bench.put("r", "b", user="ann")

    response = bench("Query", **_query(Limit=1, FilterExpression="attribute_exists (user)"))

    assert (response["Items"], response["ScannedCount"]) == ([], 1)
    assert response["LastEvaluatedKey"] == _item("r", "a")


def test_a_global_index_lags_and_refuses_consistent_reads(bench: Bench) -> None:
    bench.put("r", "a", user="ann")
    by_user = {
        "TableName": "T",
        "IndexName": "by_user",
        "KeyConditionExpression": "user = :u",
        "ExpressionAttributeValues": {":u": {"S": "ann"}},
    }

    assert bench("Query", **by_user)["Count"] == 0
    bench.time = 1.0
    assert bench("Query", **by_user)["Count"] == 1
    with pytest.raises(ServiceError, match="ValidationException"):
        bench("Query", **by_user, ConsistentRead=True)


def test_a_query_may_see_half_of_a_concurrent_transaction(bench: Bench) -> None:
    for name in "abcd":
        bench.put("r", name)
    gone = {"TransactItems": [{"Delete": _write(name)} for name in "ad"], "ClientRequestToken": "1"}
    bench.between = iter([lambda: bench("TransactWriteItems", **gone)])

    assert bench.items() == ["a", "b", "c"]
    assert bench.items() == ["b", "c"]


def test_the_segments_of_a_scan_cover_the_table(bench: Bench) -> None:
    for number in range(20):
        bench.put(f"r{number}", "a")

    counts = [bench("Scan", TableName="T", ConsistentRead=True, Segment=i, TotalSegments=4)["Count"] for i in range(4)]

    assert sum(counts) == 20
    assert max(counts) < 20


def _item(room: str, item: str, **attributes: str) -> Json:
    return {name: {"S": value} for name, value in {"room": room, "item": item, **attributes}.items()}


def _write(item: str) -> Json:
    return {"TableName": "T", "Key": _item("r", item)}


def _put(item: str, condition: str = "attribute_not_exists (room)") -> Json:
    return {"TableName": "T", "Item": _item("r", item), "ConditionExpression": condition}


def _query(**more: Any) -> Json:
    return {
        "TableName": "T",
        "KeyConditionExpression": "room = :r",
        "ExpressionAttributeValues": {":r": {"S": "r"}},
        "ConsistentRead": True,
        **more,
    }

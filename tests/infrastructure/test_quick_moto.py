"""moto's slow paths and the quick ones that replace them: every call on items is answered the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler

from tests.support import quick_moto
from tests.support.aws import Aws

TABLE = "RoomsTable"

PLAIN: dict[str, Any] = {"kind": {"S": "room"}, "version": {"N": "1"}}
MIXED: dict[str, Any] = {
    "text": {"S": "Ünïcode"},
    "number": {"N": "12.50"},
    "bytes": {"B": b"\x00\xff"},
    "truth": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "list": {"L": [{"S": "a"}, {"M": {"b": {"N": "1"}}}]},
    "map": {"M": {"a": {"L": [{"S": "b"}]}, "c": {"BOOL": False}}},
}


def key(room: str, item: str = "ROOM") -> dict[str, Any]:
    return {"room_id": {"S": room}, "item": {"S": item}}


@pytest.fixture
def answered_in_both_ways() -> Iterator[list[str]]:
    """The names of the calls that were answered quickly, each of which moto's own way had to answer the same."""
    compared: list[str] = []
    handlers: Any = DynamoHandler
    quick = handlers.serialized

    def serialized(handler: DynamoHandler, answer: Any) -> Any:
        own = quick_moto.own_serialized(handler, answer)
        given = quick(handler, answer)
        assert own[0] == given[0]
        assert json.loads(own[2]) == json.loads(given[2])
        assert own[1]["Content-Type"] == given[1]["Content-Type"]
        compared.append(handler._get_action())  # noqa: SLF001  # moto's own
        return given

    handlers.serialized = serialized
    yield compared
    handlers.serialized = quick


def test_every_call_on_items_is_answered_as_moto_itself_answers_it(aws: Aws, answered_in_both_ways: list[str]) -> None:
    calls = aws.dynamodb
    for room in ("a", "b"):
        calls.put_item(TableName=TABLE, Item={**key(room), **PLAIN, **MIXED}, ReturnConsumedCapacity="TOTAL")
    calls.get_item(TableName=TABLE, Key=key("a"), ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    calls.get_item(TableName=TABLE, Key=key("nowhere"))
    calls.query(
        TableName=TABLE, KeyConditionExpression="room_id = :r", ExpressionAttributeValues={":r": {"S": "a"}}, Limit=1
    )
    calls.scan(TableName=TABLE, Limit=1)
    calls.update_item(
        TableName=TABLE,
        Key=key("a"),
        UpdateExpression="ADD version :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    calls.batch_get_item(RequestItems={TABLE: {"Keys": [key("a"), key("b")]}})
    calls.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": {**key("c"), **PLAIN}}}]})
    calls.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": {**key("d"), **MIXED}}}])
    calls.transact_get_items(TransactItems=[{"Get": {"TableName": TABLE, "Key": key("d")}}])
    calls.delete_item(TableName=TABLE, Key=key("a"), ReturnValues="ALL_OLD")

    assert set(answered_in_both_ways) == quick_moto.ON_ITEMS


def test_a_transaction_that_fails_leaves_every_value_as_it_was(aws: Aws) -> None:
    stored = {**key("a"), **PLAIN, **MIXED}
    aws.dynamodb.put_item(TableName=TABLE, Item=stored)
    changed = "SET #text = :text, #list[0] = :text, #map.c = :text ADD version :one, #texts :texts REMOVE truth"
    values = {":text": {"S": "changed"}, ":one": {"N": "1"}, ":texts": {"SS": ["c"]}}
    update: Any = {
        "TableName": TABLE,
        "Key": key("a"),
        "UpdateExpression": changed,
        "ExpressionAttributeNames": {"#text": "text", "#list": "list", "#map": "map", "#texts": "texts"},
        "ExpressionAttributeValues": values,
    }
    failing: Any = {"TableName": TABLE, "Key": key("b"), "ConditionExpression": "attribute_exists(room_id)"}

    with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException):
        aws.dynamodb.transact_write_items(TransactItems=[{"Update": update}, {"ConditionCheck": failing}])
    untouched = aws.dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]
    aws.dynamodb.transact_write_items(TransactItems=[{"Update": update}])

    assert untouched == stored
    assert aws.dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]["version"] == {"N": "2"}

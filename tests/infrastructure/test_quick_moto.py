"""moto's slow paths and the quick ones that replace them: every call on items is answered the same."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb import comparisons
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from infrastructure.streams import in_lambda_form
from tests.support import quick_moto, streams
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
def responses_of_both() -> Iterator[list[str]]:
    """The names of the calls that were answered quickly, each of which moto's own way had to answer the same."""
    compared: list[str] = []
    handlers: Any = DynamoHandler
    of_streams: Any = DynamoDBStreamsHandler
    quick = handlers.serialized

    def serialized(handler: Any, response: Any) -> Any:
        own = quick_moto.own_serialized(handler, response)
        given = quick(handler, response)
        assert own[0] == given[0]
        assert json.loads(own[2]) == json.loads(given[2])
        assert own[1]["Content-Type"] == given[1]["Content-Type"]
        compared.append(handler._get_action())  # noqa: SLF001  # moto's own
        return given

    handlers.serialized = of_streams.serialized = serialized
    yield compared
    handlers.serialized = of_streams.serialized = quick


def test_every_item_call_gets_motos_own_response(aws: Aws, responses_of_both: list[str]) -> None:
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

    assert set(responses_of_both) == quick_moto.ON_ITEMS


def test_records_of_a_stream_are_answered_as_moto_itself_answers_them(aws: Aws, responses_of_both: list[str]) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item={**key("a"), **MIXED})
    aws.dynamodb.delete_item(TableName=TABLE, Key=key("a"))
    arn = aws.stack.arns[f"{TABLE}.StreamArn"]
    [shard] = aws.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = aws.streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    del responses_of_both[:]

    records = aws.streams.get_records(ShardIterator=iterator)["Records"]

    assert [record["eventName"] for record in records] == ["INSERT", "REMOVE"]
    assert records[0]["dynamodb"]["NewImage"] == {**key("a"), **MIXED}
    assert [in_lambda_form(record, arn) for record in records] == streams.records(aws, arn)
    assert streams.records(aws, arn, known=1) == streams.records(aws, arn)[1:]
    assert responses_of_both == ["GetRecords"]


@pytest.fixture
def results_of_both() -> Iterator[list[str]]:
    """The names of the calls that were handed to moto's methods quickly, and read the same as moto reads them."""
    compared: list[str] = []
    stubber: Any = BotocoreStubber
    handlers: Any = DynamoHandler
    quick, own_action = stubber.process_request, handlers.call_action

    def process(self: BotocoreStubber, request: Any) -> Any:
        seen: list[Any] = []

        def only_look(handler: Any) -> Any:
            action = handler._get_action()  # noqa: SLF001  # moto's own
            seen.append((handler.params, handler.region, handler.current_account, handler.raw_body, action))
            return 200, {}, ""

        handlers.call_action = only_look
        quick_moto.own_process(self, request)
        quick(self, request)
        handlers.call_action = own_action
        assert seen[0] == seen[1]
        compared.append(seen[0][-1])
        return quick(self, request)

    stubber.process_request = process
    yield compared
    stubber.process_request = quick


def test_a_request_is_read_as_moto_itself_reads_it(aws: Aws, results_of_both: list[str]) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item={**key("a"), **PLAIN, **MIXED}, ReturnConsumedCapacity="TOTAL")
    aws.dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": {**key("b"), **MIXED}}}])
    found = aws.dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]

    assert found == {**key("a"), **PLAIN, **MIXED}
    assert results_of_both == ["PutItem", "TransactWriteItems", "GetItem"]


@pytest.mark.parametrize(
    "changed",
    [
        "SET #text = :text, #list[0] = :text, #map.c = :text ADD version :one, #texts :texts REMOVE truth",
        "SET #number = #number + :one, #list = list_append(#list, :list), added = if_not_exists(added, :text)",
        "SET #map.a[0] = :text DELETE #texts :texts",
        "REMOVE #list[1], #map.a, nothing SET version = version - :one",
    ],
)
def test_an_expression_changes_an_item_as_by_motos_own_walk(aws: Aws, changed: str) -> None:
    values: dict[str, Any] = {
        ":text": {"S": "changed"},
        ":one": {"N": "1"},
        ":texts": {"SS": ["b"]},
        ":list": {"L": [{"S": "c"}]},
    }
    nodes: Any = ast_nodes
    traverser = nodes.DepthFirstTraverser
    quick = traverser.traverse_node_recursively, nodes.Node.find_clauses
    changed_items = []
    for walk in ((quick_moto.own_walk, quick_moto.own_clauses), quick):
        aws.dynamodb.put_item(TableName=TABLE, Item={**key("a"), **PLAIN, **MIXED})
        traverser.traverse_node_recursively, nodes.Node.find_clauses = walk
        try:
            response = aws.dynamodb.update_item(
                TableName=TABLE,
                Key=key("a"),
                UpdateExpression=changed,
                ConditionExpression="attribute_exists(room_id) AND version = :one",
                ExpressionAttributeNames={name: name[1:] for name in re.findall(r"#\w+", changed)},
                ExpressionAttributeValues={name: values[name] for name in {":one", *re.findall(r":\w+", changed)}},
                ReturnValues="ALL_NEW",
            )
        finally:
            traverser.traverse_node_recursively, nodes.Node.find_clauses = quick
        changed_items.append(response["Attributes"])

    assert changed_items[0] == changed_items[1] != {**key("a"), **PLAIN, **MIXED}


@pytest.mark.parametrize("condition", ["attribute_exists(#a.b[0]) AND NOT (c = :c OR d IN (:c, :d))", "size(a) <> :b"])
def test_a_condition_has_the_words_that_moto_itself_finds(condition: str) -> None:
    parser: Any = comparisons.ConditionExpressionParser(condition, None, None)

    quick = [parser._lex_condition_expression() for _ in range(2)]  # noqa: SLF001  # moto's own

    assert quick == [quick_moto.own_lexed(parser)] * 2
    assert quick[0] is not quick[1]


def test_a_failed_transaction_leaves_every_value_unchanged(aws: Aws) -> None:
    stored = {**key("a"), **PLAIN, **MIXED}
    for item in (stored, {**stored, **key("c")}):
        aws.dynamodb.put_item(TableName=TABLE, Item=item)
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
        aws.dynamodb.transact_write_items(
            TransactItems=[
                {"Update": update},
                {"Delete": {"TableName": TABLE, "Key": key("c")}},
                {"Put": {"TableName": TABLE, "Item": key("d")}},
                {"ConditionCheck": failing},
            ]
        )
    untouched = aws.dynamodb.scan(TableName=TABLE)["Items"]
    aws.dynamodb.transact_write_items(TransactItems=[{"Update": update}])

    assert untouched == [stored, {**stored, **key("c")}]
    assert aws.dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]["version"] == {"N": "2"}
    recorded = streams.records(aws, aws.stack.arns[f"{TABLE}.StreamArn"])
    assert [record["eventName"] for record in recorded] == ["INSERT", "INSERT", "MODIFY"]

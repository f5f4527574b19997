"""`make replay`: what a function gave up is read from the stream again, handed over, and only then forgotten."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infrastructure.replay import Failures, Outcome
from tests.functions.activity.trails import stored
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.rooms_table import of_rooms
from tests.support.streams import records

Json = dict[str, Any]


class Functions:
    """Lambda's API as far as it is used, in front of the functions in process. ``broken``: they raise."""

    def __init__(self, product: Product) -> None:
        self._aws = product.aws
        self.broken = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Json:  # noqa: N803  # as boto3 names them
        if self.broken:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no such module"}')}
        response = call(self._aws, FunctionName, json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(response).encode())}

    def list_event_source_mappings(self, *, EventSourceArn: str) -> Json:  # noqa: N803  # as boto3 names it
        stack = self._aws.stack
        return {
            "EventSourceMappings": [
                {
                    "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{function}:live",
                    "FilterCriteria": event["FilterCriteria"],
                }
                for function in stack.functions
                for event in stack.events(function, "DynamoDB")
                if stack.resolve(event["Stream"]) == EventSourceArn
            ]
        }


class Yesterday:
    """A stream that keeps its records no more."""

    def get_shard_iterator(self, **_: Any) -> Json:
        raise ClientError({"Error": {"Code": "TrimmedDataAccessException"}}, "GetShardIterator")


class Given:
    """A product, and a failure queue of one of its functions."""

    def __init__(self, product: Product, function: str) -> None:
        self.product = product
        self.functions = Functions(product)
        self._sqs: Any = boto3.client("sqs")
        self.url: str = self._sqs.create_queue(QueueName="failures")["QueueUrl"]
        self.clients = {"sqs": self._sqs, "dynamodbstreams": product.aws.streams}
        self.failures = Failures(lambda service, **_: self.clients[service], self.functions, self.url, function)

    def give_up(self, table: str) -> None:
        """As Lambda does with all records of a table's stream.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html
        """
        arn = self.product.aws.stack.arns[f"{table}.StreamArn"]
        [shard] = self.product.aws.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records(self.product.aws, arn)]
        self.send(shard["ShardId"], numbers[0], numbers[-1], arn)

    def send(self, shard: str, first: str, last: str, arn: str) -> None:
        batch = {
            "shardId": shard,
            "startSequenceNumber": first,
            "endSequenceNumber": last,
            "approximateArrivalOfFirstRecord": "2026-11-14T00:13:19Z",
            "approximateArrivalOfLastRecord": "2026-11-14T00:13:19Z",
            "batchSize": 1,
            "streamArn": arn,
        }
        message = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": batch}
        self._sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(message))

    def messages(self) -> int:
        """In the queue, whether they can be received or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())


@pytest.fixture
def ann(product: Product) -> Person:
    return product.register("ann")


def unclean(product: Product) -> list[str]:
    report = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})
    return [finding["invariant"] for finding in report["findings"] if finding["violations"]]


def test_the_remaining_items_of_a_room_are_removed(product: Product, ann: Person) -> None:
    given = Given(product, "RoomCleanupFunction")
    room, other = ann.open_room(), ann.open_room()
    ann.plan(room_id=room["id"])
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    given.give_up("RoomsTable")

    assert list(given.failures.replay()) == [Outcome("replayed", 1)]

    assert {item["room_id"] for item in of_rooms(product)} == {other["id"], f"CODE#{other['code']}"}
    assert product.items("TasksTableV2") == []
    assert given.messages() == 0


def test_the_remaining_items_of_a_removed_user_are_removed(product: Product, ann: Person) -> None:
    given = Given(product, "UserRemovalFunction")
    ann.open_room()
    ann.plan()
    assert ann.delete("/users/me").status == 204
    given.give_up("UsersTable")

    assert [outcome.state for outcome in given.failures.replay()] == ["replayed"]

    assert product.items("TasksTableV2") == []
    product.deliver()
    assert of_rooms(product) == []


def test_a_former_member_is_unassigned(product: Product, ann: Person) -> None:
    given = Given(product, "DispatchFunction")
    bob, room = product.register("bob"), ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    product.deliver(to="ActivityFunction")
    given.give_up("LogTable")

    assert list(given.failures.replay()) == [Outcome("replayed", 1)]

    assert ann.get(f"/tasks/{task['id']}").json()["user_id"] is None
    assert given.messages() == 0


@pytest.mark.parametrize("table", ["UsersTable", "RoomsTable", "TasksTableV2"])
def test_the_audit_trail_is_complete_again(product: Product, ann: Person, table: str) -> None:
    given = Given(product, "ActivityFunction")
    bob, room = product.register("bob"), ann.open_room()
    bob.join(room)
    tasks = [ann.plan(room_id=room["id"], title=str(number)) for number in range(15)]
    assert ann.patch(f"/tasks/{tasks[0]['id']}", json={"title": "Anew"}).status == 200
    for each in ("UsersTable", "RoomsTable", "TasksTableV2"):
        given.give_up(each)
    assert unclean(product) == ["I13"]

    handed_over = sum(outcome.records for outcome in given.failures.replay())

    assert handed_over == 2 + 2 + 16
    assert len(stored(product)) == 2 + 16  # of rooms
    assert unclean(product) == []
    given.give_up(table)
    entries = product.items("LogTable")
    assert [outcome.state for outcome in given.failures.replay()] == ["replayed"]
    assert product.items("LogTable") == entries


def test_a_message_stays_while_the_function_fails(product: Product, ann: Person) -> None:
    given = Given(product, "ActivityFunction")
    ann.open_room()
    given.give_up("RoomsTable")
    given.functions.broken = True

    assert list(given.failures.replay()) == [Outcome("failed", 0, "no such module")]

    assert given.messages() == 1


def test_a_message_stays_while_the_function_reports_a_record(product: Product, ann: Person) -> None:
    given = Given(product, "ActivityFunction")
    ann.open_room()
    given.give_up("RoomsTable")
    tables.drop(product.aws, "LogTable")

    [outcome] = given.failures.replay()

    assert outcome.state == "failed"
    assert outcome.reason.startswith("the function could not finish record ")
    assert given.messages() == 1


@pytest.mark.parametrize(("delete", "left"), [(False, 1), (True, 0)])
def test_an_expired_stream_record_is_reported_and_deleted_on_demand(
    product: Product, ann: Person, delete: bool, left: int
) -> None:
    given = Given(product, "RoomCleanupFunction")
    ann.open_room()
    given.give_up("RoomsTable")
    given.clients["dynamodbstreams"] = Yesterday()

    [outcome] = given.failures.replay(delete_gone=delete)

    assert outcome.state == "gone"
    assert given.messages() == left

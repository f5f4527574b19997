"""What goes wrong between a stream and its function: records that come again, late or made up; no time; an outage."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import NoCredentialsError
from moto.core.botocore_stubber import MockRawResponse

from tasksync.dynamodb.core.connection import shared_connection
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler
from tests.support.product import Product
from tests.support.tables import change

Json = dict[str, Any]


class Hourglass(LambdaContext):
    """An invocation whose time is nearly over when it has been asked for ``looks`` times: before each request to AWS it
    is, and before each step that would take long."""

    def __init__(self, function: str, looks: int) -> None:
        super().__init__(function)
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks >= 0 else 1_000


def hand_over(product: Product, function: str, records: list[Json], context: LambdaContext | None = None) -> list[str]:
    """Call a stream's function with these records. Answers with the sequence numbers it reported as failed."""
    handler = load_handler(product.aws.stack.functions[function]["Handler"])
    with product.aws.running(function):
        response = handler(json.loads(json.dumps({"Records": records})), context or LambdaContext(function, 60.0))
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def record(number: int, keys: dict[str, str], image: dict[str, str | int]) -> Json:
    """A stream record as Lambda hands it over, which a function must not take for the truth."""
    return {
        "eventID": f"{number:032x}",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {name: {"S": value} for name, value in keys.items()},
            "NewImage": {
                name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in image.items()
            },
            "ApproximateCreationDateTime": int(time.time()),
            "SequenceNumber": f"{number}00000000000000000000",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


@contextmanager
def outage(table: str, after: int = 0) -> Iterator[None]:
    """For the block, what concerns this table fails before it reaches DynamoDB, once ``after`` calls have got through.

    It fails in a way that is not tried again, so that nobody has to wait.
    """
    calls = 0

    def fail(request: AWSPreparedRequest, **_: object) -> None:
        nonlocal calls
        if _concerns(request, table):
            calls += 1
            if calls > after:
                raise NoCredentialsError

    with _before_send(fail):
        yield


@contextmanager
def lost_responses(table: str, after: int = 0) -> Iterator[None]:
    """For the block, DynamoDB does what concerns this table and fails to say so, after ``after`` answers."""
    calls = 0

    def lose(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        nonlocal calls
        if not _concerns(request, table):
            return None
        calls += 1
        if calls <= after:
            return None
        # botocore asks all who listen, moto among them, and takes the first response.
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.0"
        body = json.dumps({"__type": "com.amazonaws.dynamodb.v20120810#ResourceInUseException", "message": "lost"})
        return AWSResponse(request.url, 400, headers, MockRawResponse(body))

    with _before_send(lose):
        yield


@contextmanager
def repeated(operation: str) -> Iterator[None]:
    """For the block, DynamoDB carries out the first request of this operation, and its response is lost: the client
    sends it again."""
    left = [operation]

    def lose(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        if not left or not _of(request, left[0]):
            return None
        left.pop()
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.0"
        body = json.dumps({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"})
        return AWSResponse(request.url, 500, headers, MockRawResponse(body))

    with _before_send(lose):
        yield
    assert not left


def _of(request: AWSPreparedRequest, operation: str) -> bool:
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else str(target)).endswith(f".{operation}")


@contextmanager
def _before_send(listener: Callable[..., Any]) -> Iterator[None]:
    events = shared_connection().client.events
    events.register_first("before-send.dynamodb", listener)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", listener)


def _concerns(request: AWSPreparedRequest, table: str) -> bool:
    body = request.body
    return f'"{table}"' in (body.decode() if isinstance(body, bytes) else str(body))


def copies(product: Product, task: Json, number: int) -> None:
    """Put a task into its table some more times under other ids, much faster than planning would."""
    items = [json.dumps(each) for each in _raw_items(product, "TasksTableV2") if task["id"] in json.dumps(each)]
    own = task["id"].rpartition(".")[2]
    puts: list[Any] = [
        {"PutRequest": {"Item": json.loads(item.replace(own, f"{int(own, 16) + i:032x}"))}}
        for i in range(1, number + 1)
        for item in items
    ]
    for start in range(0, len(puts), 25):
        product.aws.dynamodb.batch_write_item(RequestItems={"TasksTableV2": puts[start : start + 25]})


def let_indexes_settle(product: Product) -> None:
    """Move the deletions accepted so far into the past, long enough ago for all indexes to have caught up.

    The change makes records of its own, so the next delivery finds what the sweeper would find.
    """
    long_ago = "2020-01-01T00:00:00.000Z"
    for user in product.items("UsersTable"):
        if user.get("status") == "deleting":
            change(product.aws, "UsersTable", {"user_id": user["user_id"]}, updated_at=long_ago)


def _raw_items(product: Product, table: str) -> list[Json]:
    items: list[Json] = product.aws.dynamodb.scan(TableName=table)["Items"]
    return items

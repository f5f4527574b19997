"""What DynamoDB and the network between may do to a request of the product; never to one of the authorizer.

Whoever uses these need not wait: ``no_waiting`` takes the pauses between attempts away.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from tasksync.dynamodb.core.connection import shared_connection

Json = dict[str, Any]
Fault = Callable[[AWSPreparedRequest], AWSResponse | None]
"""What becomes of a request: a response, an exception, or None to let it pass."""

WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


def no_waiting(patch: pytest.MonkeyPatch) -> None:
    """Let nobody sleep, and let attempts be made as if most had succeeded so far."""
    patch.setattr(time, "sleep", lambda _: None)
    shared_connection().client._quota.release(500)  # noqa: SLF001  # botocore's, which fails fast where much fails


@contextmanager
def happening(fault: Fault, *, to: set[str] = WRITES, carried_out: bool = False, without: str = "") -> Iterator[None]:
    """Let ``fault`` happen to each request for one of these operations.

    ``carried_out``: DynamoDB has done what it was asked by then; for faults that raise. ``without``: a table whose
    requests are spared.
    """

    def listener(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        spared = without and f'"{without}"' in text_of(request)
        return None if spared or operation_of(request) not in to else fault(request)

    events = shared_connection().client.events
    # moto listens to all services; who listens to one alone is asked before.
    name = "before-send" if carried_out else "before-send.dynamodb"
    (events.register_last if carried_out else events.register_first)(name, listener)
    try:
        yield
    finally:
        events.unregister(name, listener)


def silent(request: AWSPreparedRequest) -> None:
    raise ReadTimeoutError(endpoint_url=request.url)


def unreachable(request: AWSPreparedRequest) -> None:
    raise EndpointConnectionError(endpoint_url=request.url, error=OSError("refused"))


def refusing(code: str, status: int = 400, **fields: Any) -> Fault:
    """Answers with an error. moto is asked all the same, and does what it was asked."""
    return lambda request: response(request, status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **fields})


def full(*tables: str) -> Fault:
    """The partitions of these tables are full: what would add to them is refused.

    The error is raised, so that moto does not do what it was asked.
    """

    def fault(request: AWSPreparedRequest) -> None:
        operation, body = operation_of(request), json.loads(text_of(request))
        writes = [pair for each in body.get("TransactItems", ()) for pair in each.items()]
        growing = [write["TableName"] in tables and _grows(kind, write) for kind, write in writes]
        batch = [(table, part) for table, parts in body.get("RequestItems", {}).items() for part in parts]
        code = "ItemCollectionSizeLimitExceededException"
        if any(growing):
            code = "TransactionCanceledException"
        elif not any(table in tables and "PutRequest" in part for table, part in batch) and not (
            operation in ("PutItem", "UpdateItem") and body["TableName"] in tables
        ):
            return
        reasons = [{"Code": "ItemCollectionSizeLimitExceeded" if full else "None"} for full in growing]
        details: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(details | {"CancellationReasons": reasons}, operation)

    return fault


def _grows(kind: str, write: dict[str, Any]) -> bool:
    """Whether a write makes its item collection larger. A task that leaves an index makes it smaller."""
    removed = str(write.get("UpdateExpression", "")).partition("REMOVE ")[2].partition(" ADD ")[0]
    names = [write["ExpressionAttributeNames"][each.strip()] for each in removed.split(",") if each.strip()]
    return kind == "Put" or (kind == "Update" and "by_rank" not in names)


def one_after_the_other(*faults: Fault) -> Fault:
    """The last one for all that come behind."""
    left = list(faults)

    def next_one(request: AWSPreparedRequest) -> AWSResponse | None:
        fault = left.pop(0) if len(left) > 1 else left[0]
        return fault(request)

    return next_one


def nothing_processed(times: int) -> Fault:
    """The next batches are answered with success and with nothing done."""
    left = times

    def fault(request: AWSPreparedRequest) -> AWSResponse | None:
        nonlocal left
        left -= 1
        if left < 0:
            return None
        wanted = json.loads(text_of(request))["RequestItems"]
        read = operation_of(request) == "BatchGetItem"
        # What moto makes of the request is not to be.
        request.body = json.dumps({"RequestItems": {}}).encode()
        return response(request, 200, {"Responses": {}, "UnprocessedKeys" if read else "UnprocessedItems": wanted})

    return fault


def response(request: AWSPreparedRequest, status: int, document: Json) -> AWSResponse:
    headers = HTTPHeaders()
    headers["Content-Type"] = "application/x-amz-json-1.0"
    return AWSResponse(request.url, status, headers, MockRawResponse(json.dumps(document)))


def operation_of(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else target).partition(".")[2]


def text_of(request: AWSPreparedRequest) -> str:
    return request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")

"""What requests cost at DynamoDB: calls, items, and capacity units, which moto does not reckon.

Units are AWS's: 4 KB of an item that is read for one, half of one where the read is not consistent, and at least that
for each item or query; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest

from tasksync.tables.connection import shared_connection
from tests.support.aws import Aws
from tests.support.tasks_table import size_of

Json = dict[str, Any]

_OF_READS = {
    "TableName",
    "IndexName",
    "KeyConditionExpression",
    "ExpressionAttributeValues",
    "Limit",
    "ScanIndexForward",
}

_ALL = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]


@dataclass
class Spent:
    items: int = 0
    """Items read."""
    units: float = 0.0
    """Capacity units of what was read."""
    writes: int = 0
    """Items written, those included that a transaction only checks."""
    shares: int = 0
    """Calls that take a share of a rate limit, which some requests make and others do not; not in the others."""


@contextmanager
def spending(aws: Aws) -> Iterator[Spent]:
    """Counts what the functions with the shared connection ask of DynamoDB in this block."""
    spent = Spent()

    def count(request: AWSPreparedRequest, **_: Any) -> None:
        operation = str(request.headers["X-Amz-Target"]).rpartition(".")[2]
        with aws.permissions.of("a test", _ALL):
            _count(spent, aws, operation, json.loads(cast("bytes", request.body)))

    events: Any = shared_connection().client.events
    events.register_first("before-send.dynamodb", count)
    try:
        yield spent
    finally:
        events.unregister("before-send.dynamodb", count)


def _count(spent: Spent, aws: Aws, operation: str, request: Json) -> None:
    dynamodb: Any = aws.dynamodb
    if request.get("TableName") == "RateLimitsTable":
        spent.shares += 1
        return
    match operation:
        case "GetItem":
            _add(spent, [dynamodb.get_item(TableName=request["TableName"], Key=request["Key"]).get("Item")], request)
        case "BatchGetItem":
            for table, part in request["RequestItems"].items():
                found = [dynamodb.get_item(TableName=table, Key=key).get("Item") for key in part["Keys"]]
                _add(spent, found, part)
        case "Query":
            page = dynamodb.query(**_whole(request))
            _add(spent, [page["Items"]], request)
        case "TransactWriteItems":
            spent.writes += len(request["TransactItems"])
        case "BatchWriteItem":
            spent.writes += sum(len(writes) for writes in request["RequestItems"].values())
        case "PutItem" | "UpdateItem" | "DeleteItem":
            spent.writes += 1
        case _:
            raise ValueError(f"not understood: {operation}")


def _whole(request: Json) -> Json:
    """The query without its filter, and with the names and values that are needed then: what is dropped was read."""
    kept = {name: value for name, value in request.items() if name in _OF_READS}
    form = request["KeyConditionExpression"]
    kept["ExpressionAttributeValues"] = {n: v for n, v in request["ExpressionAttributeValues"].items() if n in form}
    names = {n: v for n, v in request.get("ExpressionAttributeNames", {}).items() if n in form}
    return kept | ({"ExpressionAttributeNames": names} if names else {})


def _add(spent: Spent, reads: list[Any], request: Json) -> None:
    """``reads``: for each unit of reading an item, the items of a query, or None."""
    for read in reads:
        items = read if isinstance(read, list) else [] if read is None else [read]
        size = sum(size_of(item) for item in items)
        spent.items += len(items)
        spent.units += max(1, math.ceil(size / 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)

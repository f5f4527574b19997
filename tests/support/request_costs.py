"""What requests cost at DynamoDB: calls, items, and capacity units, which moto does not reckon.

Units of writing are reckoned in ``write_units.py``. Units of reading are AWS's: 4 KB of an item for one, half of one
where the read is not consistent, and at least that for each item or query;
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest

from tasksync.aws.client import Client
from tasksync.domain.rate_limits import POLICIES
from tasksync.dynamodb.core.connection import shared_connection
from tests.support.aws import Aws
from tests.support.tasks_table import size_of
from tests.support.write_units import Writes

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
class RequestCosts:
    items: int = 0
    """Items read."""
    units: float = 0.0
    """Capacity units of what was read."""
    writes: int = 0
    """Items written, those included that a transaction only checks."""
    write_units: Counter[str] = field(default_factory=Counter)
    """Capacity units of what was written, by table."""
    behind: set[str] = field(default_factory=set)
    """Indexes that were read and may lag: those of a whole table always do."""
    leases: int = 0
    """Calls that take a lease of a rate limit, which some requests make and others do not; not in the others, unless
    they are to be counted, too."""


@contextmanager
def measured_costs(aws: Aws, leases: bool = False, also: Iterable[Client] = ()) -> Iterator[RequestCosts]:
    """Counts what the functions with the shared connection ask of DynamoDB in this block.

    ``shares``: count what takes a lease of a rate limit, too. ``also``: other clients to count.
    """
    costs = RequestCosts()
    writes = Writes(aws)

    def count(request: AWSPreparedRequest, **_: Any) -> None:
        operation = str(request.headers["X-Amz-Target"]).rpartition(".")[2]
        body = json.loads(cast("bytes", request.body))
        with aws.permissions.of("a test", _ALL):
            costs.write_units.update(writes.settle())
            lease = _is_lease(body)
            costs.leases += lease
            if leases or not lease:
                _count(costs, writes, aws, operation, body)

    hooks: list[Any] = [client.events for client in (shared_connection().client, *also)]
    for events in hooks:
        events.register_first("before-send.dynamodb", count)
    try:
        yield costs
        with aws.permissions.of("a test", _ALL):
            costs.write_units.update(writes.settle())
    finally:
        for events in hooks:
            events.unregister("before-send.dynamodb", count)


def _is_lease(request: Json) -> bool:
    """Limits that are exact, and what guards passwords, are counted at each request."""
    counter = str(request.get("Key", {}).get("limit_id", {}).get("S"))
    return counter.partition("#")[0] in {policy.name for policy in POLICIES if not policy.exact}


def _count(costs: RequestCosts, writes: Writes, aws: Aws, operation: str, request: Json) -> None:
    dynamodb: Any = aws.dynamodb
    match operation:
        case "GetItem":
            _add(costs, [dynamodb.get_item(TableName=request["TableName"], Key=request["Key"]).get("Item")], request)
        case "BatchGetItem":
            for table, part in request["RequestItems"].items():
                found = [dynamodb.get_item(TableName=table, Key=key).get("Item") for key in part["Keys"]]
                _add(costs, found, part)
        case "Scan":
            _add(costs, [dynamodb.scan(**request)["Items"]], request)
        case "Query":
            if "IndexName" in request and not request.get("ConsistentRead"):
                costs.behind.add(request["IndexName"])
            page = dynamodb.query(**_whole(request))
            _add(costs, [page["Items"]], request)
        case _:
            costs.writes += writes.expect(operation, request)


def _whole(request: Json) -> Json:
    """The query without its filter, and with the names and values that are needed then: what is dropped was read."""
    kept = {name: value for name, value in request.items() if name in _OF_READS}
    form = request["KeyConditionExpression"]
    kept["ExpressionAttributeValues"] = {n: v for n, v in request["ExpressionAttributeValues"].items() if n in form}
    names = {n: v for n, v in request.get("ExpressionAttributeNames", {}).items() if n in form}
    return kept | ({"ExpressionAttributeNames": names} if names else {})


def _add(costs: RequestCosts, reads: list[Any], request: Json) -> None:
    """``reads``: for each unit of reading an item, the items of a query, or None."""
    for read in reads:
        items = read if isinstance(read, list) else [] if read is None else [read]
        size = sum(size_of(item) for item in items)
        costs.items += len(items)
        costs.units += max(1, math.ceil(size / 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)

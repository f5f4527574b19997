"""The tasks table when it is large: queries are answered from sorted lists, however many tasks there are.

Stands before moto, which would look at every item at each query; all other calls go on to moto. What a query costs is
counted as AWS counts it: items that were read, and 4 KB of them a unit, half a unit where the read is not consistent.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import io
import json
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from tasksync.dynamodb.core.connection import shared_connection
from tests.simulation import expressions
from tests.simulation.expressions import Placeholders

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Json = dict[str, Any]
Partition = list[tuple[str, Json]]

_MOST_BYTES = 1_000_000


@dataclass
class Read:
    """What was read since it was last asked. ``items``: by queries."""

    queries: int = 0
    items: int = 0
    units: float = 0.0
    tasks: int = 0
    """Read by their keys."""


class TasksTable:
    """The table ``properties`` describe in the template, with these items. ``others``: has the other tables."""

    def __init__(self, properties: Mapping[str, Any], items: Iterable[Json], others: "DynamoDBClient") -> None:
        every = list(items)
        self._others: Any = others
        self._by_key = {(item["owner_id"]["S"], item["item"]["S"]): item for item in every}
        self._table = _partitions(properties["KeySchema"], every)
        indexes = [*properties["LocalSecondaryIndexes"], *properties["GlobalSecondaryIndexes"]]
        self._indexes = {index["IndexName"]: _partitions(index["KeySchema"], every) for index in indexes}
        self.read = Read()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """For the block, the product's queries of the tasks table are answered from here."""
        events: Any = shared_connection().client.events
        events.register_first("before-send.dynamodb.Query", self._respond)
        events.register_first("before-send.dynamodb.BatchGetItem", self._respond_to_batch)
        try:
            yield
        finally:
            events.unregister("before-send.dynamodb.Query", self._respond)
            events.unregister("before-send.dynamodb.BatchGetItem", self._respond_to_batch)

    def measured(self) -> Read:
        """What has been read since this was last called."""
        read, self.read = self.read, Read()
        return read

    def _respond(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        body: Json = json.loads(cast("bytes", request.body))
        if body["TableName"] != "TasksTableV2":
            return None
        content = json.dumps(self._query(body)).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(content))

    def _respond_to_batch(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        wanted: Json = json.loads(cast("bytes", request.body))["RequestItems"]
        if "TasksTableV2" not in wanted:
            return None
        asked = wanted.pop("TasksTableV2")
        keys = asked["Keys"]
        found = self._others.batch_get_item(RequestItems=wanted)["Responses"] if wanted else {}
        items = [self._by_key.get((key["owner_id"]["S"], key["item"]["S"])) for key in keys]
        self.read.tasks += len(keys)
        factor = 1.0 if asked.get("ConsistentRead") else 0.5
        self.read.units += factor * sum(max(1, math.ceil(size_of(item or {}) / 4096)) for item in items)
        found["TasksTableV2"] = [item for item in items if item is not None]
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(json.dumps({"Responses": found}).encode()))

    def _query(self, request: Json) -> Json:
        limit = request.get("Limit", math.inf)
        names, partitions = self._indexes[request["IndexName"]] if "IndexName" in request else self._table
        given = Placeholders(request["ExpressionAttributeNames"], request["ExpressionAttributeValues"])
        partition, low, high = _range(request)
        everything = partitions.get(partition, [])
        start = bisect_left(everything, low, key=itemgetter(0))
        end = bisect_right(everything, high, key=itemgetter(0))
        if "ExclusiveStartKey" in request:
            place = request["ExclusiveStartKey"][names[1]]["S"]
            if request.get("ScanIndexForward", True):
                start = bisect_right(everything, place, key=itemgetter(0))
            else:
                end = bisect_left(everything, place, key=itemgetter(0))
        wanted = expressions.condition(request["FilterExpression"]) if "FilterExpression" in request else None
        places = range(start, end) if request.get("ScanIndexForward", True) else range(end - 1, start - 1, -1)
        items: list[Json] = []
        response: Json = {"Items": items}
        size = read = 0
        for place in places:
            item = everything[place][1]
            size += size_of(item)
            read += 1
            if wanted is None or wanted(item, given):
                items.append(item)
            if read == limit or size > _MOST_BYTES:
                response["LastEvaluatedKey"] = {name: item[name] for name in {*names, "owner_id", "item"}}
                break
        units = max(1, math.ceil(size / 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)
        self.read.queries += 1
        self.read.items += read
        self.read.units += units
        return response | {"Count": len(items), "ScannedCount": read}


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def size_of(item: Json) -> int:
    """Bytes, as DynamoDB counts them: names and texts in UTF-8, numbers about a byte for two digits, and one."""
    size = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        size += len(name.encode()) + (len(str(value)) // 2 + 2 if kind == "N" else len(str(value).encode()))
    return size


def _partitions(schema: list[Mapping[str, str]], items: list[Json]) -> tuple[list[str], dict[str, Partition]]:
    """Names of the keys; and by partition the items that have both, in order."""
    names = [key["AttributeName"] for key in sorted(schema, key=itemgetter("KeyType"))]
    found: dict[str, Partition] = defaultdict(list)
    for item in items:
        if all(name in item for name in names):
            found[item[names[0]]["S"]].append((item[names[1]]["S"], item))
    for partition in found.values():
        partition.sort(key=itemgetter(0))
    return names, found


def _range(request: Json) -> tuple[str, str, str]:
    """Partition, first and last sort key: of the forms of key condition that the product's lists have."""
    form, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
    equal, _, between = form.replace("(", "").replace(")", "").partition(" AND ")
    if " = " in equal and not between:
        return values[equal.partition(" = ")[2].strip()]["S"], "", chr(0x10FFFF)
    if " = " in equal and " > " in between:
        name, behind = (
            values[each.partition(sign)[2].strip()]["S"] for each, sign in ((equal, " = "), (between, " > "))
        )
        return name, behind + chr(0), chr(0x10FFFF)
    if " = " not in equal or " BETWEEN " not in between:
        raise ValueError(f"not understood: {form}")
    bounds = between.partition(" BETWEEN ")[2].split(" AND ")
    partition, low, high = (values[name.strip()]["S"] for name in [equal.partition(" = ")[2], *bounds])
    return partition, low, high

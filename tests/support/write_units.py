"""Capacity units of writing, which moto does not reckon.

Units are AWS's: 1 KB of an item for one, of the item before or after the write, whichever is larger; twice as many in a
transaction, for an item that it only checks, too; and for each index one for each KB of an entry that is put, changed
or taken out, which is two where the entry gets another place.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ThroughputConsiderations.Writes
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

AWS does not say whether a transaction doubles what indexes cost; here it does not. That a check costs what a write
costs was measured on AWS by others: https://martinhicks.dev/articles/what-a-conditional-dynamodb-transaction-costs
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.aws import Aws
from tests.support.tasks_table import size_of

Json = dict[str, Any]

_IN_TRANSACTION = 2


@dataclass(frozen=True, slots=True)
class Write:
    """An item that is about to be written, as it is before."""

    table: str
    key: Json
    before: Json | None
    factor: int


class Writes:
    """Items that are about to be written; what that costs is known once they are."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._tables = aws.stack.of_type("AWS::DynamoDB::Table")
        self._pending: list[Write] = []

    def expect(self, operation: str, request: Json) -> int:
        """Take note of what ``request`` writes; the number of items."""
        found = [
            Write(table, key, self._item(table, key), factor)
            for table, key, factor in self._written(operation, request)
        ]
        self._pending += found
        return len(found)

    def settle(self) -> Counter[str]:
        """The units, by table, of what was expected since this was last called, all of which is over by now."""
        pending, self._pending = self._pending, []
        units: Counter[str] = Counter()
        for write in pending:
            units[write.table] += self._units(write, self._item(write.table, write.key))
        return units

    def _written(self, operation: str, request: Json) -> Iterator[tuple[str, Json, int]]:
        """Table, key and factor of each item."""
        match operation:
            case "TransactWriteItems":
                for each in request["TransactItems"]:
                    (write,) = each.values()
                    yield write["TableName"], self._key(write["TableName"], write), _IN_TRANSACTION
            case "BatchWriteItem":
                for table, writes in request["RequestItems"].items():
                    for each in writes:
                        (write,) = each.values()
                        yield table, self._key(table, write), 1
            case "PutItem" | "UpdateItem" | "DeleteItem":
                yield request["TableName"], self._key(request["TableName"], request), 1
            case _:
                raise ValueError(f"not understood: {operation}")

    def _key(self, table: str, write: Json) -> Json:
        if "Key" in write:
            return dict(write["Key"])
        return {name: write["Item"][name] for name in _names(self._tables[table])}

    def _item(self, table: str, key: Json) -> Json | None:
        dynamodb: Any = self._aws.dynamodb
        item: Json | None = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return item

    def _units(self, write: Write, after: Json | None) -> int:
        properties = self._tables[write.table]
        units = write.factor * max(_kilobytes(write.before), _kilobytes(after))
        if write.before == after:
            return units
        for index in [*properties.get("LocalSecondaryIndexes", []), *properties.get("GlobalSecondaryIndexes", [])]:
            names = _names(index)
            old, new = _place(write.before, names), _place(after, names)
            match index["Projection"]["ProjectionType"]:
                case "ALL":
                    before_kb, after_kb = _kilobytes(write.before), _kilobytes(after)
                case "KEYS_ONLY":
                    before_kb = after_kb = 1
                    if old == new:  # nothing that is in the index has changed
                        continue
                case _:
                    raise ValueError(f"not understood: {index}")
            if old == new and old is not None:
                units += max(before_kb, after_kb)
                continue
            units += before_kb if old is not None else 0
            units += after_kb if new is not None else 0
        return units


def _names(described: Json) -> list[str]:
    return [key["AttributeName"] for key in described["KeySchema"]]


def _place(item: Json | None, names: list[str]) -> list[Any] | None:
    """Where in an index an item is; None if it is not in it."""
    return None if item is None or not all(name in item for name in names) else [item[name] for name in names]


def _kilobytes(item: Json | None) -> int:
    return max(1, math.ceil(size_of(item or {}) / 1024))

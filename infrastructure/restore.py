"""`make restore TABLE=… FROM=…`: copies items that are missing in the stack's table from a restored table.

AWS restores a backup or a point in time into a new table. Items whose key is missing are put, on condition that it
still is. Those that are there and differ are only counted: they may be newer, or garbled. DIFFERENT=replace replaces
them, too, on condition that they still are what was read. Nothing is deleted. Without APPLY=1, nothing is written.

A room or a task that comes back is a new version of itself, made by nobody: its audit trail goes on after the deletion.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infrastructure import deployed

Item = dict[str, Any]

_RENEWED = {"version", "updated_at", "stamp"}


@dataclass
class Counts:
    """Items of the restored table: missing in the stack's table, other there, and those that were written."""

    read: int = 0
    missing: int = 0
    different: int = 0
    written: int = 0


def restore(dynamodb: Any, source: str, target: str, apply: bool, replace: bool) -> Counts:
    """Copy from ``source`` to ``target``; with a boto3 client."""
    description = dynamodb.describe_table(TableName=target)["Table"]
    names = [each["AttributeName"] for each in description["KeySchema"]]
    counts = Counts()
    for item in _items(dynamodb, source):
        key = {name: item[name] for name in names}
        found: Item | None = dynamodb.get_item(TableName=target, Key=key, ConsistentRead=True).get("Item")
        counts.read += 1
        counts.missing += found is None
        counts.different += found is not None and not _same(found, item)
        if apply and (found is None or (replace and not _same(found, item))):
            counts.written += _put(dynamodb, target, names, _renewed(item, found), found)
    return counts


def _items(dynamodb: Any, table: str) -> Iterator[Item]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _same(one: Item, other: Item) -> bool:
    return _content(one) == _content(other)


def _content(item: Item) -> Item:
    """Without what each change renews. Sets come in any order."""
    return {
        name: {kind: sorted(content) if kind in ("SS", "NS") else content for kind, content in value.items()}
        for name, value in item.items()
        if name not in _RENEWED
    }


def _renewed(item: Item, found: Item | None) -> Item:
    """What has an audit trail, as a version behind the one that its deletion made, or behind the garbled one."""
    if "stamp" not in item:
        return item
    version = max(int(each["version"]["N"]) for each in (item, found or item))
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stamp = json.dumps({"actor_id": None, "request_id": None}, separators=(",", ":"))
    return {**item, "version": {"N": str(version + 2)}, "updated_at": {"S": now}, "stamp": {"S": stamp}}


def _put(dynamodb: Any, table: str, key: list[str], item: Item, found: Item | None) -> bool:
    """Whether what was found was still there, or still nothing."""
    written: dict[str, Any] = {"TableName": table, "Item": item, "ExpressionAttributeNames": {"#0": key[0]}}
    if found is None:
        written["ConditionExpression"] = "attribute_not_exists(#0)"
    else:
        attributes = sorted(found)
        written["ExpressionAttributeNames"] = {f"#{number}": name for number, name in enumerate(attributes)}
        written["ExpressionAttributeValues"] = {f":{number}": found[name] for number, name in enumerate(attributes)}
        written["ConditionExpression"] = " AND ".join(f"#{number} = :{number}" for number, _ in enumerate(attributes))
    try:
        dynamodb.put_item(**written)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--table", required=True, help="its name in the template, such as TasksTableV2")
    parser.add_argument("--source", required=True, help="name of the restored table")
    parser.add_argument("--apply", default="", help="1: write; without it, only count")
    parser.add_argument("--different", default="", choices=["", "replace"], help="items that are there and differ")
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        if not arguments.source or not arguments.table.endswith("Table") or arguments.table not in stack.outputs:
            print("Say which table, and from which: make restore TABLE=TasksTableV2 FROM=…", file=sys.stderr)
            return 1
        counts = restore(
            stack.client("dynamodb"),
            arguments.source,
            stack.outputs[arguments.table],
            bool(arguments.apply),
            arguments.different == "replace",
        )
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"Of {counts.read} items, {counts.missing} are missing in {arguments.table} and {counts.different} differ; "
        f"{counts.written} written."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make restore TABLE=… FROM=…`: copies items that are missing in the stack's table from a restored table.

AWS restores a backup or a point in time into a new table. Items whose key is missing are put, on condition that it
still is. Those that are there and differ are only counted: they may be newer, or garbled. DIFFERENT=replace replaces
them, too, on condition that they still are what was read. Without APPLY=1, nothing is written.

The links and the long description of a task come back with it, or if the task is the same in both tables; otherwise
they are those of another version of it. Of a task that is replaced, links that the restored one does not have are
deleted. Nothing else is deleted. Jobs do not come back.

A room or a task that comes back is a new version of itself, made by nobody: its change log goes on after the deletion.
No number of it may come again with another content, and how far they had come is not known any more once it is deleted:
so they go on far behind those of the restored table.

After it has written anything, it raises the epoch of all change logs: clients that follow them get everything again.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infrastructure import deployed

Item = dict[str, Any]

_RENEWED = {"version", "revision", "updated_at", "stamp"}
_VERSIONS, _REVISIONS = 1_000, 1_000_000
"""More than anything gets between a backup and its deletion. Users see versions, so these do not jump as far."""

_LINK, _DESCRIPTION, _JOB = "A#", "D#", "J#"


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

    def find(table: str, key: Item) -> Item | None:
        found: Item | None = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found

    def compare(item: Item) -> None:
        found = find(target, {name: item[name] for name in names})
        counts.missing += found is None
        counts.different += found is not None and not _same(found, item)
        if apply and (found is None or (replace and not _same(found, item))):
            written = _put(dynamodb, target, names, _renewed(item, found), found)
            counts.written += written
            for key in _links(found) - _links(item) if written else ():
                dynamodb.delete_item(TableName=target, Key={"owner_id": item["owner_id"], "item": {"S": key}})

    def is_of_the_same_task(part: Item) -> bool:
        key = {"owner_id": part["owner_id"], "item": {"S": _item_name(part).rpartition("#")[2]}}
        task, wanted = find(target, key), find(source, key)
        return task is not None and wanted is not None and _same(task, wanted)

    for item in _items(dynamodb, source):
        counts.read += 1
        if not _item_name(item).startswith((_LINK, _DESCRIPTION, _JOB)):
            compare(item)
    # Only now is it known which tasks came back.
    for item in _items(dynamodb, source):
        if _item_name(item).startswith((_LINK, _DESCRIPTION)) and is_of_the_same_task(item):
            compare(item)
    return counts


def raise_epoch(dynamodb: Any, log_table: str) -> None:
    """Let every cursor of a change log expire. The number is a time: one that a restored log table has is lower."""
    key = {"owner_id": {"S": "epoch"}, "item": {"S": "head"}}
    found = dynamodb.get_item(TableName=log_table, Key=key, ConsistentRead=True).get("Item", {})
    epoch = max(int(datetime.now(UTC).timestamp()), int(found.get("epoch", {"N": "0"})["N"]) + 1)
    dynamodb.put_item(TableName=log_table, Item={**key, "epoch": {"N": str(epoch)}})


def _items(dynamodb: Any, table: str) -> Iterator[Item]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _item_name(item: Item) -> str:
    """What is under one partition key is distinguished by it, in the tables of rooms and tasks."""
    name: str = item.get("item", {}).get("S", "")
    return name


def _links(task: Item | None) -> set[str]:
    """The sort keys of the links of a task; none for any other item, and for a task in the trash."""
    if task is None or "by_rank" not in task:
        return set()
    people = [each["S"].partition(" ")[0] for each in task.get("assignees", {}).get("L", [])] or ["none"]
    return {f"{_LINK}{user_id}#{_item_name(task)}" for user_id in people}


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
    """What has an audit trail, as a version behind the ones that were deleted, or behind the garbled one."""
    if "stamp" not in item and item.get("kind") != {"S": "user"}:  # users have had one for a short time
        return item
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stamp = json.dumps({"actor_id": None, "request_id": None}, separators=(",", ":"))
    renewed = {**item, "updated_at": {"S": now}, "stamp": {"S": stamp}}
    for name, lost in (("version", _VERSIONS), ("revision", _REVISIONS)):
        if name in item:
            last = max(int(each.get(name, {"N": "0"})["N"]) for each in (item, found or item))
            renewed[name] = {"N": str(last + (lost if found is None else 1))}
    return renewed


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
        if not arguments.source or "Table" not in arguments.table or arguments.table not in stack.outputs:
            print("Say which table, and from which: make restore TABLE=TasksTableV2 FROM=…", file=sys.stderr)
            return 1
        dynamodb = stack.client("dynamodb")
        table = stack.outputs[arguments.table]
        counts = restore(dynamodb, arguments.source, table, bool(arguments.apply), arguments.different == "replace")
        if counts.written:
            raise_epoch(dynamodb, stack.outputs["LogTable"])
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

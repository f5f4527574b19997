"""Tasks as the version before stored them, in the old tasks table."""

from collections.abc import Mapping
from typing import Any

from tests.support import tables
from tests.support.aws import LOCK, Aws

# What the old table did not have.
_NEW = {"item", "assignees", "rank", "revision", "description_digest", "by_rank", "person_id"}


def old_item(item: Mapping[str, Any], description: str | None = None) -> dict[str, Any]:
    """``item``: the task's own item of the new table. ``description``: a long one."""
    old = {name: value for name, value in item.items() if name not in _NEW} | {"task_id": item["item"]}
    if description is not None:
        old["description"] = description
    for assignment in item.get("assignees", []):
        old |= dict(zip(("assignee_id", "join_id"), assignment.split(" "), strict=False))
    return old


def put_old(aws: Aws, item: Mapping[str, Any], description: str | None = None) -> None:
    """Store it in the old table: see ``old_item``."""
    tables.put(aws, "TasksTable", **old_item(item, description))


def delete(aws: Aws, table: str, **key: str) -> None:
    with LOCK:
        aws.dynamodb.delete_item(TableName=table, Key={name: {"S": value} for name, value in key.items()})

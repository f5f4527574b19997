"""The sparse index of unfinished removals, in the tables of users, rooms and change logs.

A write that starts a removal marks it: an item of its transaction gets the attribute ``unfinished``. Finishing the
removal deletes the item. The index contains only items with the attribute. So a query costs the same for a hundred
users or ten million, and a mark costs one write unit in the index. A stream record may be lost; a mark cannot, because
it is written in the same transaction.

All marks of one kind share a partition of the index, which accepts 1,000 writes per second.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection
from tasksync.model import times

Key = dict[str, dict[str, str]]
"""The key of an item, in DynamoDB JSON."""


class Unfinished(StrEnum):
    """The kind of a removal, as stored in the mark."""

    USER = "user"
    """A user whose deletion was accepted. The mark is on the user's item."""
    ROOM = "room"
    """A room without members. The mark is on the room's item."""
    UNASSIGNMENT = "unassignment"
    """An unassignment of tasks. The mark is a separate item: ``dynamodb/rooms/unassignments.py``."""
    LOG = "log"
    """The change log of a user who is deleted. The mark is on the log's head."""


def unfinished(table: str, kind: Unfinished, before: datetime) -> Iterator[list[Key]]:
    """The keys of items that were marked before this time, oldest first, page by page. Candidates: indexes lag."""
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": "unfinished",
        "KeyConditionExpression": "#0 = :0 AND #1 <= :1",
        "ExpressionAttributeNames": {"#0": "unfinished", "#1": "updated_at"},
        "ExpressionAttributeValues": {":0": {"S": kind}, ":1": {"S": times.timestamp(before)}},
    }
    while True:
        found = shared_connection().dispatch("Query", request)
        yield found["Items"]
        if "LastEvaluatedKey" not in found:
            return
        request = {**request, "ExclusiveStartKey": found["LastEvaluatedKey"]}

"""The index of what is unfinished, in the users table and in the rooms table.

What a write begins and a stream is to finish is marked by that write: an item of its transaction gets the attribute
``unfinished``, and is deleted by what finishes it. The index holds the items that have the attribute, and no others: to
find them costs the same whether there are a hundred people or ten million, and a mark costs one unit in the index.
A stream record may be lost; a mark cannot be, for nothing was begun without it.

All marks of one kind share a partition of the index, which takes 1,000 writes a second.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection
from tasksync.runtime import clock

Key = dict[str, dict[str, str]]
"""The key of an item, as DynamoDB spells it."""


class Unfinished(StrEnum):
    """What is to be finished, as it is stored."""

    USER = "user"
    """A user whose deletion was accepted. The mark is on the user's item."""
    ROOM = "room"
    """A room without members. The mark is on the room's item."""
    UNASSIGNMENT = "unassignment"
    """Tasks of a room that somebody left. The mark is an item of its own: ``dynamodb/rooms/unassignments.py``."""


def unfinished(table: str, kind: Unfinished, before: datetime) -> Iterator[list[Key]]:
    """The keys of items that were marked before this time, oldest first, page by page: a hint, since indexes lag."""
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": "unfinished",
        "KeyConditionExpression": "#0 = :0 AND #1 <= :1",
        "ExpressionAttributeNames": {"#0": "unfinished", "#1": "updated_at"},
        "ExpressionAttributeValues": {":0": {"S": kind}, ":1": {"S": clock.timestamp(before)}},
    }
    while True:
        found = shared_connection().dispatch("Query", request)
        yield found["Items"]
        if "LastEvaluatedKey" not in found:
            return
        request = {**request, "ExclusiveStartKey": found["LastEvaluatedKey"]}

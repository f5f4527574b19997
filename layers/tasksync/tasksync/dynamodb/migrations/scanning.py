"""One page of one segment of a table, whatever its items are."""

import json
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection

Raw = dict[str, Any]
"""An item as DynamoDB spells it."""


def scan_page(table: str, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
    """Items behind a key, read consistently, and the key to go on from; None at the end of the segment."""
    request: Raw = {
        "TableName": table,
        "Segment": segment,
        "TotalSegments": segments,
        "Limit": limit,
        "ConsistentRead": True,
    }
    if after is not None:
        request["ExclusiveStartKey"] = json.loads(after)
    answer = shared_connection().dispatch("Scan", request)
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], json.dumps(last) if last else None

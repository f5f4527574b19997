"""Scans one page of one segment of a table."""

import json
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection

Raw = dict[str, Any]
"""An item in DynamoDB JSON."""


def scan_page(table: str, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
    """Items after a key, read consistently, and the key to continue from; None at the end of the segment."""
    request: Raw = {
        "TableName": table,
        "Segment": segment,
        "TotalSegments": segments,
        "Limit": limit,
        "ConsistentRead": True,
    }
    if after is not None:
        request["ExclusiveStartKey"] = last_key(after)
    response = shared_connection().dispatch("Scan", request)
    last = response.get("LastEvaluatedKey")
    return response["Items"], json.dumps(last) if last else None


def last_key(after: str) -> Raw:
    """The key of the last item of the page before."""
    key: Raw = json.loads(after)
    return key

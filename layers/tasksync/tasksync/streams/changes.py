"""Converts stream records of the rooms and tasks tables to changes, and handles them in batches."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tasksync.dynamodb.activity.versions import is_copy, version_of
from tasksync.model.activity import Change, Version
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log, log_measured
from tasksync.runtime import deadline
from tasksync.streams.records import STREAM_MEASURE, Context, age_seconds

_AT_ONCE = 25
"""The maximum of a DynamoDB batch write."""


def handle_changes(
    event: Mapping[str, Any], context: Context, function: str, finish: Callable[[Sequence[Change]], None]
) -> dict[str, Any]:
    """Call ``finish`` with the changes of the event's records, 25 at a time, until one call raises or time runs out.

    ``function``: the function's name in metrics.

    Returns Lambda's partial batch response: the first record that was not finished. Lambda sends it and all later
    records again, so some records are handled twice.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    records = event["Records"]
    for start in range(0, len(records), _AT_ONCE):
        part = records[start : start + _AT_ONCE]
        error = _handle(part, finish)
        if error is not None:
            log("ERROR", "records failed", request_id=context.aws_request_id, records=len(part), error=error)
            return {"batchItemFailures": [{"itemIdentifier": part[0]["dynamodb"]["SequenceNumber"]}]}
    log_measured(
        "INFO",
        "records finished",
        (STREAM_MEASURE,),
        request_id=context.aws_request_id,
        function=function,
        records=len(records),
        age_seconds=max(map(age_seconds, records), default=0.0),
    )
    return {"batchItemFailures": []}


def _handle(records: Sequence[Mapping[str, Any]], finish: Callable[[Sequence[Change]], None]) -> str | None:
    """Handle the records. Returns the error, or None."""
    if not deadline.has_time():
        return "no time left"
    try:
        finish([change_of(record) for record in records if not _is_copy(record)])
    except TaskSyncError as error:
        return type(error).__name__
    return None


def _is_copy(record: Mapping[str, Any]) -> bool:
    """Whether a migration has put the item: it was made before."""
    return is_copy(record["dynamodb"].get("NewImage", {}))


def change_of(record: Mapping[str, Any]) -> Change:
    """The change in a stream record (old and new image) of a room's own item or a task."""
    change = record["dynamodb"]
    return Change(
        before=_version(change, "OldImage"),
        after=_version(change, "NewImage"),
        recorded_at=datetime.fromtimestamp(int(change["ApproximateCreationDateTime"]), UTC),
    )


def _version(change: Mapping[str, Any], name: str) -> Version | None:
    return version_of(change[name]) if name in change else None

"""Converts stream records of rooms, tasks and users to changes, and handles them by the log that they belong to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from tasksync.dynamodb.activity.versions import is_copy, revision_of, version_of
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.activity import Change, Unreadable, Version
from tasksync.model.entities import ActivityResource
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log, log_measured
from tasksync.runtime import deadline
from tasksync.streams.records import STREAM_MEASURE, Context, age_seconds

Record = Mapping[str, Any]
Append = Callable[[str, Sequence[Change | Unreadable]], None]

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


class Gather(Protocol):
    """Calls functions concurrently: ``dynamodb/core/gather.py``."""

    def __call__(self, first: Callable[[], str | None], *others: Callable[[], str | None]) -> list[str | None]: ...


def handle_changes(
    event: Mapping[str, Any], context: Context, function: str, append: Append, gather: Gather
) -> dict[str, Any]:
    """Call ``append`` with the id of each log and its changes, in the order of their records; several logs at a time.

    ``function``: the function's name in metrics.

    Returns Lambda's partial batch response: the first record of a log whose ``append`` raised, or was not called as
    time ran out. Lambda sends it and all later records again, so some records are handled twice.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    records = event["Records"]
    logs: dict[str, list[Record]] = {}
    for record in records:
        if not _is_copy(record):
            logs.setdefault(_owner_of(record), []).append(record)
    jobs = [partial(_handle, log_id, of_log, append) for log_id, of_log in logs.items()]
    errors = dict(zip(logs, gather(*jobs) if jobs else [], strict=True))
    failed = [record for record in records if errors.get(_owner_of(record)) is not None and not _is_copy(record)]
    if failed:
        log(
            "ERROR",
            "records failed",
            request_id=context.aws_request_id,
            records=len(failed),
            error=errors[_owner_of(failed[0])],
        )
        return {"batchItemFailures": [{"itemIdentifier": failed[0]["dynamodb"]["SequenceNumber"]}]}
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


def _handle(log_id: str, records: Sequence[Record], append: Append) -> str | None:
    """Handle the records of a log. Returns the error, or None."""
    if not deadline.has_time():
        return "no time left"
    try:
        append(log_id, [change_of(record) for record in records])
    except TaskSyncError as error:
        return type(error).__name__
    return None


def _is_copy(record: Record) -> bool:
    """Whether a migration has put the item: it was made before."""
    return is_copy(record["dynamodb"].get("NewImage", {}))


def _owner_of(record: Record) -> str:
    """The room or user in the key of the item."""
    return _thing_of(record["dynamodb"]["Keys"])[0]


def _thing_of(keys: Raw) -> tuple[str, str, ActivityResource]:
    """Of a key, whose log it belongs to, and what it is the key of."""
    if "owner_id" in keys:
        return keys["owner_id"]["S"], keys["task_id" if "task_id" in keys else "item"]["S"], ActivityResource.TASK
    if "room_id" in keys:
        return keys["room_id"]["S"], keys["room_id"]["S"], ActivityResource.ROOM
    return keys["user_id"]["S"], keys["user_id"]["S"], ActivityResource.USER


def change_of(record: Record) -> Change | Unreadable:
    """The change in a stream record (old and new image) of a room's own item, a task or a user."""
    change = record["dynamodb"]
    recorded_at = datetime.fromtimestamp(int(change["ApproximateCreationDateTime"]), UTC)
    try:
        return Change(_version(change, "OldImage"), _version(change, "NewImage"), recorded_at)
    except _UNREADABLE as error:
        found = _unreadable(change, recorded_at)
        log(
            "ERROR",
            "record unreadable",
            owner_id=found.owner_id,
            resource_id=found.thing_id,
            revision=found.revision,
            error=type(error).__name__,
        )
        return found


def _version(change: Record, name: str) -> Version | None:
    return version_of(change[name]) if name in change else None


def _unreadable(change: Record, recorded_at: datetime) -> Unreadable:
    owner_id, thing_id, resource = _thing_of(change["Keys"])
    gone = "NewImage" not in change
    return Unreadable(
        owner_id=owner_id,
        thing_id=thing_id,
        resource=resource,
        revision=_revision(change["OldImage" if gone else "NewImage"], gone=gone),
        gone=gone,
        recorded_at=recorded_at,
    )


def _revision(image: Raw, *, gone: bool) -> int | None:
    """After the change; None if it cannot be read."""
    try:
        return revision_of(image) + gone
    except _UNREADABLE:
        return None

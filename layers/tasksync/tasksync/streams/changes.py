"""Converts stream records of rooms, tasks and users to changes, and handles them by the log that they belong to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tasksync.domain.gather import GatherAll
from tasksync.dynamodb.activity.versions import is_copy, revision_of, version_of
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.activity import Change, Unreadable, Version
from tasksync.model.entities import ActivityResource
from tasksync.observability.logs import log
from tasksync.streams.by_log import Record, handle_by_log
from tasksync.streams.records import Context

Append = Callable[[str, Sequence[Change | Unreadable]], None]

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


def handle_changes(
    event: Mapping[str, Any], context: Context, function: str, append: Append, gather: GatherAll
) -> dict[str, Any]:
    """Call ``append`` with the id of each log and its changes, as ``handle_by_log`` does."""

    def handle(log_id: str, records: Sequence[Record]) -> bool:
        append(log_id, [change_of(record) for record in records])
        return True

    return handle_by_log(event, context, function, _log_of, handle, gather)


def _log_of(record: Record) -> str | None:
    """None for what a migration has put: it was made before."""
    return None if is_copy(record["dynamodb"].get("NewImage", {})) else _owner_of(record)


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

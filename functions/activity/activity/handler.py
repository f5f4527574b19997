"""The activity function: writes the audit trail of rooms from records of the rooms and tasks streams."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tasksync.domain.rooms.activity import entries_of
from tasksync.dynamodb.activity.deletions import DeletionsRepository
from tasksync.dynamodb.activity.repository import ActivityRepository
from tasksync.model.activity import Change
from tasksync.model.entities import ActivityEntry
from tasksync.observability.logs import log
from tasksync.runtime.settings import settings
from tasksync.streams.changes import handle_changes
from tasksync.streams.records import Context


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    return handle_changes(event, context, "activity", _record)


def _record(changes: Sequence[Change]) -> None:
    ended = [change.before.task_id for change in changes if change.before and not change.after]
    deletions = DeletionsRepository().of_tasks([task_id for task_id in ended if task_id is not None])
    entries = [entry for change in changes for entry in entries_of(change, deletions)]
    ActivityRepository().record(entries, timedelta(days=settings.activity_retention_days))
    for entry in entries:
        _log(entry)


def _log(entry: ActivityEntry) -> None:
    """Log an entry. A record that is delivered again is logged again, with the same id.

    The log has no values: texts of tasks are private to the room, and a room's code lets people in.
    """
    log(
        "INFO",
        "activity",
        id=entry.id,
        room_id=entry.room_id,
        at=entry.at.isoformat(),
        actor_id=entry.actor_id,
        action=entry.action,
        resource=entry.resource,
        resource_id=entry.resource_id,
        changed=list(entry.changes),
        request_id=entry.request_id,
    )

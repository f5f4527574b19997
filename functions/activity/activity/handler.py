"""The activity function: appends to change logs what the streams of rooms, tasks and users say was committed."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from tasksync.domain.change_log.entries import commit_of
from tasksync.domain.change_log.names import append_new_name
from tasksync.domain.change_log.sequencer import Sequencer
from tasksync.dynamodb.activity.deletions import DeletionsRepository
from tasksync.dynamodb.activity.repository import OldTrailsRepository
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.model.activity import Change, Unreadable
from tasksync.model.change_log import Commit
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.times import is_room_id
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime.settings import settings
from tasksync.streams.changes import handle_changes
from tasksync.streams.records import REFETCH_MEASURE, Context

_FUNCTION = "activity"

_MEASURES = (Measure({"entries": "Count"}, [["function"]]), REFETCH_MEASURE)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    appended: list[ActivityEntry] = []
    response = handle_changes(event, context, _FUNCTION, partial(_append, appended), gather)
    if appended:
        refetches = sum(entry.action is ActivityAction.REFETCH for entry in appended)
        log_measured(
            "INFO",
            "log appended",
            _MEASURES,
            request_id=context.aws_request_id,
            function=_FUNCTION,
            entries=len(appended),
            refetches=refetches,
        )
    return response


def _append(appended: list[ActivityEntry], log_id: str, changes: Sequence[Change | Unreadable]) -> None:
    deletions = DeletionsRepository().of_tasks(_ended(changes))
    append = partial(_append_commits, appended)
    append(log_id, [commit for change in changes if (commit := commit_of(change, deletions)) is not None])
    if not is_room_id(log_id):
        append_new_name(log_id, changes, RoomsRepository(), append)


def _append_commits(appended: list[ActivityEntry], log_id: str, commits: Sequence[Commit]) -> None:
    retention = timedelta(days=settings.activity_retention_days)
    entries = Sequencer(ChangeLogRepository(), OldTrailsRepository(), retention).append(log_id, commits)
    appended += entries
    for entry in entries:
        if is_room_id(log_id):  # what people do by themselves is nobody else's business
            _log(entry)


def _ended(changes: Sequence[Change | Unreadable]) -> list[str]:
    """The tasks that were deleted for good."""
    return [
        each.before.thing_id
        for each in changes
        if isinstance(each, Change) and each.before and not each.after and each.before.resource is ActivityResource.TASK
    ]


def _log(entry: ActivityEntry) -> None:
    """Log a new entry.

    The log has no values: texts of tasks are private to the room, and a room's code lets people in.
    """
    log(
        "INFO",
        "activity",
        id=entry.id,
        room_id=entry.owner_id,
        seq=entry.seq,
        at=entry.at.isoformat(),
        actor_id=entry.actor_id,
        action=entry.action,
        resource=entry.resource,
        resource_id=entry.resource_id,
        changed=list(entry.changes),
        request_id=entry.request_id,
    )

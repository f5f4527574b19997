"""The migrations function. `make migrate` calls it until all migrations are done; each call continues the last one."""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from tasksync.domain.change_log.sequencer import Sequencer
from tasksync.domain.migrations import begin_anew, migrate, states
from tasksync.dynamodb.activity.repository import OldTrailsRepository
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.migrations.positions import PositionsRepository
from tasksync.dynamodb.migrations.released import WAITING_FOR_TASKS, released
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.settings import settings
from tasksync.streams.records import Context

# A slow run: 1 % of the read capacity that DynamoDB gives a new table (12,000 units).
_ITEMS_PER_SECOND = 250


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns the state of each migration, and the ``error`` that interrupted one, if any. While tasks are closed, it
    does nothing that they need not wait for, and says nothing of it.

    In the event: ``items_per_second``: the rate, 250 by default. ``status``: only return the states. ``again``: ids of
    migrations to reset, for example after a table was restored.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    positions = PositionsRepository()
    sequencer = _sequencer()
    migrations = [
        each
        for each in released(sequencer.adopt, sequencer.complete)
        if settings.tasks_open or each.id not in WAITING_FOR_TASKS
    ]
    rate = float(event.get("items_per_second", _ITEMS_PER_SECOND))
    error = None
    try:
        begin_anew(migrations, positions, event.get("again", []))
        if not event.get("status"):
            with unit_of_work.begin(None, context.aws_request_id):
                migrate(migrations, positions, rate, deadline.has_time, time.sleep, gather)
    except TaskSyncError as failure:
        error = type(failure).__name__
        log("ERROR", "migration interrupted", request_id=context.aws_request_id, error=error)
    found = [asdict(state) for state in states(migrations, positions)]
    for each in found:
        log("ERROR" if each["left"] else "INFO", "migration", request_id=context.aws_request_id, **each)
    return {"migrations": found, "error": error}


def _sequencer() -> Sequencer:
    retention = timedelta(days=settings.activity_retention_days)
    return Sequencer(ChangeLogRepository(), OldTrailsRepository(), retention)

"""The migrations function. `make migrate` calls it until all migrations are done; each call continues the last one."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, ParamSpec

from tasksync.domain.change_log.sequencer import Sequencer
from tasksync.domain.migrations import begin_anew, migrate, states
from tasksync.dynamodb.activity.repository import OldTrailsRepository
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.migrations.positions import PositionsRepository
from tasksync.dynamodb.migrations.released import WAITING_FOR_TASKS, released
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.settings import settings
from tasksync.streams.records import REFETCH_MEASURE, Context

Parameters = ParamSpec("Parameters")

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
    repairs: list[bool] = []
    migrations = [
        each
        for each in released(sequencer.adopt, _noting(repairs, sequencer.complete), _noting(repairs, sequencer.end))
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
    if any(repairs):
        fields = {"request_id": context.aws_request_id, "function": "migrations", "refetches": sum(repairs)}
        log_measured("INFO", "logs repaired", (REFETCH_MEASURE,), **fields)
    found = [asdict(state) for state in states(migrations, positions)]
    for each in found:
        log("ERROR" if each["left"] else "INFO", "migration", request_id=context.aws_request_id, **each)
    return {"migrations": found, "error": error}


def _noting(repairs: list[bool], repair: Callable[Parameters, bool]) -> Callable[Parameters, bool]:
    """``repair``, whose results are noted: whether each of them appended anything to a change log."""

    def noted(*arguments: Parameters.args, **named: Parameters.kwargs) -> bool:
        repaired = repair(*arguments, **named)
        repairs.append(repaired)
        return repaired

    return noted


def _sequencer() -> Sequencer:
    retention = timedelta(days=settings.activity_retention_days)
    return Sequencer(ChangeLogRepository(), OldTrailsRepository(), retention)

"""Handles stream records by the change log that they belong to, several logs at the same time."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tasksync.domain.gather import GatherAll
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.streams.records import STREAM_MEASURE, Context, age_seconds

Record = Mapping[str, Any]


def handle_by_log(
    event: Mapping[str, Any],
    context: Context,
    function: str,
    log_of: Callable[[Record], str | None],
    handle: Callable[[str, Sequence[Record]], bool],
    gather: GatherAll,
) -> dict[str, Any]:
    """Call ``handle`` with the id of each log and its records, in their order.

    ``function``: the function's name in metrics. ``log_of``: the id of a record's log; None: the record is left out.
    ``handle`` returns False if time ran out.

    Returns Lambda's partial batch response: the first record of a log that was not finished. Lambda sends it and all
    later records again, so some records are handled twice.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    records = event["Records"]
    owners = [log_of(record) for record in records]
    logs: dict[str, list[Record]] = {}
    for owner, record in zip(owners, records, strict=True):
        if owner is not None:
            logs.setdefault(owner, []).append(record)
    jobs = [partial(_handle, log_id, of_log, handle) for log_id, of_log in logs.items()]
    with unit_of_work.begin(None, context.aws_request_id):
        errors = dict(zip(logs, gather(*jobs), strict=True))
    failed = [
        (record, error)
        for owner, record in zip(owners, records, strict=True)
        if owner is not None and (error := errors[owner]) is not None
    ]
    if failed:
        first, error = failed[0]
        log("ERROR", "records failed", request_id=context.aws_request_id, records=len(failed), error=error)
        return {"batchItemFailures": [{"itemIdentifier": first["dynamodb"]["SequenceNumber"]}]}
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


def _handle(log_id: str, records: Sequence[Record], handle: Callable[[str, Sequence[Record]], bool]) -> str | None:
    """Handle the records of a log. Returns the error, or None."""
    try:
        return None if deadline.has_time() and handle(log_id, records) else "no time left"
    except TaskSyncError as error:
        return type(error).__name__

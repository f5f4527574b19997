"""Handles the records of a DynamoDB stream one by one, and reports the first one that must be delivered again.

Streams deliver at least once: a record only says which item to check.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tasksync.model import times
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.deadline import KeepGoing

STREAM_MEASURE = Measure({"records": "Count", "age_seconds": "Seconds"}, [["function"]])
"""The metrics of a log line about finished records; ``age_seconds``: the age of the oldest one."""
REFETCH_MEASURE = Measure({"refetches": "Count"}, [["function"]], sparse=True)
"""The metric of a log line about change logs: entries ``refetch``, which cover what was lost or is unreadable."""


Keys = Mapping[str, str]
"""The key of an item, by attribute."""


class Context(Protocol):
    """Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def age_seconds(record: Mapping[str, Any]) -> float:
    """How long ago the change was written. The record has its time in whole seconds."""
    return max(0.0, round(times.now().timestamp() - float(record["dynamodb"]["ApproximateCreationDateTime"]), 1))


def handle(
    event: dict[str, Any], context: Context, function: str, key: str, finish: Callable[[Keys, KeepGoing], bool]
) -> dict[str, Any]:
    """Call ``finish`` with the key of the item that each record is about, until it returns False or raises.

    ``function``: the function's name in metrics. ``key``: the key attribute that the log line names.

    Returns Lambda's partial batch response. Records of one shard are in order, and Lambda resumes from the first
    failure, so later records are not handled.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    for record in event["Records"]:
        change = record["dynamodb"]
        keys = {name: value["S"] for name, value in change["Keys"].items()}
        subject = keys[key]
        try:
            with unit_of_work.begin(None, context.aws_request_id):
                finished = finish(keys, deadline.has_time)
        except TaskSyncError as error:
            log(
                "ERROR", "record failed", request_id=context.aws_request_id, subject=subject, error=type(error).__name__
            )
            finished = False
        if not finished:
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        log_measured(
            "INFO",
            "record finished",
            (STREAM_MEASURE,),
            request_id=context.aws_request_id,
            function=function,
            key=key,
            subject=subject,
            records=1,
            age_seconds=age_seconds(record),
        )
    return {"batchItemFailures": []}

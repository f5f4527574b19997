"""The live function: sends hints to open WebSockets when a change log has grown, and closes the WebSockets of
connections that are stored no more.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasksync.aws.websockets import WebSockets
from tasksync.domain.live.hints import Hints, Outcome, close_ended
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.live.repository import ConnectionsRepository
from tasksync.dynamodb.rooms.members import RoomMembersRepository
from tasksync.model import times
from tasksync.model.errors import DependencyFailed
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.settings import settings
from tasksync.streams.live import ended_of, growth_of, is_about_connections
from tasksync.streams.records import STREAM_MEASURE, Context, age_seconds

_LATENCY_MEASURE = Measure({"hint_seconds": "Seconds"}, [["function"]], sparse=True)
_HINTS_MEASURE = Measure({"hints": "Count", "hints_failed": "Count"}, [["function"]], sparse=True)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response. A batch is of one stream."""
    deadline.begin(context.get_remaining_time_in_millis)
    records = event["Records"]
    with unit_of_work.begin(None, context.aws_request_id):
        failed = _close(records) if is_about_connections(records[0]) else _tell(records)
    if failed is not None:
        log("ERROR", "records failed", request_id=context.aws_request_id, records=len(records))
        return {"batchItemFailures": [{"itemIdentifier": failed["dynamodb"]["SequenceNumber"]}]}
    log_measured(
        "INFO",
        "records finished",
        (STREAM_MEASURE,),
        request_id=context.aws_request_id,
        function="live",
        records=len(records),
        age_seconds=max(map(age_seconds, records)),
    )
    return {"batchItemFailures": []}


def _tell(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Send hints. Returns the first record if no hint could be sent."""
    hints = Hints(RoomMembersRepository(), ConnectionsRepository(), _sockets(), gather)
    growth = growth_of(records)
    try:
        outcomes = Counter(hints.tell(growth))
    except DependencyFailed:
        return records[0]
    if not outcomes:
        return None
    # From the oldest change of the batch until all who are connected know of it.
    measured = outcomes[Outcome.SENT] and growth.oldest_change_at
    log_measured(
        "INFO",
        "hints sent",
        (_HINTS_MEASURE, _LATENCY_MEASURE),
        function="live",
        hints=outcomes[Outcome.SENT],
        hints_failed=outcomes[Outcome.FAILED],
        gone=outcomes[Outcome.GONE],
        hint_seconds=round((times.now() - measured).total_seconds(), 3) if measured else 0.0,
    )
    return None


def _close(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Close what ended. Returns the first record that has to come again."""
    for record in records:
        try:
            if not close_ended(*ended_of(record), _sockets()):
                return record
        except DependencyFailed:
            return record
    return None


@functools.cache
def _sockets() -> WebSockets:
    return WebSockets(settings.live_endpoint)

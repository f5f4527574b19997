"""The dispatch function: reads the stream of the change logs, and does what new entries call for (``duties.py``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from dispatch.duties import DUTIES, Written, hand_out
from tasksync.dynamodb.change_log.decoder import HEAD, entry_of, head_of
from tasksync.dynamodb.core.gather import gather
from tasksync.observability.logs import log
from tasksync.runtime import deadline
from tasksync.streams.by_log import Record, handle_by_log
from tasksync.streams.records import Context

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    return handle_by_log(event, context, "dispatch", _log_of, _hand_out, gather)


def _log_of(record: Record) -> str:
    log_id: str = record["dynamodb"]["Keys"]["owner_id"]["S"]
    return log_id


def _hand_out(log_id: str, records: Sequence[Record]) -> bool:
    written = [each for record in records if (each := _written(record["dynamodb"])) is not None]
    return hand_out(DUTIES, log_id, written, deadline.has_time)


def _written(change: Mapping[str, Any]) -> Written | None:
    """The entry or head in a stream record; None if it cannot be read: nobody can do what it calls for, now or
    later."""
    keys = {name: value["S"] for name, value in change["Keys"].items()}
    try:
        return head_of(change["NewImage"]) if keys["item"] == HEAD else entry_of(change["NewImage"])
    except _UNREADABLE as error:
        log("ERROR", "entry unreadable", **keys, error=type(error).__name__)
        return None

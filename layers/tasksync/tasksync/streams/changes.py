"""Stream records of the rooms and tasks tables as changes of rooms and tasks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tasksync import clock, deadline, stamps
from tasksync.activity import Change, Version
from tasksync.errors import TaskSyncError
from tasksync.streams.records import Context
from tasksync.telemetry import log

Image = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB spells it."""

_OF_ROOM = {"name": "name", "code": "code"}
_OF_TASK = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "assignee_id": "user_id",
    "deadline": "deadline",
}
"""By attribute: the name that the API has for it."""


_AT_ONCE = 25
"""As many as DynamoDB writes in one batch."""


def handle_changes(
    event: Mapping[str, Any], context: Context, finish: Callable[[Sequence[Change]], None]
) -> dict[str, Any]:
    """Call ``finish`` with the changes of the event's records, 25 at a time, until one call raises or time runs out.

    Answers with Lambda's partial batch response: the first record of those that were not finished. Lambda comes again
    with it and all behind it, so some may have been finished before.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    records = event["Records"]
    for start in range(0, len(records), _AT_ONCE):
        part = records[start : start + _AT_ONCE]
        error = _finished(part, finish)
        if error is not None:
            log("ERROR", "records failed", request_id=context.aws_request_id, records=len(part), error=error)
            return {"batchItemFailures": [{"itemIdentifier": part[0]["dynamodb"]["SequenceNumber"]}]}
    log("INFO", "records finished", request_id=context.aws_request_id, records=len(records))
    return {"batchItemFailures": []}


def _finished(records: Sequence[Mapping[str, Any]], finish: Callable[[Sequence[Change]], None]) -> str | None:
    """What kept them from being finished, if anything did."""
    if not deadline.has_time():
        return "no time left"
    try:
        finish([change_of(record) for record in records])
    except TaskSyncError as error:
        return type(error).__name__
    return None


def change_of(record: Mapping[str, Any]) -> Change:
    """``record``: of a room's own item or of a task, with both images."""
    change = record["dynamodb"]
    return Change(
        before=_version(change.get("OldImage")),
        after=_version(change.get("NewImage")),
        recorded_at=datetime.fromtimestamp(int(change["ApproximateCreationDateTime"]), UTC),
    )


def _version(image: Image | None) -> Version | None:
    if image is None:
        return None
    task = "task_id" in image
    stamp = _text(image, "stamp")
    return Version(
        room_id=image["owner_id" if task else "room_id"]["S"],
        task_id=_text(image, "task_id"),
        number=int(image["version"]["N"]),
        at=clock.parse(image["updated_at"]["S"]),
        fields=_fields(image, _OF_TASK if task else _OF_ROOM),
        stamp=None if stamp is None else stamps.read(stamp),
        dead=not task and int(image["member_count"]["N"]) == 0,
    )


def _fields(image: Image, names: Mapping[str, str]) -> dict[str, str]:
    found = {shown: text for name, shown in names.items() if (text := _text(image, name)) is not None}
    if "deadline" in found:
        found["deadline"] = clock.rfc3339(clock.parse(found["deadline"]))
    return found


def _text(image: Image, name: str) -> str | None:
    value: str | None = image.get(name, {}).get("S")
    return value

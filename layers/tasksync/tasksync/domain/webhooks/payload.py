"""The payload of an event."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tasksync.model import times
from tasksync.model.entities import ActivityEntry, Task
from tasksync.model.webhooks import EXPIRED, PAYLOAD_BYTES, TEST, event_type

RenderTask = Callable[[Task], Mapping[str, Any]]
"""A task as responses show it."""

_HIDDEN = {"code"}
"""Who has the code of a room may join it: it goes to nobody by itself."""


def event_payload(entry: ActivityEntry, task: Task | None, render: RenderTask) -> str:
    """JSON of at most ``PAYLOAD_BYTES``. Where it would be longer, the longest texts are null, and it says so."""
    data: dict[str, Any] = {
        "room_id": entry.owner_id,
        "seq": entry.seq,
        "resource_id": entry.resource_id,
        "version": entry.version,
        "actor_id": entry.actor_id,
        "request_id": entry.request_id,
        "changes": {
            name: {"old": None, "new": None} if name in _HIDDEN else {"old": old, "new": new}
            for name, (old, new) in entry.changes.items()
        },
        "task": None if task is None else dict(render(task)),
    }
    places = [*data["changes"].values(), *([data["task"]] if data["task"] else [])]
    text = _encoded(event_type(entry), entry.at, data)
    while len(text.encode()) > PAYLOAD_BYTES:
        data["truncated"] = True
        _drop_longest(places)
        text = _encoded(event_type(entry), entry.at, data)
    return text


def test_payload(room_id: str, webhook_id: str, at: datetime) -> str:
    """JSON of a test event."""
    return _encoded(TEST, at, {"room_id": room_id, "webhook_id": webhook_id})


def notice_payload(room_id: str, first: int, last: int, at: datetime) -> str:
    """JSON of a notice that these entries are not in the log any more."""
    return _encoded(EXPIRED, at, {"room_id": room_id, "from": first, "to": last})


def _encoded(kind: str, at: datetime, data: Mapping[str, Any]) -> str:
    return json.dumps(
        {"type": kind, "timestamp": times.timestamp(at), "data": data}, ensure_ascii=False, separators=(",", ":")
    )


def _drop_longest(places: list[dict[str, Any]]) -> None:
    """Replace the longest text by null. Without texts, a payload has a fraction of what it may have."""
    texts = [(len(value), place, name) for place in places for name, value in place.items() if isinstance(value, str)]
    _, place, name = max(texts, key=lambda each: each[0])
    place[name] = None

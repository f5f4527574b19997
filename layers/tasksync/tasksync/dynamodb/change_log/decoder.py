"""Entries and heads of change logs, decoded from a stream record or from what was read. Without PynamoDB: no table is
needed."""

import json

from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.model import times
from tasksync.model.change_log import HeadRecord
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource

ENTRY = "c#"
"""How the sort keys of entries begin."""

HEAD = "head"
"""The sort key of a head."""

HAS_WEBHOOKS = "yes"
"""``webhooks`` of the head of a room that has any. The event filter of the dispatch function names it, too."""


def entry_of(raw: Raw) -> ActivityEntry:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` if it cannot be read."""
    return ActivityEntry(
        id=raw["entry_id"]["S"],
        owner_id=raw["owner_id"]["S"],
        at=times.parse(raw["at"]["S"]),
        actor_id=text_of(raw, "actor_id"),
        action=ActivityAction(raw["action"]["S"]),
        resource=ActivityResource(raw["resource"]["S"]),
        resource_id=raw["resource_id"]["S"],
        changes={name: (old, new) for name, (old, new) in json.loads(raw["changes"]["S"]).items()},
        request_id=text_of(raw, "request_id"),
        revision=_number(raw, "revision"),
        version=_number(raw, "version"),
        seq=seq_of(raw["item"]["S"]),
    )


def head_of(raw: Raw) -> HeadRecord:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` if it cannot be read."""
    return HeadRecord(int(raw["seq"]["N"]), text_of(raw, "webhooks") == HAS_WEBHOOKS)


def seq_of(item: str) -> int:
    """The number in the sort key of an entry."""
    return int(item.removeprefix(ENTRY))


def _number(raw: Raw, name: str) -> int | None:
    text = text_of(raw, name)
    return None if text is None else int(text)

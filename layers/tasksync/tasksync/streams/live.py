"""Stream records as live updates read them: of the log table, that logs have grown; of the live table, which
connections have ended.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tasksync.domain.live.hints import Growth
from tasksync.dynamodb.change_log.decoder import ENTRY
from tasksync.dynamodb.live.mapper import connections_of, left_by
from tasksync.model import times
from tasksync.model.entities import ActivityAction, ActivityResource
from tasksync.model.live import Connections

Record = Mapping[str, Any]

_GAINED_OR_LOST = {ActivityAction.CREATED.value, ActivityAction.DELETED.value}


def is_about_connections(record: Record) -> bool:
    """Whether a record is of the live table; otherwise it is of the log table."""
    return "live_id" in record["dynamodb"]["Keys"]


def growth_of(records: Iterable[Record]) -> Growth:
    """What records of the log table say: of each log its last head, and who gained or lost a room."""
    heads: dict[str, int] = {}
    users: set[str] = set()
    changed_at = set()
    for record in records:
        image = record["dynamodb"]["NewImage"]
        if image["item"]["S"].startswith(ENTRY):
            users |= _gained_or_lost(image)
        else:
            heads[image["owner_id"]["S"]] = int(image["seq"]["N"])
            changed_at.add(times.parse(image["changed_at"]["S"]))
    return Growth(heads, frozenset(users), min(changed_at, default=None))


def _gained_or_lost(entry: Mapping[str, Any]) -> set[str]:
    """The users who gained or lost a room by this change."""
    action, resource = entry["action"]["S"], entry["resource"]["S"]
    if resource == ActivityResource.MEMBERSHIP.value and action in _GAINED_OR_LOST:
        return {entry["resource_id"]["S"]}
    if resource == ActivityResource.ROOM.value and action == ActivityAction.CREATED.value and "actor_id" in entry:
        return {entry["actor_id"]["S"]}
    return set(entry.get("lost_by", {}).get("SS", ()))


def ended_of(record: Record) -> tuple[Connections, Connections | None, str | None]:
    """The connections of a user before and after a change, and the one that ended by itself, if any."""
    change = record["dynamodb"]
    before = connections_of(change["OldImage"])
    if "NewImage" not in change:
        return before, None, None
    return before, connections_of(change["NewImage"]), left_by(change["NewImage"])

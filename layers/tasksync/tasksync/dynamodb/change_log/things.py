"""Whether what a marker is of is there: in the tables of rooms, users and tasks."""

from collections.abc import Iterable

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.items import ROOM_ITEM
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

Thing = tuple[str, str]
"""The ids of a log, and of a room, user or task in it."""


def there(things: Iterable[Thing]) -> set[Thing]:
    """Those of these things that exist, also in the trash. Read consistently: 100 of a table in one round trip."""
    by_table: dict[str, list[Raw]] = {}
    for thing in things:
        table, key = _place(thing)
        by_table.setdefault(table, []).append(key)
    return {_thing(raw) for table, keys in by_table.items() for raw in get_many(table, keys)}


def _place(thing: Thing) -> tuple[str, Raw]:
    log_id, thing_id = thing
    if thing_id != log_id:
        return settings.tasks_table, {"owner_id": {"S": log_id}, "item": {"S": thing_id}}
    if is_room_id(log_id):
        return settings.rooms_table, {"room_id": {"S": log_id}, "item": {"S": ROOM_ITEM}}
    return settings.users_table, {"user_id": {"S": log_id}}


def _thing(raw: Raw) -> Thing:
    if "owner_id" in raw:
        return raw["owner_id"]["S"], raw["item"]["S"]
    thing_id = raw["room_id" if "room_id" in raw else "user_id"]["S"]
    return thing_id, thing_id

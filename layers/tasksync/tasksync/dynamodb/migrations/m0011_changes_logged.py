"""Completes change logs where records of a stream were lost, and nothing has changed since.

What was not changed for 25 hours has no record on its way any more: streams keep records for 24 hours. An entry that
says so takes the place of what was lost. Started again, this heals what was lost since.
"""

from collections.abc import Callable
from datetime import timedelta

from tasksync.dynamodb.activity.versions import version_of
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.rooms.items import ROOM_ITEM
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.errors import WriteConflict
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

Complete = Callable[[Version], bool]
"""Appends to the log of a room or task what is missing up to this version; whether anything was."""

NO_RECORD_COMES_AFTER = timedelta(hours=25)


class RoomsLogged:
    id = "0011-rooms-logged"
    description = "change logs are as far as their rooms"

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.rooms_table, segment, segments, after, limit)
        return [item for item in items if item["item"]["S"] == ROOM_ITEM], position

    def change(self, item: Raw) -> bool:
        return _change(item, self._complete)


class TasksLogged:
    id = "0012-tasks-logged"
    description = "change logs are as far as their tasks"

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.tasks_table, segment, segments, after, limit)
        return [item for item in items if is_room_id(item["item"]["S"])], position

    def change(self, item: Raw) -> bool:
        return _change(item, self._complete)


def _change(item: Raw, complete: Complete) -> bool:
    try:
        version = version_of(item)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WriteConflict from error
    return version.at <= times.now() - NO_RECORD_COMES_AFTER and complete(version)

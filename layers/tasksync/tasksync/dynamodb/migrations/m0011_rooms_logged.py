"""Completes the change logs of rooms where records of rooms were lost: see ``logged.py``."""

from tasksync.dynamodb.migrations.logged import Complete, complete_log_of
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.rooms.items import ROOM_ITEM
from tasksync.runtime.settings import settings


class RoomsLogged:
    id = "0011-rooms-logged"
    description = "change logs are as far as their rooms"

    def __init__(self, complete: Complete) -> None:
        """``complete``: of the sequencer."""
        self._complete = complete

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.rooms_table, segment, segments, after, limit)
        return [item for item in items if item["item"]["S"] == ROOM_ITEM], position

    def change(self, item: Raw) -> bool:
        return complete_log_of(item, self._complete)

"""Appends the audit trails of the version before to the change logs of their rooms.

The sequencer does so by itself before it appends the first change of a room. This migration does it for the rooms in
which nothing changes, and for those that are gone: who did what there is in the exports of its people.
"""

from collections.abc import Callable

from tasksync.dynamodb.migrations.scanning import last_key, scan_page
from tasksync.runtime.settings import settings


class ActivityAdopted:
    id = "0010-activity-adopted"
    description = "the change logs of rooms begin with their audit trails"

    def __init__(self, adopt: Callable[[str], bool]) -> None:
        """``adopt``: of the sequencer; whether anything of a room was left to append."""
        self._adopt = adopt

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Rooms that have entries on this page, and had none on the page before."""
        items, position = scan_page(settings.activity_table, segment, segments, after, limit)
        known = None if after is None else last_key(after)["room_id"]["S"]
        return [
            room_id for room_id in dict.fromkeys(item["room_id"]["S"] for item in items) if room_id != known
        ], position

    def change(self, item: str) -> bool:
        return self._adopt(item)

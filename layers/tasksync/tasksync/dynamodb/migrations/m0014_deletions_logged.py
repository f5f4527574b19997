"""Completes change logs where the last record of a room, user or task was lost: that it was deleted for good.

Nothing says when such a thing went. So a run notes on its marker since when it is missing. A run 25 hours later, when
no record of it can come any more, appends an entry that says so: the counts are right again, and the marker ends. Any
entry about the thing that comes in between replaces the marker, and the note with it.
"""

from collections.abc import Callable
from contextlib import suppress

from pynamodb.expressions.update import Action

from tasksync.dynamodb.change_log.decoder import HEAD
from tasksync.dynamodb.change_log.items import MARKER, MarkerItem, log_key, missing_since
from tasksync.dynamodb.change_log.things import Thing, there
from tasksync.dynamodb.core.connection import get_item, single_write
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.model import times
from tasksync.model.change_log import NO_RECORD_COMES_AFTER
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

End = Callable[[str, str, int], bool]
"""Appends to a log that a thing is gone, of which it holds this revision; whether it had not known."""


class DeletionsLogged:
    id = "0014-deletions-logged"
    description = "change logs know what was deleted for good"

    def __init__(self, end: End) -> None:
        """``end``: of the sequencer."""
        self._end = end

    def page(
        self, segment: int, segments: int, after: str | None, limit: int
    ) -> tuple[list[tuple[Raw, bool]], str | None]:
        """Markers of things that are missing, or were at an earlier run; with each, whether the thing is there."""
        items, position = scan_page(settings.log_table, segment, segments, after, limit)
        # What has a time to expire is known to be gone.
        markers = {_thing(raw): raw for raw in items if raw["item"]["S"].startswith(MARKER) and "expires_at" not in raw}
        found = there(markers)
        return [
            (raw, thing in found) for thing, raw in markers.items() if thing not in found or "missing_since" in raw
        ], position

    def change(self, item: tuple[Raw, bool]) -> bool:
        raw, is_there = item
        log_id, thing_id = _thing(raw)
        try:
            marker, since = MarkerItem.from_raw_data(raw), missing_since(raw)
            revision = marker.entity().revision
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WriteConflict from error
        now = times.now()
        if is_there:
            return _update(marker, MarkerItem.missing_since.remove())
        if since is None:
            return _update(marker, MarkerItem.missing_since.set(times.timestamp(now)))
        if now - since < NO_RECORD_COMES_AFTER:
            return False
        if get_item(settings.log_table, log_key(log_id, HEAD)) is None:
            # The log of a deleted room has expired, and has no counts any more.
            return _update(marker, MarkerItem.expires_at.set(int(now.timestamp())))
        return self._end(log_id, thing_id, revision)


def _thing(raw: Raw) -> Thing:
    return raw["owner_id"]["S"], raw["item"]["S"].removeprefix(MARKER)


def _update(marker: MarkerItem, action: Action) -> bool:
    """Whether the marker was still the one that was read."""
    with suppress(WriteConflict), single_write(WriteConflict):
        MarkerItem(marker.owner_id, marker.item).update([action], MarkerItem.seq == marker.seq)
        return True
    return False

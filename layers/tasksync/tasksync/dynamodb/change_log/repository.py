"""The log table: the change logs of rooms and users, one partition each.

Only the activity function appends. Each of its transactions checks the head, so appends to one log come one after
the other. It checks the markers, too: head and markers are read in one batch, which is no snapshot.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.change_log.decoder import ENTRY, entry_of
from tasksync.dynamodb.change_log.items import (
    HEAD,
    MARKER,
    EntryItem,
    HeadItem,
    LogItem,
    MarkerItem,
    entry_item,
    log_key,
)
from tasksync.dynamodb.core.connection import Transaction, get_item, get_many
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.model.change_log import Head, LogState, Marker
from tasksync.model.entities import ActivityEntry, Page
from tasksync.model.errors import BadCursor, WriteConflict
from tasksync.runtime.settings import settings


class ChangeLogRepository:
    """Change logs. The id of a log is that of its room or user."""

    def state(self, log_id: str, thing_ids: Iterable[str]) -> LogState:
        """The head of a log and the markers of up to 99 things, each read consistently, in one round trip."""
        keys = [*(log_key(log_id, MARKER + thing_id) for thing_id in thing_ids), log_key(log_id, HEAD)]
        items = {raw["item"]["S"]: raw for raw in get_many(settings.log_table, keys)}
        head = items.pop(HEAD, None)
        return LogState(
            Head() if head is None else HeadItem.from_raw_data(head).entity(),
            {item.removeprefix(MARKER): MarkerItem.from_raw_data(raw).entity() for item, raw in items.items()},
        )

    def append(
        self, log_id: str, before: LogState, after: LogState, entries: Sequence[tuple[ActivityEntry, datetime]]
    ) -> None:
        """Write entries, each with the time at which it expires, and what changes of the head and of markers.

        Raises ``WriteConflict`` if any of these is not what was read.
        """
        transaction = Transaction()
        if after.head != before.head:
            transaction.put(HeadItem.of(log_id, after.head), _same_head(before.head), WriteConflict)
        for entry, expires_at in entries:
            transaction.note(EntryItem.of(entry, expires_at))
        for thing_id, marker in after.markers.items():
            known = before.markers.get(thing_id)
            if marker != known:
                transaction.put(MarkerItem.of(log_id, thing_id, marker), _same_marker(known), WriteConflict)
        transaction.commit()

    def page(self, log_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first. One round trip, so at most 1 MB: of entries with long texts, fewer than ``limit``.

        ``after``: the position of the page. Raises ``BadCursor`` for one that the version before made.
        """
        before = LogItem.item.between(ENTRY, entry_item(_number(after) - 1) if after is not None else ENTRY + "~")
        query = LogItem.query(log_id, before, scan_index_forward=False, page_size=limit + 1)
        read = next(query.page_iter)
        entries = [entry_of(raw) for raw in read["Items"][:limit]]
        more = len(read["Items"]) > limit or "LastEvaluatedKey" in read
        return Page(entries, str(entries[-1].seq) if more else None)

    def done_by(self, user_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """What a person did, in whichever log, oldest first: without any right to see it.

        Found in an index that may be some milliseconds behind: two round trips.
        """
        beyond = None if after is None else EntryItem.entry_id > after
        read = next(LogItem.by_actor.query(user_id, beyond, page_size=limit).page_iter)
        keys = [log_key(raw["owner_id"]["S"], raw["item"]["S"]) for raw in read["Items"]]
        found = [entry_of(raw) for raw in get_many(settings.log_table, keys)]
        last = read.get("LastEvaluatedKey")
        return Page(sorted(found, key=lambda entry: entry.id), None if last is None else last["entry_id"]["S"])

    def unfinished(self, before: datetime) -> Iterator[list[str]]:
        """Users who were deleted, and whose logs got their last entry before this time: as
        ``RoomsRepository.unfinished``.
        """
        for page in unfinished(settings.log_table, Unfinished.LOG, before):
            yield [key["owner_id"]["S"] for key in page]

    def purge(self, log_id: str, keep_going: Callable[[], bool]) -> bool:
        """Delete the log of a user who was deleted, 25 items at a time, the head last. False if ``keep_going`` said no
        before the end. A log that is not to be purged is left alone. Raises ``WriteConflict`` if the log got an entry
        meanwhile.
        """
        head = get_item(settings.log_table, log_key(log_id, HEAD))
        if head is None or "unfinished" not in head:
            return True
        while keep_going():
            page = LogItem.query(log_id, consistent_read=True, limit=26, attributes_to_get=["owner_id", "item"])
            found = [item for item in page if item.item != HEAD]
            if not found:
                transaction = Transaction()
                transaction.delete(LogItem(log_id, HEAD), HeadItem.seq == int(head["seq"]["N"]), WriteConflict)
                transaction.commit()
                return True
            with LogItem.batch_write() as batch:
                for item in found[:25]:
                    batch.delete(item)
        return False

    def keep(self, log_id: str) -> None:
        """Take the mark for the sweeper away: the user is there."""
        transaction = Transaction()
        transaction.update(
            LogItem(log_id, HEAD),
            [HeadItem.unfinished.remove(), HeadItem.updated_at.remove(), HeadItem.expires_at.remove()],
            HeadItem.unfinished.exists(),
            WriteConflict,
        )
        with suppress(WriteConflict):
            transaction.commit()


def _number(position: str) -> int:
    try:
        return int(position)
    except ValueError as error:
        raise BadCursor from error


def _same_head(head: Head) -> Condition:
    condition: Condition = HeadItem.owner_id.does_not_exist() if head.seq == 0 else HeadItem.seq == head.seq
    return condition


def _same_marker(marker: Marker | None) -> Condition:
    if marker is None:
        condition: Condition = MarkerItem.owner_id.does_not_exist()
    else:
        condition = MarkerItem.revision == marker.revision
    return condition

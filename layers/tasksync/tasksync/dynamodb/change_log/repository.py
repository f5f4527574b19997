"""The log table: the change logs of rooms and users, one partition each.

Only the sequencer (``domain/change_log/sequencer.py``) appends. Each of its writes has a condition of its own, and is
carried out once however often it is sent: an entry if its number is free, a marker if it is older than the entry, the
head if it is the one that was read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import count, islice, takewhile

from tasksync.dynamodb.change_log.decoder import ENTRY, HEAD, entry_of
from tasksync.dynamodb.change_log.items import (
    MARKER,
    EntryItem,
    HeadItem,
    LogItem,
    MarkerItem,
    entry_item,
    log_key,
)
from tasksync.dynamodb.core.connection import Transaction, get_item, get_many, single_write
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.model.change_log import Head, LogEntry, Marker
from tasksync.model.entities import ActivityEntry, Page
from tasksync.model.errors import BadCursor, WriteConflict
from tasksync.runtime.settings import settings


class ChangeLogRepository:
    """Change logs. The id of a log is that of its room or user."""

    def head(self, log_id: str) -> Head:
        """Read consistently."""
        raw = get_item(settings.log_table, log_key(log_id, HEAD))
        return Head() if raw is None else HeadItem.from_raw_data(raw).entity()

    def markers(self, log_id: str, thing_ids: Iterable[str]) -> dict[str, Marker]:
        """Those of these things that have one, by thing id. Read consistently: 100 in one round trip."""
        raws = get_many(settings.log_table, [log_key(log_id, MARKER + thing_id) for thing_id in thing_ids])
        return {raw["item"]["S"].removeprefix(MARKER): MarkerItem.from_raw_data(raw).entity() for raw in raws}

    def append(self, entries: Sequence[LogEntry]) -> bool:
        """Put up to 100 entries, which follow each other: all or none. False: one of their numbers is taken."""
        transaction = Transaction()
        try:
            if len(entries) == 1:
                with single_write(WriteConflict):
                    EntryItem.of(entries[0]).save(EntryItem.item.does_not_exist())
                return True
            for entry in entries:
                transaction.put(EntryItem.of(entry), EntryItem.item.does_not_exist(), WriteConflict)
            transaction.commit()
        except WriteConflict:
            return False
        return True

    def after_head(self, log_id: str, head: Head) -> list[LogEntry]:
        """Entries that follow the head, read consistently: all of them, or 1 MB.

        A query may see one entry of a transaction and not yet the one before it: then they end before that one.
        """
        query = LogItem.query(log_id, LogItem.item.between(entry_item(head.seq + 1), ENTRY + "~"), consistent_read=True)
        found = (EntryItem.from_raw_data(raw).log_entry(entry_of(raw)) for raw in next(query.page_iter)["Items"])
        return [entry for entry, _ in takewhile(_follows, zip(found, count(head.seq + 1)))]

    def mark(self, entries: Iterable[LogEntry]) -> None:
        """Let the marker of each thing be as its last entry among these says, unless it is newer."""

        def write(entry: LogEntry) -> None:
            older = MarkerItem.seq.does_not_exist() | (MarkerItem.seq < entry.entry.seq)
            with suppress(WriteConflict), single_write(WriteConflict):
                MarkerItem.of(entry).save(older)

        last = {entry.thing_id: entry for entry in entries if entry.entry.revision is not None}
        gather(*(partial(write, entry) for entry in last.values()))

    def advance(self, log_id: str, before: Head, after: Head) -> None:
        """Let the head be ``after``. Raises ``WriteConflict`` if it is not ``before`` any more."""
        same = HeadItem.seq == before.seq
        if before.seq == 0:
            same = HeadItem.item.does_not_exist() | same
        item = HeadItem(log_id, HEAD)
        with single_write(WriteConflict):
            item.update(HeadItem.actions(log_id, after), same)

    def page(self, log_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first. One round trip, so at most 1 MB: of entries with long texts, fewer than ``limit``.

        ``after``: the position of the page. Raises ``BadCursor`` for one that the version before made.
        """
        # The head sorts behind the entries, so the first page begins with it.
        before = HEAD if after is None else entry_item(_number(after) - 1)
        query = LogItem.query(
            log_id, LogItem.item.between(ENTRY, before), scan_index_forward=False, page_size=limit + 2
        )
        read = next(query.page_iter)
        raws = read["Items"]
        if after is None:
            if not raws or raws[0]["item"]["S"] != HEAD:
                return Page([], None)
            head = HeadItem.from_raw_data(raws[0]).entity()
            raws = [raw for raw in raws[1:] if raw["item"]["S"] <= entry_item(head.seq)]
            end = head.seq + 1
        else:
            end = _number(after)
        entries = [entry_of(raw) for raw in raws[:limit]]
        more = len(raws) > limit or "LastEvaluatedKey" in read
        return Page(entries, str(entries[-1].seq if entries else end) if more else None)

    def following(self, log_id: str, seq: int, last: int, limit: int) -> list[ActivityEntry]:
        """The first entries after ``seq`` up to ``last``, which is not beyond the head, in their order. Some are
        missing if they have expired. Read consistently, one round trip for 1 MB.
        """
        if last <= seq:
            return []
        beyond = LogItem.item.between(entry_item(seq + 1), entry_item(last))
        found = LogItem.query(log_id, beyond, consistent_read=True, page_size=limit)
        return [entry_of(raw) for raw in islice(raws(found), limit)]

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
            left = LogItem.query(log_id, consistent_read=True, limit=26, attributes_to_get=["owner_id", "item"])
            found = [item for item in left if item.item != HEAD]
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
            [
                HeadItem.unfinished.remove(),
                HeadItem.updated_at.remove(),
                HeadItem.expires_at.remove(),
                HeadItem.changed_at.remove(),
            ],
            HeadItem.unfinished.exists(),
            WriteConflict,
        )
        with suppress(WriteConflict):
            transaction.commit()


def _follows(numbered: tuple[LogEntry, int]) -> bool:
    entry, number = numbered
    return entry.entry.seq == number


def _number(position: str) -> int:
    try:
        return int(position)
    except ValueError as error:
        raise BadCursor from error

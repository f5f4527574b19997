"""The sweep: finds removals that were begun long ago and are still unfinished, and finishes them.

A stream record says when there is something to remove. It may be lost, expire, or fail until it is given up: what it
should have set off is then found here, in the tables themselves, and finished by the same code.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tasksync import chance
from tasksync.deadline import KeepGoing
from tasksync.errors import TaskSyncError

Finish = Callable[[str, KeepGoing], bool]
"""Removes what has this id, or sees that it is gone; False if time ran out. ``domain/removal.py``."""

SEGMENTS = 16


class Unfinished(Protocol):
    """A table, as far as the sweep needs it: page by page, the ids of what should have been removed before a time."""

    def unfinished(self, before: datetime, segment: int, segments: int) -> Iterator[list[str]]: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """``complete`` is False if the whole table was not looked through: the time was over, or it did not answer.

    ``unread``: how many segments could not be read to their end.
    """

    found: int
    finished: int
    failed: tuple[str, ...]
    complete: bool
    unread: int = 0


def sweep(table: Unfinished, finish: Finish, before: datetime, keep_going: KeepGoing) -> Swept:
    """Finish everything in the table that has been waiting to be removed since before this time.

    The table is looked through in segments, in random order, and where a sweep ended is not remembered. A sweep that
    has too little time therefore begins elsewhere the next time, and every segment gets its turn; a position that was
    remembered would have to be stored and kept right, and one item that never finishes would hold up all behind it.
    """
    found, finished = 0, 0
    failed: list[str] = []
    unread = 0
    for segment in chance.shuffled(range(SEGMENTS)):
        try:
            for page in table.unfinished(before, segment, SEGMENTS):
                found += len(page)
                for subject in page:
                    if keep_going():
                        try:
                            finished += finish(subject, keep_going)
                        except TaskSyncError:
                            failed.append(subject)
                if not keep_going():
                    return Swept(found, finished, tuple(failed), complete=False, unread=unread)
        except TaskSyncError:
            # This segment could not be read on. What has been done stands, and the others get their turns.
            unread += 1
    return Swept(found, finished, tuple(failed), complete=unread == 0, unread=unread)

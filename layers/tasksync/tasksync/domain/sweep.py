"""The sweep: finds what was begun long ago and is still unfinished, and finishes it.

A stream record says when there is something to finish. It may be lost, expire, or fail until it is given up: what it
should have set off is then found here, by the mark that the change itself has left, and finished by the same code.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from tasksync.model.errors import TaskSyncError
from tasksync.runtime import randomness
from tasksync.runtime.deadline import KeepGoing

Subject = TypeVar("Subject")

Finish = Callable[[Subject, KeepGoing], bool]
"""Finishes this, or sees that it is done; False if time ran out. ``removal.py``, ``rooms/unassignment.py``."""


@dataclass(frozen=True, slots=True)
class Swept:
    """``complete`` is False if not all that there is was looked at: the time was over, or the index did not answer.

    ``unread``: the index did not answer.
    """

    found: int
    finished: int
    failed: tuple[str, ...]
    complete: bool
    unread: bool = False


def sweep(pages: Iterable[list[Subject]], finish: Finish[Subject], keep_going: KeepGoing) -> Swept:
    """Finish all that is on the pages.

    The subjects of a page come in random order: a sweep that has too little time begins elsewhere the next time, so
    one that never finishes holds up nobody for good.
    """
    found, finished = 0, 0
    failed: list[str] = []
    try:
        for page in pages:
            found += len(page)
            for subject in randomness.shuffled(page):
                if not keep_going():
                    break
                try:
                    finished += finish(subject, keep_going)
                except TaskSyncError:
                    failed.append(str(subject))
            if not keep_going():
                return Swept(found, finished, tuple(failed), complete=False)
    except TaskSyncError:
        # What has been done stands.
        return Swept(found, finished, tuple(failed), complete=False, unread=True)
    return Swept(found, finished, tuple(failed), complete=True)

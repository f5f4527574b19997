"""The sweep: finds removals that were started long ago and are still unfinished, and finishes them.

Normally a stream record starts a removal. If the record is lost, expires or keeps failing, the sweep finds the removal
by the mark that the change left in the item, and finishes it with the same code.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from tasksync.model.errors import TaskSyncError
from tasksync.runtime import randomness
from tasksync.runtime.deadline import KeepGoing

Subject = TypeVar("Subject")

Finish = Callable[[Subject, KeepGoing], bool]
"""Finishes a subject if it is not finished yet; False if time ran out. See ``removal.py``,
``rooms/unassignment.py``."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of a sweep. ``complete`` is False if time ran out or the index did not respond.

    ``unread``: the index did not respond.
    """

    found: int
    finished: int
    failed: tuple[str, ...]
    complete: bool
    unread: bool = False


def sweep(pages: Iterable[list[Subject]], finish: Finish[Subject], keep_going: KeepGoing) -> Swept:
    """Finish all subjects on the pages.

    The subjects of a page are taken in random order, so that a subject that never finishes does not block the others
    in every sweep.
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
        # The subjects finished so far remain finished.
        return Swept(found, finished, tuple(failed), complete=False, unread=True)
    return Swept(found, finished, tuple(failed), complete=True)

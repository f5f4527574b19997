"""Respreading: ranks that moves have made long become short again, and nobody sees it.

The tasks with long ranks, and the one before them, get ranks in the gap in front of that one. They are written from the
first to the last. Each new rank is lower than all old ones, so the order never changes, and a respread may stop after
any write and start again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from fractional_indexing import generate_n_keys_between

from tasksync.domain.manual_order import LONG
from tasksync.model.entities import Respread, Task
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.unit_of_work import retry_on_conflict

_LEFT_ALONE = LONG // 4
"""Characters of ranks that stay as they are."""
_AT_ONCE = 25
"""Tasks of one transaction."""


class Respreads(Protocol):
    """``dynamodb/tasks/respreads.py``."""

    def due(self, before: datetime) -> Iterator[list[str]]: ...
    def find(self, owner_id: str) -> Respread | None: ...
    def ahead(self, respread: Respread) -> Iterator[Task]: ...
    def back(self, respread: Respread) -> Iterator[Task]: ...
    def write(self, respread: Respread, ranks: Sequence[tuple[Task, str]]) -> Respread: ...
    def done(self, respread: Respread) -> None: ...


def respread(owner_id: str, respreads: Respreads, keep_going: KeepGoing) -> bool:
    """Carry out the respread of a room or person. False if time ran out.

    Raises ``WriteConflict`` if tasks keep being moved.
    """

    @retry_on_conflict
    def finished() -> bool:
        job = respreads.find(owner_id)
        if job is None:
            return True
        ranks = _new_ranks(respreads.back(job), respreads.ahead(job))
        for start in range(0, len(ranks), _AT_ONCE):
            if not keep_going():
                return False
            job = respreads.write(job, ranks[start : start + _AT_ONCE])
        respreads.done(job)
        return True

    return finished()


def _new_ranks(back: Iterator[Task], ahead: Iterator[Task]) -> list[tuple[Task, str]]:
    """The tasks around a place that need another rank, in the manual order. ``back``: those before the place, in the
    opposite order; ``ahead``: the others."""
    tasks = list(takewhile(_is_long, ahead))[::-1]
    low = None
    for task in back:
        # Two tasks of equal rank have no gap between them.
        if tasks and not _is_long(tasks[-1]) and not _is_long(task) and task.rank < tasks[-1].rank:
            low = task.rank
            break
        tasks.append(task)
    if not any(map(_is_long, tasks)):
        return []
    tasks.reverse()
    return list(zip(tasks, generate_n_keys_between(low, tasks[0].rank, len(tasks)), strict=True))


def _is_long(task: Task) -> bool:
    return len(task.rank) > _LEFT_ALONE

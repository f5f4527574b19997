"""The manual order: each status of a room, or of somebody's personal tasks, has an order of its own.

A task has a rank, a text. Between any two ranks there is another one, so moving a task writes no other task.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from fractional_indexing import generate_key_between
from msgspec.structs import replace

from tasksync.domain.tasks import Matches, completed_at, require_writer, visible_owner
from tasksync.model.entities import Caller, Membership, Task, TaskStatus
from tasksync.model.errors import NotInColumn, PreconditionFailed, RankTooLong, TaskNotFound
from tasksync.model.ids import is_room_id, owner_of
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

MOST_CHARACTERS = 200
"""Of a rank. Some thousand tasks moved to the same place, one before the other, make a longer one."""


class Tasks(Protocol):
    """The part of the tasks repository that this service uses; ``dynamodb/tasks/changes.py`` says what each raises."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str]
    ) -> tuple[Task | None, dict[str, Membership]]: ...
    def find_many(self, task_ids: Iterable[str]) -> dict[str, Task]: ...
    def next_in_column(self, task: Task, status: TaskStatus, behind: str | None) -> Task | None: ...
    def move(self, before: Task, after: Task, behind: Task | None, writer_id: str | None) -> None: ...


class ManualOrder:
    """Moves tasks."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    @retry_on_conflict
    def move(
        self, caller: Caller, task_id: str, behind_id: str | None, status: TaskStatus | None, matches: Matches
    ) -> Task:
        """Put a task behind another in the manual order of a status, or with None before all others.

        ``status``: of the place, and of the task from then on; None: as it is. Among tasks of equal rank, the place is
        behind all of them. Raises ``RoleTooLow``, ``PreconditionFailed``, ``NotInColumn``, ``RankTooLong``.
        """
        in_room = is_room_id(visible_owner(caller, task_id))
        before, members = self._tasks.find_with_members(task_id, [caller.user_id])
        if before is None or (in_room and caller.user_id not in members):
            raise TaskNotFound
        if in_room:
            require_writer(members.get(caller.user_id))
        if not matches(before.version):
            raise PreconditionFailed(before.version)
        status = status or before.status
        behind = None
        if behind_id is not None:
            if behind_id == task_id or owner_of(behind_id) != before.owner_id:
                raise NotInColumn
            behind = self._tasks.find_many([behind_id]).get(behind_id)
            if behind is None or behind.status is not status:
                raise NotInColumn
        low = None if behind is None else behind.rank
        following = self._tasks.next_in_column(before, status, low)
        after = replace(before, rank=_rank_between(low, following, before.rank), status=status)
        if after == before:
            return before
        at = max(clock.now(), before.updated_at)
        after = replace(
            after,
            completed_at=completed_at(before, after, at),
            updated_by=caller.user_id,
            updated_at=at,
            version=before.version + 1,
        )
        unit_of_work.respond_with(after)
        self._tasks.move(before, after, behind, caller.user_id if in_room else None)
        return after


def _rank_between(low: str | None, following: Task | None, rank: str) -> str:
    """A rank behind ``low`` and before that of the following task: ``rank``, if it is there already."""
    high = None if following is None else following.rank
    if (low is None or low < rank) and (high is None or rank < high):
        return rank
    made = str(generate_key_between(low, high))
    if len(made) > MOST_CHARACTERS:
        raise RankTooLong
    return made

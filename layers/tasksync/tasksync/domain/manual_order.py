"""The manual order: each status of a room, or of somebody's personal tasks, has an order of its own.

A task has a rank, a text. Between any two ranks there is another one, so moving a task writes no other task.
"""

from collections.abc import Collection
from typing import Protocol

from fractional_indexing import generate_key_between
from msgspec.structs import replace

from tasksync.domain.tasks import Matches, next_version, require_writer, visible_owner
from tasksync.model import times
from tasksync.model.entities import Caller, Membership, Respread, Task, TaskStatus
from tasksync.model.errors import NotInColumn, PreconditionFailed, RankTooLong, TaskNotFound, WriteConflict
from tasksync.model.times import is_room_id, owner_of
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

LONG = 200
"""Characters of a rank from which on the sweeper makes ranks short again (``respreading.py``). Some thousand moves to
the same place make one."""
LONGEST = 900
"""Characters of a rank that are stored: a sort key takes 1024 bytes."""


class Tasks(Protocol):
    """The part of the tasks repository that this service uses; ``dynamodb/tasks/changes.py`` says what each raises."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str]
    ) -> tuple[Task | None, dict[str, Membership]]: ...
    def find_behind(self, owner_id: str, behind_id: str | None) -> tuple[Task | None, Respread | None]: ...
    def next_two(self, owner_id: str, status: TaskStatus, behind: str | None) -> list[Task]: ...
    def move(
        self, before: Task, after: Task, behind: Task | None, writer_id: str | None, respread: Respread | None
    ) -> None: ...


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
        behind all of them. A task that is in this place already stays as it is.

        Raises ``RoleTooLow``, ``PreconditionFailed``, ``NotInColumn``, ``RankTooLong``.
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
        if behind_id is not None and (behind_id == task_id or owner_of(behind_id) != before.owner_id):
            raise NotInColumn
        behind, respread = self._tasks.find_behind(before.owner_id, behind_id)
        if behind_id is not None and (behind is None or behind.status is not status):
            raise NotInColumn
        low = None if behind is None else behind.rank
        following = self._tasks.next_two(before.owner_id, status, low)
        if following and following[0].id == task_id:
            if following[0].revision != before.revision:
                raise WriteConflict  # moved here since it was read
            return before
        high = next((each.rank for each in following if each.id != task_id), None)
        rank = str(generate_key_between(low, high))
        if len(rank) > LONGEST:
            raise RankTooLong
        if len(rank) > LONG and respread is None:
            respread = Respread(before.owner_id, status, rank, times.now(), step=0)
        after = next_version(before, replace(before, rank=rank, status=status), caller)
        unit_of_work.respond_with(after)
        self._tasks.move(before, after, behind, caller.user_id if in_room else None, respread)
        return after

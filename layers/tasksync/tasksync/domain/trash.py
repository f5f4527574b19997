"""The trash: who may see, restore and delete tasks in it, and when they are deleted without anybody's doing."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.tasks import Matches, next_version, require_writer, visible_owner
from tasksync.model import times
from tasksync.model.entities import Assignment, Caller, Membership, Page, Task
from tasksync.model.errors import NotFound, PreconditionFailed, RoomNotFound, TaskNotFound
from tasksync.model.times import is_room_id
from tasksync.runtime import unit_of_work
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.unit_of_work import retry_on_conflict


class Tasks(Protocol):
    """The part of the tasks repository that this service uses; ``dynamodb/tasks/changes.py`` says what each raises."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str], *, trashed: bool = False
    ) -> tuple[Task | None, dict[str, Membership]]: ...
    def page_of_trash(
        self, owner_id: str, user_id: str, since: datetime, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]: ...
    def restore(self, before: Task, after: Task, writer_id: str | None) -> None: ...
    def delete(self, task_id: str, trashed_at: datetime, writer_id: str | None) -> None: ...


class Memberships(Protocol):
    """The part of the rooms repository that this service uses."""

    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class ExpiredTasks(Protocol):
    """``dynamodb/tasks/repository.py``."""

    def purge_trashed(self, task_id: str, trashed_at: datetime) -> None: ...


class TrashService:
    """What is in the trash. Every method raises ``NotFound`` for what the caller may not see, or has expired."""

    def __init__(self, tasks: Tasks, memberships: Memberships, lifetime: Callable[[], timedelta]) -> None:
        """``lifetime``: how long a task stays in the trash."""
        self._tasks = tasks
        self._memberships = memberships
        self._lifetime = lifetime

    def expires_at(self, task: Task) -> datetime:
        """When a task in the trash is deleted."""
        return _trashed_at(task) + self._lifetime()

    def list_of_room(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[Task]:
        """Latest first, for members of any role."""
        page, membership = self._page(caller, room_id, limit, after)
        if membership is None:
            raise RoomNotFound
        return page

    def list_of_caller(self, caller: Caller, limit: int, after: str | None) -> Page[Task]:
        """The caller's personal tasks, latest first."""
        return self._page(caller, caller.user_id, limit, after)[0]

    @retry_on_conflict
    def restore(self, caller: Caller, task_id: str, matches: Matches) -> Task:
        """Take a task out of the trash. Assignees come back who have not left the room since.

        Raises ``RoleTooLow``, ``PreconditionFailed``.
        """
        before, writer_id = self._find(caller, task_id, matches)
        assignees = before.assignees
        if writer_id is not None and assignees:
            members = self._memberships.members_among(before.owner_id, before.assignee_ids)
            assignees = tuple(
                Assignment(each.user_id, members[each.user_id].join_id) for each in assignees if _holds(each, members)
            )
        live = replace(before, trashed_at=None, trashed_by=None, assignees=assignees)
        after = next_version(before, live, caller)
        unit_of_work.respond_with(after)
        self._tasks.restore(before, after, writer_id)
        return after

    @retry_on_conflict
    def delete(self, caller: Caller, owner_id: str, task_id: str, matches: Matches) -> None:
        """Delete a task from the trash of a room or of the caller, for good. Raises as ``restore`` does."""
        if visible_owner(caller, task_id) != owner_id:
            raise TaskNotFound
        task, writer_id = self._find(caller, task_id, matches)
        unit_of_work.respond_with(None)
        self._tasks.delete(task.id, _trashed_at(task), writer_id)

    def _page(
        self, caller: Caller, owner_id: str, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        return self._tasks.page_of_trash(owner_id, caller.user_id, times.now() - self._lifetime(), limit, after)

    def _find(self, caller: Caller, task_id: str, matches: Matches) -> tuple[Task, str | None]:
        """A task that the caller may restore or delete, and the caller's id; None for a personal task."""
        in_room = is_room_id(visible_owner(caller, task_id))
        task, members = self._tasks.find_with_members(task_id, [caller.user_id], trashed=True)
        if task is None or (in_room and caller.user_id not in members) or self.expires_at(task) <= times.now():
            raise TaskNotFound
        if in_room:
            require_writer(members.get(caller.user_id))
        if not matches(task.version):
            raise PreconditionFailed(task.version)
        return task, caller.user_id if in_room else None


def require_own(caller: Caller, user_id: str) -> None:
    """Raises ``NotFound`` for anybody's trash but the caller's."""
    if user_id != caller.user_id:
        raise NotFound


def delete_expired(expired: tuple[str, datetime], tasks: ExpiredTasks, keep_going: KeepGoing) -> bool:
    """Delete a task that was moved to the trash at this time. False if time ran out."""
    if not keep_going():
        return False
    tasks.purge_trashed(*expired)
    return True


def _holds(assignment: Assignment, members: dict[str, Membership]) -> bool:
    """Whether the membership of the assignment has not ended. A task from before join ids were stored notes none."""
    membership = members.get(assignment.user_id)
    return membership is not None and assignment.join_id in (None, membership.join_id)


def _trashed_at(task: Task) -> datetime:
    if task.trashed_at is None:
        raise TypeError(f"{task.id} is not in the trash")
    return task.trashed_at

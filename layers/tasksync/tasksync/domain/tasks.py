"""The task service: who may see, create, change and delete tasks."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol

from msgspec.structs import asdict, replace

from tasksync.model.entities import Caller, Draft, Membership, Page, RoomRole, Task, TaskStatus
from tasksync.model.errors import (
    AssigneeNotMember,
    AssigneeNotOwner,
    NotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomNotFound,
    TaskNotFound,
    WriteConflict,
)
from tasksync.model.ids import is_room_id, new_task_id, owner_of
from tasksync.model.queries import TaskFilter
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

_MOST_AT_ONCE = 1_000

_VIEWER_LIMITS = (
    "This needs the role member or admin in the room; your role is viewer. A viewer may change the status of a task "
    "that is assigned to them, and nothing else. An admin of the room can change your role."
)

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""


class TaskList(Protocol):
    """A list of tasks that is read forward; ``dynamodb/tasks/lists.py``."""

    @property
    def goes_on(self) -> bool: ...
    @property
    def position(self) -> str | None: ...
    def read(self, wanted: int) -> list[Task]: ...


class Tasks(Protocol):
    """The part of the tasks repository that this service uses; ``dynamodb/tasks/changes.py`` says what each raises."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str]
    ) -> tuple[Task | None, dict[str, Membership]]: ...
    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]: ...
    def of_assignee(self, user_id: str, wanted: TaskFilter, after: str | None) -> TaskList: ...
    def position_of(self, task: Task, wanted: TaskFilter) -> str: ...
    def create(self, task: Task, writer_id: str | None) -> None: ...
    def update(self, before: Task, after: Task, writer: Membership | None) -> None: ...
    def delete(self, task_id: str, seen: Task | None, writer_id: str | None) -> None: ...


class Memberships(Protocol):
    """The part of the rooms repository that this service uses."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...
    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class TaskService:
    """Operations on tasks. Every method raises ``NotFound`` for a task or room that the caller may not see."""

    def __init__(self, tasks: Tasks, memberships: Memberships) -> None:
        self._tasks = tasks
        self._memberships = memberships

    @retry_on_conflict
    def create(self, caller: Caller, room_id: str | None, draft: Draft) -> Task:
        """Create a task. Raises ``RoleTooLow`` for viewers, ``AssigneeNotMember``."""
        if room_id is None and draft.assignee_id != caller.user_id:
            raise AssigneeNotOwner
        # The task stores the join id of the assignee's membership.
        join_id = None
        if room_id is not None and draft.assignee_id is not None:
            join_id = self._join_of(caller, room_id, draft.assignee_id)
        at = clock.now()
        owner_id = room_id or caller.user_id
        task = Task(
            **asdict(draft),
            id=new_task_id(owner_id, at),
            owner_id=owner_id,
            created_by=caller.user_id,
            created_at=at,
            updated_by=caller.user_id,
            updated_at=at,
            completed_at=at if draft.status is TaskStatus.COMPLETED else None,
            version=1,
            join_id=join_id,
        )
        try:
            unit_of_work.respond_with(task)
            self._tasks.create(task, caller.user_id if room_id else None)
        except WriteConflict:
            # The cause is read only now: creating an unassigned task needs no read before the write.
            if room_id is not None:
                members = self._memberships.members_among(room_id, [caller.user_id])
                _require_writer(members.get(caller.user_id), _unknown_room)
            raise
        return task

    def _join_of(self, caller: Caller, room_id: str, assignee_id: str) -> str:
        members = self._memberships.members_among(room_id, [caller.user_id, assignee_id])
        _require_writer(members.get(caller.user_id), _unknown_room)
        if assignee_id not in members:
            raise AssigneeNotMember
        return members[assignee_id].join_id

    def get(self, caller: Caller, task_id: str) -> Task:
        task, _ = self._find(caller, task_id)
        return task

    def list_of_room(
        self, caller: Caller, room_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> Page[Task]:
        page, membership = self._tasks.page_of_room(room_id, caller.user_id, wanted, limit, after)
        if membership is None:
            raise RoomNotFound
        return page

    def list_of_caller(self, caller: Caller, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """The caller's tasks: tasks assigned to them in their current rooms, and personal tasks.

        A task stays assigned to somebody who left its room until ``rooms/unassignment.py`` runs. Such tasks are not
        shown, so a page may be short or even empty, and still have a next page.
        """
        if wanted.unassigned or wanted.assignee_id not in (None, caller.user_id):
            return Page([], None)  # none of the caller's tasks is unassigned or assigned to somebody else
        found = self._tasks.of_assignee(caller.user_id, wanted, after)
        shown: list[Task] = []
        # One more than shown, so that a next page is announced only if there is one.
        size = limit + 1
        while len(shown) <= limit:
            tasks = found.read(size)
            # Read after the tasks, so that no task is shown that was written after the caller had left.
            rooms = {task.owner_id for task in tasks if is_room_id(task.owner_id)}
            current = self._memberships.memberships_in(rooms, caller.user_id) if rooms else {}
            shown += [
                task
                for task in tasks
                if task.owner_id == caller.user_id or task.is_assigned_by(current.get(task.owner_id))
            ]
            if not found.goes_on:
                break
            # Hidden tasks come in groups: all tasks of a room that the caller has left.
            size = min(4 * size, _MOST_AT_ONCE)
        if len(shown) > limit:
            return Page(shown[:limit], self._tasks.position_of(shown[limit - 1], wanted))
        return Page(shown, found.position)

    def position_of(self, task: Task, wanted: TaskFilter) -> str:
        """The position in a list after this task."""
        return self._tasks.position_of(task, wanted)

    @retry_on_conflict
    def change(
        self,
        caller: Caller,
        task_id: str,
        edit: Callable[[Task], Task],
        matches: Matches,
        named_id: str | None = None,
    ) -> Task:
        """Replace the task by the result of ``edit``.

        ``named_id``: the assignee that the edit names, if any. A viewer may only change the status of tasks that are
        assigned to them. Raises ``RoleTooLow``, ``AssigneeNotMember``, ``PreconditionFailed``.
        """
        before, members = self._find(caller, task_id, named_id)
        membership = members.get(caller.user_id)
        if membership is not None and not before.is_assigned_by(membership):
            _require_writer(membership)
        if not matches(before.version):
            raise PreconditionFailed(before.version)
        after = edit(before)
        if membership is None and after.assignee_id != caller.user_id:
            raise AssigneeNotOwner
        if membership is not None and replace(after, status=before.status) != before:
            _require_writer(membership)
        if membership is not None and membership.role is not RoomRole.VIEWER:
            after = _assigned(before, after, members.get(named_id or ""))
        if after == before:
            return before
        # The clocks of two containers may differ: the times of a task's versions must not go backwards.
        at = max(clock.now(), before.updated_at)
        after = replace(
            after,
            completed_at=_completed_at(before, after, at),
            updated_by=caller.user_id,
            updated_at=at,
            version=before.version + 1,
        )
        unit_of_work.respond_with(after)
        self._tasks.update(before, after, membership)
        return after

    @retry_on_conflict
    def delete(self, caller: Caller, task_id: str, matches: Matches | None) -> None:
        """Delete a task. ``matches``: None to delete any version. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        writer_id = caller.user_id if is_room_id(_visible_owner(caller, task_id)) else None
        seen = None if matches is None else self._deletable(caller, task_id, matches)
        try:
            unit_of_work.respond_with(None)
            self._tasks.delete(task_id, seen, writer_id)
        except WriteConflict:
            self._deletable(caller, task_id, matches)
            raise

    def _deletable(self, caller: Caller, task_id: str, matches: Matches | None) -> Task:
        """The task, if the caller may delete it. Raises the errors of ``delete``."""
        task, members = self._find(caller, task_id)
        if is_room_id(task.owner_id):
            _require_writer(members.get(caller.user_id))
        if matches is not None and not matches(task.version):
            raise PreconditionFailed(task.version)
        return task

    def _find(self, caller: Caller, task_id: str, named_id: str | None = None) -> tuple[Task, dict[str, Membership]]:
        """The task, and the memberships of the caller and of the named user; none for a personal task."""
        owner_id = _visible_owner(caller, task_id)
        task, members = self._tasks.find_with_members(task_id, {caller.user_id, named_id or caller.user_id})
        if task is None or (caller.user_id not in members and owner_id != caller.user_id):
            raise TaskNotFound
        return task, members


def _unknown_room() -> NotFound:
    """The error for a new task: the body names the room."""
    return RoomNotFound("/room_id")


def _require_writer(membership: Membership | None, missing: Callable[[], NotFound] = TaskNotFound) -> None:
    """Raises ``missing`` if there is no membership, ``RoleTooLow`` for viewers."""
    if membership is None:
        raise missing()
    if membership.role is RoomRole.VIEWER:
        raise RoleTooLow(_VIEWER_LIMITS, membership.role, RoomRole.MEMBER)


def _visible_owner(caller: Caller, task_id: str) -> str:
    """The room that a task id names as its owner, or the caller. Raises ``TaskNotFound`` for anybody else."""
    owner_id = owner_of(task_id)
    if owner_id is None or not (is_room_id(owner_id) or owner_id == caller.user_id):
        raise TaskNotFound
    return owner_id


def _assigned(before: Task, after: Task, named: Membership | None) -> Task:
    """``after`` with the join id of its assignee. ``named``: the membership of the user that the change names, if any.

    Naming the assignee again assigns the task through the current membership. Raises ``AssigneeNotMember``; but naming
    an assignee who has left again changes nothing.
    """
    if after.assignee_id is None or named is not None:
        return replace(after, join_id=None if named is None else named.join_id)
    if after.assignee_id != before.assignee_id:
        raise AssigneeNotMember
    return after


def _completed_at(before: Task, after: Task, at: datetime) -> datetime | None:
    if after.status is not TaskStatus.COMPLETED:
        return None
    return before.completed_at if before.status is TaskStatus.COMPLETED else at

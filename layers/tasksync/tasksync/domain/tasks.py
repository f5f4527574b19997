"""The task service: who may see, create, change and trash tasks. ``trash.py`` is about what is in the trash."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from msgspec.structs import asdict, replace

from tasksync.model import times
from tasksync.model.entities import Assignment, Caller, Draft, Membership, Page, RoomRole, Task, TaskStatus
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
from tasksync.model.queries import Order, TaskFilter
from tasksync.model.times import is_room_id, new_task_id, owner_of, rank_of
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

_VIEWER_LIMITS = (
    "This needs the role member or admin in the room; your role is viewer. A viewer may change the status of a task "
    "that is assigned to them, and nothing else. An admin of the room can change your role."
)

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""


class Tasks(Protocol):
    """The part of the tasks repository that this service uses; ``dynamodb/tasks/changes.py`` says what each raises."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str]
    ) -> tuple[Task | None, dict[str, Membership]]: ...
    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]: ...
    def page_of_person(self, user_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]: ...
    def create(self, task: Task, writer_id: str | None) -> None: ...
    def update(self, before: Task, after: Task, writer: Membership | None) -> None: ...
    def trash(self, before: Task, after: Task, writer_id: str | None) -> None: ...


class Memberships(Protocol):
    """The part of the rooms repository that this service uses."""

    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class TaskService:
    """Operations on tasks. Every method raises ``NotFound`` for a task or room that the caller may not see."""

    def __init__(self, tasks: Tasks, memberships: Memberships) -> None:
        self._tasks = tasks
        self._memberships = memberships

    @retry_on_conflict
    def create(self, caller: Caller, room_id: str | None, draft: Draft) -> Task:
        """Create a task. Raises ``RoleTooLow`` for viewers, ``AssigneeNotMember``."""
        if room_id is None and draft.assignee_ids != (caller.user_id,):
            raise AssigneeNotOwner
        assignees = tuple(map(Assignment, draft.assignee_ids))
        if room_id is not None and assignees:
            assignees = self._assignments(caller, room_id, draft.assignee_ids)
        at = times.now()
        owner_id = room_id or caller.user_id
        fields = asdict(draft)
        del fields["assignee_ids"]
        task = Task(
            **fields,
            assignees=assignees,
            id=new_task_id(owner_id, at),
            owner_id=owner_id,
            created_by=caller.user_id,
            created_at=at,
            updated_by=caller.user_id,
            updated_at=at,
            completed_at=at if draft.status is TaskStatus.COMPLETED else None,
            version=1,
            revision=1,
            rank=rank_of(at),
        )
        try:
            unit_of_work.respond_with(task)
            self._tasks.create(task, caller.user_id if room_id else None)
        except WriteConflict:
            # The cause is read only now: creating an unassigned task needs no read before the write.
            if room_id is not None:
                members = self._memberships.members_among(room_id, [caller.user_id])
                require_writer(members.get(caller.user_id), _unknown_room)
            raise
        return task

    def _assignments(self, caller: Caller, room_id: str, user_ids: tuple[str, ...]) -> tuple[Assignment, ...]:
        """Assignments by the memberships that these users have now."""
        members = self._memberships.members_among(room_id, [caller.user_id, *user_ids])
        require_writer(members.get(caller.user_id), _unknown_room)
        return _assigned((), user_ids, members)

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
        if wanted.order is Order.RANK:
            # Each room has an order of its own: without a room, it is that of the personal tasks.
            return self._tasks.page_of_room(caller.user_id, caller.user_id, wanted, limit, after)[0]
        return self._tasks.page_of_person(caller.user_id, wanted, limit, after)

    @retry_on_conflict
    def change(
        self,
        caller: Caller,
        task_id: str,
        edit: Callable[[Task], tuple[Task, tuple[str, ...] | None]],
        matches: Matches,
        named_ids: Collection[str] = (),
    ) -> Task:
        """Replace the task by the result of ``edit``: the task, and the ids of those it is to be assigned to (None: as
        it is).

        ``named_ids``: all users that the edit may name as assignees. A viewer may only change the status of tasks that
        are assigned to them. Raises ``RoleTooLow``, ``AssigneeNotMember``, ``PreconditionFailed``.
        """
        before, members = self._find(caller, task_id, named_ids)
        membership = members.get(caller.user_id)
        if membership is not None and not before.is_assigned_by(membership):
            require_writer(membership)
        if not matches(before.version):
            raise PreconditionFailed(before.version)
        after, assignee_ids = edit(before)
        if membership is None and assignee_ids not in (None, (caller.user_id,)):
            raise AssigneeNotOwner
        if membership is not None and (
            replace(after, status=before.status) != before or assignee_ids not in (None, before.assignee_ids)
        ):
            require_writer(membership)
        if membership is not None and membership.role is not RoomRole.VIEWER and assignee_ids is not None:
            after = replace(after, assignees=_assigned(before.assignees, assignee_ids, members))
        if after == before:
            return before
        after = next_version(before, after, caller)
        unit_of_work.respond_with(after)
        self._tasks.update(before, after, membership)
        return after

    @retry_on_conflict
    def trash(self, caller: Caller, task_id: str, matches: Matches) -> None:
        """Move a task to the trash. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        task, members = self._find(caller, task_id)
        in_room = is_room_id(task.owner_id)
        if in_room:
            require_writer(members.get(caller.user_id))
        if not matches(task.version):
            raise PreconditionFailed(task.version)
        after = next_version(task, task, caller)
        after = replace(after, trashed_at=after.updated_at, trashed_by=caller.user_id)
        unit_of_work.respond_with(None)
        self._tasks.trash(task, after, caller.user_id if in_room else None)

    def _find(
        self, caller: Caller, task_id: str, named_ids: Collection[str] = ()
    ) -> tuple[Task, dict[str, Membership]]:
        """The task, and the memberships of the caller and of the named users; none for a personal task."""
        owner_id = visible_owner(caller, task_id)
        task, members = self._tasks.find_with_members(task_id, [caller.user_id, *named_ids])
        if task is None or (caller.user_id not in members and owner_id != caller.user_id):
            raise TaskNotFound
        return task, members


def _unknown_room() -> NotFound:
    """The error for a new task: the body names the room."""
    return RoomNotFound("/room_id")


def require_writer(membership: Membership | None, missing: Callable[[], NotFound] = TaskNotFound) -> None:
    """Raises ``missing`` if there is no membership, ``RoleTooLow`` for viewers."""
    if membership is None:
        raise missing()
    if membership.role is RoomRole.VIEWER:
        raise RoleTooLow(_VIEWER_LIMITS, membership.role, RoomRole.MEMBER)


def visible_owner(caller: Caller, task_id: str) -> str:
    """The room that a task id names as its owner, or the caller. Raises ``TaskNotFound`` for anybody else."""
    owner_id = owner_of(task_id)
    if owner_id is None or not (is_room_id(owner_id) or owner_id == caller.user_id):
        raise TaskNotFound
    return owner_id


def _assigned(
    before: tuple[Assignment, ...], user_ids: tuple[str, ...], members: Mapping[str, Membership]
) -> tuple[Assignment, ...]:
    """The assignments of these users. ``members``: the memberships of those that have one.

    Naming an assignee again assigns the task through the current membership. Raises ``AssigneeNotMember``; but naming
    an assignee who has left again changes nothing.
    """
    known = {each.user_id: each for each in before}
    known |= {user_id: Assignment(user_id, membership.join_id) for user_id, membership in members.items()}
    if not known.keys() >= set(user_ids):
        raise AssigneeNotMember
    return tuple(known[user_id] for user_id in user_ids)


def next_version(before: Task, after: Task, caller: Caller) -> Task:
    """``after`` as the version that follows ``before``, made by this caller now."""
    # The clocks of two containers may differ: the times of a task's versions must not go backwards.
    at = max(times.now(), before.updated_at)
    completed_at = None
    if after.status is TaskStatus.COMPLETED:
        completed_at = before.completed_at if before.status is TaskStatus.COMPLETED else at
    return replace(
        after, completed_at=completed_at, updated_by=caller.user_id, updated_at=at, version=before.version + 1
    )

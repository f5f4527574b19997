"""Tasks: who may see, plan and change them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync import clock
from tasksync.domain.attempts import until_settled
from tasksync.entities import Caller, Membership, Page, Priority, Receipt, ReceiptFor, RoomRole, Task, TaskStatus
from tasksync.errors import AssigneeNotOwner, NotFound, PreconditionFailed, RoleTooLow, Stale
from tasksync.ids import is_room_id, new_task_id, owner_of
from tasksync.queries import TaskFilter

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""


class Tasks(Protocol):
    """The tasks table, as far as the rules need it; ``tables/task_changes.py`` says what each raises."""

    def find_with_membership(self, task_id: str, user_id: str) -> tuple[Task | None, Membership | None]: ...
    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]: ...
    def page_of_assignee(self, user_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]: ...
    def place_of(self, task: Task, wanted: TaskFilter) -> str: ...
    def create(self, task: Task, writer_id: str | None, receipt: Receipt | None) -> None: ...
    def update(self, before: Task, after: Task, writer_id: str | None, receipt: Receipt | None) -> None: ...
    def delete(self, task_id: str, seen: Task | None, writer_id: str | None, receipt: Receipt | None) -> None: ...


class Memberships(Protocol):
    """The rooms table, as far as tasks need it."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A task before it is one."""

    title: str
    description: str | None
    status: TaskStatus
    priority: Priority
    deadline: datetime | None
    assignee_id: str | None


class TaskService:
    """What can be done with tasks. Every method raises ``NotFound`` for what the caller may not see."""

    def __init__(self, tasks: Tasks, memberships: Memberships) -> None:
        self._tasks = tasks
        self._memberships = memberships

    def create(self, caller: Caller, room_id: str | None, draft: Draft, receipt: ReceiptFor[Task]) -> Task:
        """Raises ``RoleTooLow`` for viewers, ``AssigneeNotMember``."""

        def attempt() -> Task:
            if room_id is None and draft.assignee_id != caller.user_id:
                raise AssigneeNotOwner
            at = clock.now()
            owner_id = room_id or caller.user_id
            task = Task(
                id=new_task_id(owner_id, at),
                owner_id=owner_id,
                assignee_id=draft.assignee_id,
                title=draft.title,
                description=draft.description,
                status=draft.status,
                priority=draft.priority,
                deadline=draft.deadline,
                created_by=caller.user_id,
                created_at=at,
                updated_by=caller.user_id,
                updated_at=at,
                completed_at=at if draft.status is TaskStatus.COMPLETED else None,
                version=1,
            )
            try:
                self._tasks.create(task, caller.user_id if room_id else None, receipt(task))
            except Stale:
                # Only now is it looked why: whoever may write in the room needs no reading before it.
                if room_id is not None:
                    self._require_writer(self._memberships.memberships_in([room_id], caller.user_id).get(room_id))
                raise
            return task

        return until_settled(attempt)

    def get(self, caller: Caller, task_id: str) -> Task:
        return self._find(caller, task_id)[0]

    def list_of_room(
        self, caller: Caller, room_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> Page[Task]:
        page, membership = self._tasks.page_of_room(room_id, caller.user_id, wanted, limit, after)
        if membership is None:
            raise NotFound
        return page

    def list_of_caller(self, caller: Caller, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """The caller's tasks: those assigned to them in rooms they are in now, and their personal ones."""
        if wanted.assignee_id not in (None, caller.user_id):
            return Page([], None)  # the caller's tasks that are somebody else's
        shown: list[Task] = []
        while True:
            # One more than is shown, so that a next page is announced only where there is one.
            page = self._tasks.page_of_assignee(caller.user_id, wanted, limit + 1 - len(shown), after)
            # A task stays assigned to somebody who left its room, but they see it no more.
            rooms = {task.owner_id for task in page.items if is_room_id(task.owner_id)}
            current = self._memberships.memberships_in(rooms, caller.user_id) if rooms else {}
            shown += [task for task in page.items if task.owner_id == caller.user_id or task.owner_id in current]
            if len(shown) > limit:
                return Page(shown[:limit], self._tasks.place_of(shown[limit - 1], wanted))
            if page.next is None:
                return Page(shown, None)
            after = page.next

    def place_of(self, task: Task, wanted: TaskFilter) -> str:
        """Where a list goes on after this task."""
        return self._tasks.place_of(task, wanted)

    def change(
        self,
        caller: Caller,
        task_id: str,
        edit: Callable[[Task], Task],
        matches: Matches,
        receipt: ReceiptFor[Task],
    ) -> Task:
        """Replace the task by what ``edit`` makes of it. Raises ``RoleTooLow``, ``AssigneeNotMember``,
        ``PreconditionFailed``."""

        def attempt() -> Task:
            before, membership = self._find(caller, task_id)
            if membership is not None:
                self._require_writer(membership)
            if not matches(before.version):
                raise PreconditionFailed
            after = edit(before)
            if membership is None and after.assignee_id != caller.user_id:
                raise AssigneeNotOwner
            if after == before:
                return before
            # The clocks of two functions may differ: the times of a task's versions must not go backwards.
            at = max(clock.now(), before.updated_at)
            after = replace(
                after,
                completed_at=_completed_at(before, after, at),
                updated_by=caller.user_id,
                updated_at=at,
                version=before.version + 1,
            )
            self._tasks.update(before, after, caller.user_id if membership else None, receipt(after))
            return after

        return until_settled(attempt)

    def delete(self, caller: Caller, task_id: str, matches: Matches | None, receipt: ReceiptFor[None]) -> None:
        """``matches``: None to delete any version. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        writer_id = caller.user_id if is_room_id(_visible_owner(caller, task_id)) else None

        def decided() -> Task:
            task, membership = self._find(caller, task_id)
            if membership is not None:
                self._require_writer(membership)
            if matches is not None and not matches(task.version):
                raise PreconditionFailed
            return task

        def attempt() -> None:
            seen = None if matches is None else decided()
            try:
                self._tasks.delete(task_id, seen, writer_id, receipt(None))
            except Stale:
                decided()
                raise

        until_settled(attempt)

    def _find(self, caller: Caller, task_id: str) -> tuple[Task, Membership | None]:
        """The task, and by which membership the caller sees it: None for a personal task of theirs."""
        owner_id = _visible_owner(caller, task_id)
        task, membership = self._tasks.find_with_membership(task_id, caller.user_id)
        if task is None or (membership is None and owner_id != caller.user_id):
            raise NotFound
        return task, membership

    def _require_writer(self, membership: Membership | None) -> None:
        if membership is None:
            raise NotFound
        if membership.role is RoomRole.VIEWER:
            raise RoleTooLow


def _visible_owner(caller: Caller, task_id: str) -> str:
    """The room that a task id names as its owner, or the caller. Raises ``NotFound`` for anybody else."""
    owner_id = owner_of(task_id)
    if owner_id is None or not (is_room_id(owner_id) or owner_id == caller.user_id):
        raise NotFound
    return owner_id


def _completed_at(before: Task, after: Task, at: datetime) -> datetime | None:
    if after.status is not TaskStatus.COMPLETED:
        return None
    return before.completed_at if before.status is TaskStatus.COMPLETED else at

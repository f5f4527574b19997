"""What comes in."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.domain.tasks import Draft
from tasksync.entities import Priority, Task, TaskStatus
from tasksync.http.fields import Description, Id, Moment, Paging, Title, UserId
from tasksync.http.schema import Change
from tasksync.queries import Order, TaskFilter

_SORT = (
    "Without it, tasks come in the order they were created, or where there is a range of deadlines, in that of their "
    "deadlines."
)


class Sort(StrEnum):
    DEADLINE = "deadline"
    PRIORITY = "priority"
    CREATED = "created_at"
    DEADLINE_DOWN = "-deadline"
    PRIORITY_DOWN = "-priority"
    CREATED_DOWN = "-created_at"


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """Without `room_id` it is a personal task; without `user_id` it is the caller's to do, with `null` nobody's."""

    title: Title
    description: Description | None = None
    status: TaskStatus = TaskStatus.PENDING
    priority: Priority = Priority.MEDIUM
    deadline: Moment | None = None
    room_id: Id | None = None
    user_id: UserId | UnsetType | None = UNSET

    def draft(self, caller_id: str) -> Draft:
        return Draft(
            title=self.title,
            description=self.description,
            status=self.status,
            priority=self.priority,
            deadline=self.deadline,
            assignee_id=caller_id if isinstance(self.user_id, UnsetType) else self.user_id,
        )


class TaskChange(Change, frozen=True, kw_only=True):
    """Absent: stays. ``null``: is cleared, where that is allowed."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    status: TaskStatus | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    deadline: Moment | UnsetType | None = UNSET
    user_id: UserId | UnsetType | None = UNSET

    def applied(self, task: Task) -> Task:
        given = self.given(task)
        if "user_id" in given:
            given["assignee_id"] = given.pop("user_id")
        return msgspec.structs.replace(task, **given)


class RoomTaskQuery(Paging, frozen=True, kw_only=True):
    """Of one room's list."""

    user_id: UserId | None = None
    status: tuple[TaskStatus, ...] = ()
    priority: tuple[Priority, ...] = ()
    deadline_from: Moment | None = None
    deadline_to: Moment | None = None
    sort: Annotated[Sort | None, Meta(description=_SORT)] = None

    def filter(self) -> TaskFilter:
        due = self.deadline_from is not None or self.deadline_to is not None
        sort = self.sort or (Sort.DEADLINE if due else Sort.CREATED)
        return TaskFilter(
            assignee_id=self.user_id,
            statuses=frozenset(self.status),
            priorities=frozenset(self.priority),
            deadline_from=self.deadline_from,
            deadline_to=self.deadline_to,
            order=Order(sort.value.removeprefix("-")),
            descending=sort.value.startswith("-"),
        )


class TaskQuery(RoomTaskQuery, frozen=True, kw_only=True):
    """Of the caller's list, or with ``room_id`` of that room's."""

    room_id: Id | None = None

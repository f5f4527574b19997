"""A task as a list reads it from the table or an index."""

import functools
from typing import cast

import msgspec

from tasksync.dynamodb.core.queries import Moment, Number, Text
from tasksync.model.entities import Priority, Task, TaskStatus


class _Status(msgspec.Struct, frozen=True, gc=False):
    S: TaskStatus


class _Priority(msgspec.Struct, frozen=True, gc=False):
    S: Priority


class TaskRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of ``TaskItem`` makes the task."""

    owner_id: Text
    task_id: Text
    assignee_id: Text | None = None
    title: Text
    description: Text | None = None
    status: _Status
    priority: _Priority
    deadline: Moment | None = None
    created_by: Text
    created_at: Moment
    updated_by: Text
    updated_at: Moment
    completed_at: Moment | None = None
    version: Number
    join_id: Text | None = None

    @property
    def id(self) -> str:
        return self.task_id.S

    def key(self, name: str) -> str:
        """The sort key of this name, which is one of those that ``rows_with`` was asked for."""
        key: str = getattr(self, name).S
        return key

    def entity(self) -> Task:
        return Task(
            id=self.task_id.S,
            owner_id=self.owner_id.S,
            assignee_id=self.assignee_id.S if self.assignee_id else None,
            title=self.title.S,
            description=self.description.S if self.description else None,
            status=self.status.S,
            priority=self.priority.S,
            deadline=self.deadline.S if self.deadline else None,
            created_by=self.created_by.S,
            created_at=self.created_at.S,
            updated_by=self.updated_by.S,
            updated_at=self.updated_at.S,
            completed_at=self.completed_at.S if self.completed_at else None,
            version=self.version.N,
            join_id=self.join_id.S if self.join_id else None,
        )


@functools.cache
def rows_with(*keys: str) -> type[TaskRow]:
    """Rows that have these sort keys, too."""
    further = [(key, Text) for key in dict.fromkeys(keys) if key not in TaskRow.__struct_fields__]
    if not further:
        return TaskRow
    made = msgspec.defstruct("TaskRow", further, bases=(TaskRow,), frozen=True, kw_only=True, gc=False)
    return cast("type[TaskRow]", made)

"""How a task is stored: its attributes, and the sort keys that are derived from them."""

import functools
from datetime import date
from typing import Any

from tasksync.dynamodb.core.mapper import MOMENT, NUMBER, TEXT, Attribute, Form, Mapper, Row, Text, one_of
from tasksync.model.entities import Priority, Task, TaskStatus
from tasksync.model.ids import time_ordered_part
from tasksync.runtime import clock


class _StoredDeadline(Text, frozen=True, gc=False):
    """A time as ``2027-01-31T12:00:00.000000Z``, a date as ``2027-01-31T24``: the text by which it sorts."""

    @property
    def value(self) -> date | None:
        # Where the attribute is absent, there is no text.
        return clock.from_sortable(self.S) if self.S else None


def _shown_deadline(text: str | None) -> str | None:
    return None if text is None else clock.rfc3339(clock.from_sortable(text))


_DEADLINE = Form(_StoredDeadline, "value", write=clock.sortable, show=_shown_deadline)

TASK = Mapper(
    Task,
    Attribute("owner_id", TEXT),
    Attribute("task_id", TEXT, field="id"),
    Attribute("title", TEXT, audited="title"),
    Attribute("description", TEXT.or_none(), audited="description"),
    Attribute("status", one_of(TaskStatus), audited="status"),
    Attribute("priority", one_of(Priority), audited="priority"),
    Attribute("assignee_id", TEXT.or_none(), audited="user_id"),
    Attribute("join_id", TEXT.or_none()),
    Attribute("deadline", _DEADLINE.or_none(), audited="deadline"),
    Attribute("created_by", TEXT),
    Attribute("created_at", MOMENT),
    Attribute("updated_by", TEXT),
    Attribute("updated_at", MOMENT),
    Attribute("completed_at", MOMENT.or_none()),
    Attribute("version", NUMBER),
)

# Sorts behind every deadline: digits come before letters.
NO_DEADLINE = "none"
# Stands where a person's id does in the sort keys of tasks without an assignee.
NOBODY = "none"
RANKS = {Priority.LOW: "1", Priority.MEDIUM: "2", Priority.HIGH: "3"}
_STATUSES = {TaskStatus.PENDING: "1", TaskStatus.IN_PROGRESS: "2", TaskStatus.COMPLETED: "3"}


class TaskRow(Row, frozen=True, kw_only=True, gc=False):
    """A task as a list reads it from the table or an index."""

    @property
    def id(self) -> str:
        return self.key("task_id")

    def key(self, name: str) -> str:
        """The sort key of this name, which is an argument of ``rows_with``."""
        key: str = getattr(self, name).S
        return key

    def entity(self) -> Task:
        return TASK.entity(self)


@functools.cache
def rows_with(*keys: str) -> type[TaskRow]:
    """Rows that have these sort keys, too."""
    return TASK.rows(TaskRow, *keys)


def attributes(task: Task) -> dict[str, Any]:
    """By attribute the value that is stored, and what is derived from it."""
    return {**sort_keys(task), **TASK.attributes(task)}


def class_of(status: TaskStatus, priority: Priority) -> str:
    """What sort keys begin with that part tasks by their status and priority."""
    return _STATUSES[status] + RANKS[priority]


def sort_keys(task: Task) -> dict[str, str]:
    """The sort keys of all lists that the task is in: the filters of a list first, then its order."""
    deadline = NO_DEADLINE if task.deadline is None else clock.sortable(task.deadline)
    created = time_ordered_part(task.id)
    status = class_of(task.status, task.priority)
    person = task.assignee_id or NOBODY
    return {
        "by_created": created,
        "by_deadline": f"{deadline}#{created}",
        "by_status": f"{status}#{created}",
        "by_status_deadline": f"{status}#{deadline}#{created}",
        "by_person": f"{person}#{status}#{created}",
        "by_person_deadline": f"{person}#{status}#{deadline}#{created}",
    }

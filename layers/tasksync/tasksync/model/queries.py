"""Filters and orders of task lists."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tasksync.model.entities import Priority, TaskStatus


class Order(StrEnum):
    """The sort order of a list. Equal tasks are sorted by creation."""

    CREATED = "created_at"
    DEADLINE = "deadline"
    PRIORITY = "priority"
    RANK = "rank"
    """The manual order, one status after the other."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """The filter and the order of a list. An empty set or None does not filter.

    The range of deadlines is inclusive, and excludes tasks without a deadline. A deadline that is a date counts as the
    end of its day in UTC. So does a date as ``deadline_to``; as ``deadline_from`` it is the beginning of its day.

    Sorted by deadline, tasks without one come last in either direction. Sorted by priority, tasks of the same priority
    are sorted by creation or, with a range of deadlines, by deadline.
    """

    assignee_id: str | None = None
    unassigned: bool = False
    """Only tasks that are assigned to nobody; then ``assignee_id`` is None."""
    statuses: frozenset[TaskStatus] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    deadline_from: date | None = None
    deadline_to: date | None = None
    order: Order = Order.CREATED
    descending: bool = False

    @property
    def needs_deadline(self) -> bool:
        return self.deadline_from is not None or self.deadline_to is not None

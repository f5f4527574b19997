"""What a list of tasks can be asked for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasksync.model.entities import Priority, TaskStatus


class Order(StrEnum):
    """By what a list is sorted. Tasks that are equal in it come in the order they were created."""

    CREATED = "created_at"
    DEADLINE = "deadline"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks, and in which order. An empty set or None does not narrow the list.

    Both deadlines are inclusive, and leave out the tasks that have none. Sorted by deadline, tasks without one come
    last in either direction. Sorted by priority, tasks of the same priority come in the order they were created, or
    where there is a range of deadlines, in that of their deadlines.
    """

    assignee_id: str | None = None
    unassigned: bool = False
    """Only what is assigned to nobody; there is no ``assignee_id`` then."""
    statuses: frozenset[TaskStatus] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    deadline_from: datetime | None = None
    deadline_to: datetime | None = None
    order: Order = Order.CREATED
    descending: bool = False

    @property
    def matches_nothing(self) -> bool:
        return self.deadline_from is not None and self.deadline_to is not None and self.deadline_from > self.deadline_to

    @property
    def needs_deadline(self) -> bool:
        return self.deadline_from is not None or self.deadline_to is not None

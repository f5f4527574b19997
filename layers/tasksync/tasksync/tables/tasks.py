"""The tasks table: the tasks of a room are one partition, and so are the personal tasks of one person.

Each order a list can have is a sort key of its own, so that a page is read from its place and not from the beginning:
``by_created`` (in one partition ``task_id`` gives the same order), ``by_deadline``, ``by_priority``. A room's lists use
local indexes, which are read consistently. A person's lists use global ones, which may be some milliseconds behind.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex

from tasksync import clock, stamps
from tasksync.entities import Membership, Page, Priority, Task, TaskStatus
from tasksync.errors import Stale
from tasksync.ids import is_room_id, owner_of, time_ordered_part
from tasksync.queries import Order, TaskFilter
from tasksync.settings import settings
from tasksync.tables.connection import SharedModel, batch_get
from tasksync.tables.rooms import MembershipItem, membership_key
from tasksync.tables.transactions import Transaction

# Sorts behind every deadline: digits come before letters.
_NO_DEADLINE = "none"
_RANKS = {Priority.LOW: "1", Priority.MEDIUM: "2", Priority.HIGH: "3"}
_SORT_KEYS = {Order.CREATED: "by_created", Order.DEADLINE: "by_deadline", Order.PRIORITY: "by_priority"}


class _RoomByDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _RoomByPriority(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_priority"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_priority = UnicodeAttribute(range_key=True)


class _ByAssignee(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class _ByAssigneeDeadline(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_deadline"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _ByAssigneePriority(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_priority"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_priority = UnicodeAttribute(range_key=True)


class TaskItem(SharedModel):
    class Meta:
        table_name = settings.tasks_table

    owner_id = UnicodeAttribute(hash_key=True)
    task_id = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute()
    by_deadline = UnicodeAttribute()
    by_priority = UnicodeAttribute()
    assignee_id = UnicodeAttribute(null=True)
    """In whose list the task is. Absent: in nobody's."""
    title = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    priority = UnicodeAttribute()
    deadline = UnicodeAttribute(null=True)
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_by = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    completed_at = UnicodeAttribute(null=True)
    version = NumberAttribute()
    stamp = UnicodeAttribute(null=True)
    """Of the latest change: ``tasksync.stamps``."""

    room_by_deadline = _RoomByDeadline()
    room_by_priority = _RoomByPriority()
    by_assignee = _ByAssignee()
    by_assignee_deadline = _ByAssigneeDeadline()
    by_assignee_priority = _ByAssigneePriority()

    def entity(self) -> Task:
        return Task(
            id=self.task_id,
            owner_id=self.owner_id,
            assignee_id=self.assignee_id,
            title=self.title,
            description=self.description,
            status=TaskStatus(self.status),
            priority=Priority(self.priority),
            deadline=clock.parse(self.deadline) if self.deadline else None,
            created_by=self.created_by,
            created_at=clock.parse(self.created_at),
            updated_by=self.updated_by,
            updated_at=clock.parse(self.updated_at),
            completed_at=clock.parse(self.completed_at) if self.completed_at else None,
            version=int(self.version),
        )


class TasksTable:
    """Tasks of rooms, and personal ones."""

    def find_with_membership(self, task_id: str, user_id: str) -> tuple[Task | None, Membership | None]:
        """The task, and this user's membership in its room, in one consistent round trip.

        The membership is None for a personal task.
        """
        owner_id = str(owner_of(task_id))
        task_key = {"owner_id": {"S": owner_id}, "task_id": {"S": task_id}}
        requests = {settings.tasks_table: {"Keys": [task_key], "ConsistentRead": True}}
        if is_room_id(owner_id):
            requests[settings.rooms_table] = {"Keys": [membership_key(owner_id, user_id)], "ConsistentRead": True}
        found = batch_get(requests)
        tasks = [TaskItem.from_raw_data(raw).entity() for raw in found[settings.tasks_table]]
        memberships = [MembershipItem.from_raw_data(raw).entity() for raw in found.get(settings.rooms_table, [])]
        return next(iter(tasks), None), next(iter(memberships), None)

    def place_of(self, task: Task, wanted: TaskFilter) -> str:
        """The position behind ``task`` in a list in this order."""
        return _List(None, None, wanted).position(task_item(task))

    def page_of_room(self, room_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """The room's tasks, read consistently."""
        return _page(_List(room_id, None, wanted), limit, after)

    def page_of_assignee(self, user_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """The tasks assigned to a person, in rooms or personal: from an index, so without any right to see them."""
        return _page(_List(None, user_id, wanted), limit, after)

    def unassign(self, task: Task, at: datetime) -> None:
        """The assignee is gone for good. Raises ``Stale`` if the task has changed since it was read."""
        transaction = Transaction()
        transaction.update(
            TaskItem(task.owner_id, task.id),
            [
                TaskItem.assignee_id.remove(),
                TaskItem.updated_at.set(clock.timestamp(at)),
                TaskItem.version.add(1),
                TaskItem.stamp.set(stamps.new()),
            ],
            same_task(task),
            Stale,
        )
        transaction.commit()

    def assigned_to(self, user_id: str) -> Iterator[Task]:
        """All tasks of a person's list, from the index."""
        return (item.entity() for item in TaskItem.by_assignee.query(user_id))

    def purge(self, owner_id: str, keep_going: Callable[[], bool]) -> bool:
        """Delete all tasks of a room or person, 25 at a time. False if ``keep_going`` said no before the end."""
        while keep_going():
            keys = ["owner_id", "task_id"]
            found = list(TaskItem.query(owner_id, consistent_read=True, limit=25, attributes_to_get=keys))
            if not found:
                return True
            with TaskItem.batch_write() as batch:
                for item in found:
                    batch.delete(item)
        return False


def same_task(task: Task) -> Condition:
    return TaskItem.version == task.version


def task_item(task: Task) -> TaskItem:
    item = TaskItem(task.owner_id, task.id, created_by=task.created_by, version=task.version)
    for name, value in _attributes(task).items():
        setattr(item, name, value)
    return item


def _attributes(task: Task) -> dict[str, str | None]:
    """Everything that can change, and what is derived from it."""
    deadline = None if task.deadline is None else clock.sortable(task.deadline)
    created = time_ordered_part(task.id)
    return {
        "by_created": created,
        "by_deadline": f"{deadline or _NO_DEADLINE}#{created}",
        "by_priority": f"{_RANKS[task.priority]}#{created}",
        "assignee_id": task.assignee_id,
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "priority": task.priority.value,
        "deadline": deadline,
        "created_at": clock.timestamp(task.created_at),
        "updated_by": task.updated_by,
        "updated_at": clock.timestamp(task.updated_at),
        "completed_at": None if task.completed_at is None else clock.timestamp(task.completed_at),
    }


def changes(before: Task, after: Task) -> list[Action]:
    old, new = _attributes(before), _attributes(after)
    actions: list[Action] = [TaskItem.version.add(1), TaskItem.stamp.set(stamps.new())]
    for name, value in new.items():
        attribute = getattr(TaskItem, name)
        if value != old[name]:
            actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions


@dataclass(frozen=True, slots=True)
class _List:
    """One list: a room's, or a person's."""

    room_id: str | None
    assignee_id: str | None
    wanted: TaskFilter

    def query(self, part: Condition | None, start: dict[str, Any] | None, page_size: int) -> Iterator[TaskItem]:
        found: Iterator[TaskItem] = self._index().query(
            self.room_id or self.assignee_id,
            part,
            filter_condition=self._filter(),
            consistent_read=self.room_id is not None,
            scan_index_forward=not self.wanted.descending,
            last_evaluated_key=start,
            page_size=page_size,
        )
        return found

    def parts(self) -> list[Condition | None]:
        """The ranges of the sort key to read, one after the other."""
        if self.wanted.matches_nothing:
            return []
        if self.wanted.order is not Order.DEADLINE:
            return [None]
        key = TaskItem.by_deadline
        if self.wanted.needs_deadline:
            first = clock.sortable(self.wanted.deadline_from) if self.wanted.deadline_from else "0"
            last = clock.sortable(self.wanted.deadline_to) if self.wanted.deadline_to else "9999-12-31T24"
            return [key.between(first, f"{last}#~")]
        # Backwards, too, those without a deadline come last.
        return [key < _NO_DEADLINE, key.startswith(_NO_DEADLINE)] if self.wanted.descending else [None]

    def start(self, task_id: str, sort_key: str) -> dict[str, Any]:
        """Where DynamoDB is to go on behind a task: the keys of the index and of the table."""
        keys = {"owner_id": owner_of(task_id), "task_id": task_id}
        if self.assignee_id is not None:
            keys["assignee_id"] = self.assignee_id
        if self.assignee_id is not None or self.wanted.order is not Order.CREATED:
            keys[_SORT_KEYS[self.wanted.order]] = sort_key
        return {name: {"S": value} for name, value in keys.items()}

    def position(self, item: TaskItem) -> str:
        """Where the list goes on behind ``item``: the part, and its keys there."""
        second = len(self.parts()) > 1 and item.by_deadline.startswith(_NO_DEADLINE)
        return json.dumps([int(second), getattr(item, _SORT_KEYS[self.wanted.order]), item.task_id])

    @property
    def filtered(self) -> bool:
        return self._filter() is not None

    def _index(self) -> Any:
        if self.room_id is not None:
            room_lists = {
                Order.CREATED: TaskItem,
                Order.DEADLINE: TaskItem.room_by_deadline,
                Order.PRIORITY: TaskItem.room_by_priority,
            }
            return room_lists[self.wanted.order]
        lists = {
            Order.CREATED: TaskItem.by_assignee,
            Order.DEADLINE: TaskItem.by_assignee_deadline,
            Order.PRIORITY: TaskItem.by_assignee_priority,
        }
        return lists[self.wanted.order]

    def _filter(self) -> Condition | None:
        wanted = self.wanted
        conditions: list[Condition] = []
        if self.room_id is not None and wanted.assignee_id is not None:
            conditions.append(TaskItem.assignee_id == wanted.assignee_id)
        if wanted.statuses:
            conditions.append(TaskItem.status.is_in(*sorted(wanted.statuses)))
        if wanted.priorities:
            conditions.append(TaskItem.priority.is_in(*sorted(wanted.priorities)))
        if wanted.order is not Order.DEADLINE:  # there, it is the range of the key
            if wanted.deadline_from is not None:
                conditions.append(TaskItem.deadline >= clock.sortable(wanted.deadline_from))
            if wanted.deadline_to is not None:
                conditions.append(TaskItem.deadline <= clock.sortable(wanted.deadline_to))
        return reduce(and_, conditions) if conditions else None


def _page(wanted: _List, limit: int, after: str | None) -> Page[Task]:
    """Read one task more than asked for, so that a next page is announced only where there is one."""
    parts = wanted.parts()
    first, start = 0, None
    if after is not None:
        first, sort_key, task_id = json.loads(after)
        start = wanted.start(task_id, sort_key)
    tasks: list[Task] = []
    position: str | None = None
    for number in range(first, len(parts)):
        missing = limit + 1 - len(tasks)
        # With a filter most of what is read may be dropped; larger pages keep the number of round trips down.
        page_size = 4 * missing if wanted.filtered else missing
        for item in islice(wanted.query(parts[number], start, page_size), missing):
            if len(tasks) == limit:
                return Page(tasks, position)
            tasks.append(item.entity())
            position = wanted.position(item)
        start = None
    return Page(tasks, None)

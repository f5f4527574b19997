"""The items of the tasks table: keys, indexes, and the conditions and updates of transactions.

Each list is a range, or some ranges, of an index whose sort key begins with the values that the list is filtered by and
continues with those that it is sorted by (``query_plan.py``). A room's lists use local indexes, which are read
consistently. A person's lists across rooms use global ones, which
may be some milliseconds behind.
"""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel, Transaction, new_item
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.tasks.mapper import DESCRIPTION, Stored, stored
from tasksync.model.entities import Task
from tasksync.model.errors import WriteConflict
from tasksync.model.times import owner_of
from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings


class _RoomByCreated(LocalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "room_by_created"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class _RoomByDeadline(LocalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "room_by_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _RoomByStatus(LocalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "room_by_status"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status = UnicodeAttribute(range_key=True)


class _RoomByStatusDeadline(LocalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "room_by_status_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status_deadline = UnicodeAttribute(range_key=True)


class _RoomByRank(LocalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "room_by_rank"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_rank = UnicodeAttribute(range_key=True)


class _ByPerson(GlobalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "by_person"
        projection = KeysOnlyProjection()

    person_id = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class _ByAssigneeDeadline(GlobalSecondaryIndex["TasksItem"]):
    class Meta:
        index_name = "by_assignee_deadline"
        projection = KeysOnlyProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class TasksItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.tasks_table

    owner_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute(null=True)
    by_deadline = UnicodeAttribute(null=True)
    person_id = UnicodeAttribute(null=True)
    """In whose list by creation the item is: of a link its assignee; of a task its creator, if not assigned to it; of a
    task in the trash ``TRASH``."""

    room_by_created = _RoomByCreated()
    room_by_deadline = _RoomByDeadline()
    room_by_status = _RoomByStatus()
    room_by_status_deadline = _RoomByStatusDeadline()
    room_by_rank = _RoomByRank()
    by_person = _ByPerson()
    by_assignee_deadline = _ByAssigneeDeadline()


class TaskItem(TasksItem):
    """A task's own item."""

    by_status = UnicodeAttribute(null=True)
    by_status_deadline = UnicodeAttribute(null=True)
    by_rank = UnicodeAttribute(null=True)
    assignees = ListAttribute(of=UnicodeAttribute, null=True)
    title = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    """The beginning of it, if there is a digest of the whole."""
    description_digest = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    priority = UnicodeAttribute()
    deadline = UnicodeAttribute(null=True)
    rank = UnicodeAttribute()
    ranked_at = UnicodeAttribute(null=True)
    """When a respread gave the task its rank, which made no version; None: the rank is that of a version."""
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_by = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    completed_at = UnicodeAttribute(null=True)
    version = NumberAttribute()
    revision = NumberAttribute()
    trashed_at = UnicodeAttribute(null=True)
    trashed_by = UnicodeAttribute(null=True)
    copied = UnicodeAttribute(null=True)
    """Set by a migration that copied the task, until the first change: it is no new task for those behind the
    stream."""
    stamp = UnicodeAttribute(null=True)
    """Of the latest change: ``tasksync.model.change_context``."""


class LinkItem(TasksItem):
    """An assignment."""

    assignee_id = UnicodeAttribute(null=True)
    """Absent in a link to nobody, as is ``person_id``."""
    join_id = UnicodeAttribute(null=True)


class DescriptionItem(TasksItem):
    """A long description."""

    text = UnicodeAttribute()

    @classmethod
    def at(cls, task_id: str) -> "DescriptionItem":
        return cls(owner_of(task_id), DESCRIPTION + task_id)


def task_key(task_id: str) -> Raw:
    """The key of the item; the id is known to be the id of a task."""
    return item_key(task_id, task_id)


def description_key(task_id: str) -> Raw:
    return item_key(task_id, DESCRIPTION + task_id)


def item_key(task_id: str, item: str) -> Raw:
    return {"owner_id": {"S": str(owner_of(task_id))}, "item": {"S": item}}


def task_item(task: Task) -> TaskItem:
    written = stored(task)
    return new_item(TaskItem, {**written.keys, **written.content})


def link_items(task: Task) -> Iterator[LinkItem]:
    for item, values in stored(task).links.items():
        attributes: dict[str, Any] = {**values}
        yield LinkItem(task.owner_id, item, **attributes)


def same_task(task: Task) -> Condition:
    """Nothing has been written to the task since it was read."""
    condition: Condition = TaskItem.revision == task.revision
    return condition


def update_task(transaction: Transaction, before: Task, after: Task, *actions: Action) -> None:
    """Write what differs, with the next revision, and do these ``actions``.

    The commit raises ``WriteConflict`` if the task has changed since it was read.
    """
    old, new = stored(before), stored(after)
    changes = _changes({**old.keys, **old.content}, {**new.keys, **new.content})
    transaction.update(TaskItem(before.owner_id, before.id), [*changes, *actions], same_task(before), WriteConflict)
    write_parts(transaction, before.owner_id, old, new)


def write_parts(transaction: Transaction, owner_id: str, before: Stored, after: Stored) -> None:
    """Write what differs between the further items of a task, its links and its long description.

    It goes into the transaction that writes the task, whose condition on the task's revision holds for them, too.
    """
    transaction.write_items(LinkItem, owner_id, before.links, after.links)
    transaction.write_items(DescriptionItem, owner_id, before.description, after.description)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[Action]:
    actions: list[Action] = [
        TaskItem.revision.add(1),
        TaskItem.stamp.set(unit_of_work.current.get().change_context),
        TaskItem.copied.remove(),
    ]
    for name, value in new.items():
        attribute = getattr(TaskItem, name)
        if value != old[name] and name != "revision":
            actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions

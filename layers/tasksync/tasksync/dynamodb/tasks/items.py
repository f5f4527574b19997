"""The items of the tasks table: keys, indexes, and the conditions and updates of transactions.

Each list is a range, or some ranges, of an index whose sort key begins with the values that the list is filtered by and
continues with those that it is sorted by (``query_plan.py``). A room's lists use local indexes, which are read
consistently. A person's lists use global ones, which may be some milliseconds behind.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.tasks.mapper import TASK, attributes, sort_keys
from tasksync.model.entities import Task
from tasksync.model.ids import owner_of
from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings


class _RoomByDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _RoomByStatus(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_status"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status = UnicodeAttribute(range_key=True)


class _RoomByStatusDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_status_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status_deadline = UnicodeAttribute(range_key=True)


class _RoomByPerson(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_person"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_person = UnicodeAttribute(range_key=True)


class _RoomByPersonDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_person_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_person_deadline = UnicodeAttribute(range_key=True)


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


class _ByAssigneeStatus(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_status"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_status = UnicodeAttribute(range_key=True)


class _ByAssigneeStatusDeadline(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_status_deadline"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_status_deadline = UnicodeAttribute(range_key=True)


class _ByCreator(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_creator"
        projection = KeysOnlyProjection()

    created_by = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class TaskItem(SharedModel):
    class Meta:
        table_name = settings.tasks_table

    owner_id = UnicodeAttribute(hash_key=True)
    task_id = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute()
    by_deadline = UnicodeAttribute()
    by_status = UnicodeAttribute()
    by_status_deadline = UnicodeAttribute()
    by_person = UnicodeAttribute(null=True)
    """Absent on tasks without an assignee from before these were listed, as is the next."""
    by_person_deadline = UnicodeAttribute(null=True)
    assignee_id = UnicodeAttribute(null=True)
    """In whose list the task is. Absent: in nobody's."""
    join_id = UnicodeAttribute(null=True)
    """Of the assignee's membership: ``Task.join_id``."""
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
    """Of the latest change: ``tasksync.model.change_context``."""

    room_by_deadline = _RoomByDeadline()
    room_by_status = _RoomByStatus()
    room_by_status_deadline = _RoomByStatusDeadline()
    room_by_person = _RoomByPerson()
    room_by_person_deadline = _RoomByPersonDeadline()
    by_assignee = _ByAssignee()
    by_assignee_deadline = _ByAssigneeDeadline()
    by_assignee_status = _ByAssigneeStatus()
    by_assignee_status_deadline = _ByAssigneeStatusDeadline()
    by_creator = _ByCreator()


def task_key(task_id: str) -> Raw:
    """The key of the item; the id is known to be the id of a task."""
    return {"owner_id": {"S": str(owner_of(task_id))}, "task_id": {"S": task_id}}


def task_item(task: Task) -> TaskItem:
    item = TaskItem()
    # The constructor sets each value through its descriptor, which takes twice as long.
    item.attribute_values.update(attributes(task))
    return item


def same_task(task: Task) -> Condition:
    return TaskItem.version == task.version


def changes(before: Task, after: Task) -> list[Action]:
    """What differs, with the next version."""
    old = sort_keys(before)
    new = {name: key for name, key in sort_keys(after).items() if key != old[name]} | TASK.changes(before, after)
    new.pop("version", None)
    actions: list[Action] = [TaskItem.version.add(1), TaskItem.stamp.set(unit_of_work.change_context())]
    for name, value in new.items():
        attribute = getattr(TaskItem, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions

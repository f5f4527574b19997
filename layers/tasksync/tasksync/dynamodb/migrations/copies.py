"""Copies of tasks: how a task of the old table is stored in the new one.

A copy has the attribute ``copied`` until the first change of the task, which removes it. With it, the functions behind
the stream ignore the task's items, and these migrations may write them again.

To delete with the old table, in the release after the one that copies:

- in the template ``TasksTable`` with the statements that name it, the parameter ``TasksOpen``, the variables
  ``TASKS_OPEN`` and ``OLD_TASKS_TABLE``, and of ``ActivityFunction`` the event ``TaskChanged``;
- these statements' entries in ``tests/support/retained_permissions.py``;
- this module, ``old_items.py`` and its use in ``dynamodb/activity/versions.py``, ``m0006`` to ``m0008``, and the
  attribute ``copied`` with what reads it;
- ``settings.old_tasks_table``, ``settings.tasks_open``, ``Gate`` of ``http/pipeline.py`` and ``TasksClosed``;
- ``infrastructure/tasks_move.py``, and what calls it in ``release.py``, ``build.py`` and ``local/stack.py``.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.activity.versions import is_copy
from tasksync.dynamodb.core.connection import SharedModel, Transaction, get_item, get_many
from tasksync.dynamodb.migrations.old_items import in_new_form
from tasksync.dynamodb.migrations.scanning import Raw
from tasksync.dynamodb.rooms.items import RoomItem
from tasksync.dynamodb.tasks.items import (
    DescriptionItem,
    TaskItem,
    description_key,
    item_key,
    link_items,
    same_task,
    task_item,
    task_key,
    write_parts,
)
from tasksync.dynamodb.tasks.mapper import DESCRIPTION, NOTHING, TASK, long_description, stored, tasks_of
from tasksync.dynamodb.users.conditions import require_active
from tasksync.model.entities import Task
from tasksync.model.errors import NotFound, WriteConflict
from tasksync.model.times import is_room_id, owner_of
from tasksync.runtime.settings import settings

_COPIED = "1"


class OldTaskItem(SharedModel):
    """A task in the old table, as far as conditions name it."""

    class Meta:
        table_name = settings.old_tasks_table

    owner_id = UnicodeAttribute(hash_key=True)
    task_id = UnicodeAttribute(range_key=True)
    version = NumberAttribute()


def old_item(task_id: str) -> Raw | None:
    """The item of a task in the old table, read consistently."""
    key = {"owner_id": {"S": str(owner_of(task_id))}, "task_id": {"S": task_id}}
    found = get_item(settings.old_tasks_table, key)
    return None if found is None else dict(found)


def task_of_old(item: Raw) -> Task:
    """The task that an item of the old table holds. Raises ``WriteConflict`` if it holds none."""
    try:
        return TASK.read(in_new_form(item))
    except (KeyError, TypeError, ValueError) as error:
        raise WriteConflict from error


def is_copied(task: Task, stamp: str | None) -> bool:
    """Whether the new table has the task as it is in the old one, or as it was changed since in the new one."""
    keys = [task_key(task.id), description_key(task.id), *(item_key(task.id, link) for link in stored(task).links)]
    found = {item["item"]["S"]: item for item in get_many(settings.tasks_table, keys)}
    if task.id in found and not is_copy(found[task.id]):
        return True
    return found == _items(task, stamp)


def write_copy(task: Task, stamp: str | None) -> None:
    """Write the task and its parts, in place of an earlier copy. ``stamp``: the change context of its item.

    Raises ``NotFound`` if its room or person is gone or being deleted, so that nothing is copied behind their removal;
    ``WriteConflict`` if the task in the old table is not of this version any more, or somebody else wrote the copy.
    """
    before = _stored_copy(task.id)
    transaction = Transaction()
    if is_room_id(task.owner_id):
        transaction.check(RoomItem.at(task.owner_id), RoomItem.member_count >= 1, NotFound)
    else:
        require_active(transaction, task.owner_id, NotFound)
    transaction.check(OldTaskItem(task.owner_id, task.id), OldTaskItem.version == task.version, WriteConflict)
    condition = TaskItem.owner_id.does_not_exist() if before is None else _same_copy(before)
    transaction.put(_task_item(task, stamp), condition, WriteConflict)
    write_parts(transaction, task.owner_id, NOTHING if before is None else stored(before), stored(task))
    transaction.commit()


def delete_copy(task_id: str) -> bool:
    """Delete the copy of a task that the old table does not have; False if there is none.

    Raises ``WriteConflict`` if the old table has the task, or somebody else wrote the copy.
    """
    copy = _stored_copy(task_id)
    if copy is None:
        return False
    transaction = Transaction()
    transaction.check(OldTaskItem(copy.owner_id, copy.id), OldTaskItem.owner_id.does_not_exist(), WriteConflict)
    transaction.delete(TaskItem(copy.owner_id, copy.id), _same_copy(copy), WriteConflict)
    write_parts(transaction, copy.owner_id, stored(copy), NOTHING)
    transaction.commit()
    return True


def _stored_copy(task_id: str) -> Task | None:
    """The copy as it is stored; None if there is none, or if the task was changed since in the new table."""
    items = list(get_many(settings.tasks_table, [task_key(task_id), description_key(task_id)]))
    if not any(is_copy(item) for item in items):
        return None
    return tasks_of(items)[task_id]


def _same_copy(copy: Task) -> Condition:
    condition: Condition = TaskItem.copied.exists() & same_task(copy)
    return condition


def _task_item(task: Task, stamp: str | None) -> TaskItem:
    item = task_item(task)
    item.copied, item.stamp = _COPIED, stamp
    return item


def _items(task: Task, stamp: str | None) -> dict[str, Raw]:
    """All items of the copy as they are stored, by their sort key."""
    items: list[TaskItem | DescriptionItem] = [_task_item(task, stamp)]
    text = long_description(task)
    if text is not None:
        items.append(DescriptionItem(task.owner_id, DESCRIPTION + task.id, text=text))
    return {each.item: each.to_dynamodb_dict() for each in (*items, *link_items(task))}

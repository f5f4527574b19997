"""Tasks from before lists were read by status and by person: the sort keys that those lists go by are added.

They are made of the task's own content. Nobody sees the change: the version and the change context of the task stay.
"""

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.tasks.items import TaskItem
from tasksync.dynamodb.tasks.mapper import TASK, sort_keys
from tasksync.model.entities import Task
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

_ATTEMPTS = 10


class TaskSortKeys:
    id = "0002-task-sort-keys"
    description = "tasks have the sort keys of all lists"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        return scan_page(settings.tasks_table, segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        key = {name: item[name] for name in ("owner_id", "task_id")}
        for _ in range(_ATTEMPTS):
            if _fits(item):
                return False
            found = next(iter(get_many(settings.tasks_table, [key])), None)
            if found is None:
                return False
            item = dict(found)
            if _changed(TASK.read(item)):
                return True
        raise WriteConflict


def _fits(item: Raw) -> bool:
    expected = sort_keys(TASK.read(item))
    return all(item.get(name, {}).get("S") == value for name, value in expected.items())


def _changed(task: Task) -> bool:
    """Whether the task still was what had been read."""
    actions = [getattr(TaskItem, name).set(value) for name, value in sort_keys(task).items()]
    transaction = Transaction()
    transaction.update(TaskItem(task.owner_id, task.id), actions, TaskItem.version == task.version, WriteConflict)
    try:
        transaction.commit()
    except WriteConflict:
        return False
    return True

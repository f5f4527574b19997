"""Copies the tasks of the old table to the new one, which has other keys and indexes.

Each task is one transaction, which holds only if the task is what was read and its owner is there. So a copy is whole
or not there, and a room or person that is removed meanwhile gets no task back.
"""

from tasksync.dynamodb.core.mapper import text_of
from tasksync.dynamodb.migrations.copies import is_copied, old_item, task_of_old, write_copy
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.model.errors import NotFound, WriteConflict
from tasksync.runtime.settings import settings

_ATTEMPTS = 10


class TasksCopied:
    id = "0006-tasks-copied"
    description = "tasks are in their new table"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        # Once tasks are served from the new table, what was deleted there must not be copied again.
        if settings.tasks_open:
            return [], None
        return scan_page(settings.old_tasks_table, segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        for _ in range(_ATTEMPTS):
            task, stamp = task_of_old(item), text_of(item, "stamp")
            if is_copied(task, stamp):
                return False
            try:
                write_copy(task, stamp)
            except NotFound:
                return False
            except WriteConflict:
                found = old_item(task.id)
                if found is None:
                    return False
                item = found
            else:
                return True
        raise WriteConflict

"""Deletes copies of tasks that are not in the old table any more: those that a function of the version before deleted
after they had been copied."""

from tasksync.dynamodb.migrations.copies import delete_copy, old_item
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.runtime.settings import settings


class CopiesOfDeletedTasks:
    id = "0008-copies-of-deleted-tasks"
    description = "there is no copy of a task that was deleted"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        if settings.tasks_open:
            return [], None
        items, position = scan_page(settings.tasks_table, segment, segments, after, limit)
        return [item for item in items if "copied" in item], position

    def change(self, item: Raw) -> bool:
        task_id = item["item"]["S"]
        return old_item(task_id) is None and delete_copy(task_id)

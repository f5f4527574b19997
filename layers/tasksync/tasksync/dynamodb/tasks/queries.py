"""Many tasks at once, in one round trip or two."""

from collections.abc import Iterable, Iterator
from typing import Any

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.tasks.items import TaskItem, task_key
from tasksync.dynamodb.tasks.mapper import TASK
from tasksync.model.entities import Page, Task, TaskStatus
from tasksync.runtime.settings import settings

_MOST_LOOKED_AT = 500
_OPEN = TaskItem.status != TaskStatus.COMPLETED.value


class OpenTasks:
    """Open tasks, newest first, read 500 tasks at a time: so one round trip is enough for a user with thousands of
    completed tasks, too."""

    def __init__(self, pages: Iterator[dict[str, Any]]) -> None:
        self._pages = pages
        self.more = True
        """Whether there may be more."""

    def read(self) -> list[Task]:
        """What is open among the next 500, in one round trip."""
        page = next(self._pages)
        self.more = "LastEvaluatedKey" in page
        return [TASK.read(raw) for raw in page["Items"]]


class TaskReads:
    """Tasks as overview, export and the resolution of keys need them: without any right to see them."""

    def open_of(self, user_id: str) -> "OpenTasks":
        """What is assigned to a person and not completed. From an index, which may be some milliseconds behind."""
        pages = TaskItem.by_assignee.query(
            user_id, filter_condition=_OPEN, scan_index_forward=False, page_size=_MOST_LOOKED_AT
        )
        return OpenTasks(pages.page_iter)

    def personal_of(self, user_id: str) -> "OpenTasks":
        """Of a person's personal tasks, those that are not completed."""
        pages = TaskItem.query(user_id, filter_condition=_OPEN, scan_index_forward=False, page_size=_MOST_LOOKED_AT)
        return OpenTasks(pages.page_iter)

    def created_by(self, user_id: str, limit: int, after: str | None) -> Page[Task]:
        """What a person has created, whosever it is to do, oldest first.

        Found in an index that may be some milliseconds behind, and read consistently: two round trips. A page is
        shorter than ``limit`` where tasks have just been deleted.
        """
        beyond = None if after is None else TaskItem.by_created > after
        read = next(TaskItem.by_creator.query(user_id, beyond, page_size=limit).page_iter)
        ids = [raw["task_id"]["S"] for raw in read["Items"]]
        found = self.find_many(ids) if ids else {}
        last = read.get("LastEvaluatedKey")
        return Page([found[each] for each in ids if each in found], None if last is None else last["by_created"]["S"])

    def find_many(self, task_ids: Iterable[str]) -> dict[str, Task]:
        """By id, read consistently. The ids are known to be ids of tasks. One round trip for 100."""
        found = map(TASK.read, get_many(settings.tasks_table, map(task_key, task_ids)))
        return {task.id: task for task in found}

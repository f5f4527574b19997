"""Completes change logs, of rooms and of people, where records of tasks were lost: see ``logged.py``."""

from tasksync.dynamodb.migrations.logged import Complete, complete_log_of
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.model.times import owner_of
from tasksync.runtime.settings import settings


class TasksLogged:
    id = "0012-tasks-logged"
    description = "change logs are as far as their tasks"

    def __init__(self, complete: Complete) -> None:
        """``complete``: of the sequencer."""
        self._complete = complete

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.tasks_table, segment, segments, after, limit)
        return [item for item in items if owner_of(item["item"]["S"]) is not None], position

    def change(self, item: Raw) -> bool:
        return complete_log_of(item, self._complete)

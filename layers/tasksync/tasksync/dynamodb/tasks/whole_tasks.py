"""Reads single tasks with their whole descriptions, without any right to see them."""

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.tasks.items import description_key, task_key
from tasksync.dynamodb.tasks.mapper import tasks_of
from tasksync.model.entities import Task
from tasksync.runtime.settings import settings

ATTEMPTS = 3
"""How often a task is read until its two items are of one version: a batch is no transaction."""


class WholeTasks:
    """Tasks of rooms, and personal ones."""

    def find(self, task_id: str) -> Task | None:
        """The task, if it is not in the trash, read consistently in one round trip: in another if it has changed
        meanwhile.
        """
        task = None
        for _ in range(ATTEMPTS):
            task = tasks_of(get_many(settings.tasks_table, [task_key(task_id), description_key(task_id)])).get(task_id)
            if task is None or task.description_digest is None:
                break
        return task

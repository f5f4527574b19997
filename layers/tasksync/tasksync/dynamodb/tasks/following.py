"""Tasks as clients that follow a change log need them: whole, read consistently, without any right to see them."""

from collections.abc import Sequence

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.queries import query
from tasksync.dynamodb.tasks.items import description_key, task_key
from tasksync.dynamodb.tasks.mapper import LISTED, rows_with, tasks_of
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model.entities import Task
from tasksync.model.following import ListedTasks
from tasksync.runtime.settings import settings

MOST_TASKS = 50
"""In one round trip: each has two items."""

# It sorts behind all characters of a sort key.
_END = "~"


class FollowedTasks(TasksRepository):
    """The tasks of a room, or personal tasks."""

    def current(self, task_ids: Sequence[str]) -> dict[str, Task]:
        """By id, those of up to 50 tasks that are in lists, with their whole descriptions. One round trip; one more for
        each whose description changes meanwhile.
        """
        keys = [key for task_id in task_ids for key in (task_key(task_id), description_key(task_id))]
        found = list(tasks_of(get_many(settings.tasks_table, keys)).values())
        return {task.id: task for task in self.whole(found)}

    def listed(self, owner_id: str, after: str, limit: int) -> ListedTasks:
        """The tasks in lists after a position, the time-ordered part of a task id: at most ``limit``, in one round
        trip. A task never changes its position; in the trash it has none.
        """
        rows, more = query(
            rows_with(),
            {
                "TableName": settings.tasks_table,
                "IndexName": "room_by_created",
                "KeyConditionExpression": "#0 = :0 AND #1 BETWEEN :1 AND :2",
                "ConsistentRead": True,
                "Limit": limit,
                "ExpressionAttributeNames": {"#0": "owner_id", "#1": "by_created"},
                "ExpressionAttributeValues": {
                    ":0": {"S": owner_id},
                    ":1": {"S": f"{LISTED}{after}{_END}"},
                    ":2": {"S": f"{LISTED}{_END}"},
                },
            },
        )
        return ListedTasks([row.entity() for row in rows], ended=more is None)

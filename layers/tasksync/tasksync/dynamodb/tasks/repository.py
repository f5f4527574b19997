"""The tasks table: the tasks of a room are one partition, and so are the personal tasks of one person."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tasksync.dynamodb.core.connection import batch_get
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.rooms.items import membership_key
from tasksync.dynamodb.rooms.repository import members_of
from tasksync.dynamodb.tasks.items import TaskItem, changes, same_task, task_key
from tasksync.dynamodb.tasks.mapper import TASK
from tasksync.model.entities import Membership, Task
from tasksync.model.errors import WriteConflict
from tasksync.model.ids import is_room_id, owner_of
from tasksync.runtime.settings import settings


class TasksRepository:
    """Tasks of rooms, and personal ones."""

    def find_with_members(self, task_id: str, user_ids: Collection[str]) -> tuple[Task | None, dict[str, Membership]]:
        """The task, and the memberships in its room of those of these users that have one, in one round trip.

        Each is read consistently. There are no memberships for a personal task.
        """
        owner_id = str(owner_of(task_id))
        requests: dict[str, Any] = {settings.tasks_table: {"Keys": [task_key(task_id)], "ConsistentRead": True}}
        if is_room_id(owner_id):
            keys = [membership_key(owner_id, user_id) for user_id in user_ids]
            requests[settings.rooms_table] = {"Keys": keys, "ConsistentRead": True}
        found = batch_get(requests)
        tasks = map(TASK.read, found[settings.tasks_table])
        return next(tasks, None), members_of(found.get(settings.rooms_table, []))

    def unassign(self, task: Task, at: datetime) -> None:
        """The assignee has left the room, or is gone. Raises ``WriteConflict`` if the task has changed since it was
        read.
        """
        after = replace(task, assignee_id=None, join_id=None, updated_at=at)
        transaction = Transaction()
        transaction.update(TaskItem(task.owner_id, task.id), changes(task, after), same_task(task), WriteConflict)
        transaction.commit()

    def assigned_in(self, room_id: str, user_id: str) -> Iterator[list[Task]]:
        """A person's tasks in a room, page by page, read consistently."""
        pages = TaskItem.room_by_person.query(
            room_id, TaskItem.by_person.startswith(f"{user_id}#"), consistent_read=True, page_size=100
        ).page_iter
        for page in pages:
            yield [TASK.read(raw) for raw in page["Items"]]

    def assigned_to(self, user_id: str) -> Iterator[Task]:
        """All tasks of a person's list, from the index."""
        return map(TASK.read, raws(TaskItem.by_assignee.query(user_id)))

    def purge(self, owner_id: str, keep_going: Callable[[], bool]) -> bool:
        """Delete all tasks of a room or person, 25 at a time. False if ``keep_going`` said no before the end."""
        while keep_going():
            keys = ["owner_id", "task_id"]
            found = list(TaskItem.query(owner_id, consistent_read=True, limit=25, attributes_to_get=keys))
            if not found:
                return True
            with TaskItem.batch_write() as batch:
                for item in found:
                    batch.delete(item)
        return False

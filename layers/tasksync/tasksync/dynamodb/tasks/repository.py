"""The tasks table: the tasks of a room are one partition, and so are the personal tasks of one person."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tasksync.dynamodb.core.connection import Transaction, batch_get, get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.memberships import members_of, membership_key
from tasksync.dynamodb.tasks.items import (
    DescriptionItem,
    TaskItem,
    TasksItem,
    description_key,
    task_key,
    update_task,
)
from tasksync.dynamodb.tasks.mapper import LINK, TRASH, TRASHED, task_of, tasks_of, texts_of, with_description
from tasksync.dynamodb.tasks.whole_tasks import ATTEMPTS
from tasksync.model import times
from tasksync.model.entities import Membership, Task
from tasksync.model.errors import WriteConflict
from tasksync.model.times import is_room_id, owner_of
from tasksync.runtime.settings import settings


class TasksRepository:
    """Tasks of rooms, and personal ones."""

    def find_with_members(
        self, task_id: str, user_ids: Collection[str], *, trashed: bool = False
    ) -> tuple[Task | None, dict[str, Membership]]:
        """The task with its whole description, and the memberships in its room of those of these users that have one,
        in one round trip.

        Each is read consistently. There are no memberships for a personal task. ``trashed``: the task is wanted if it
        is in the trash; otherwise, if it is not.
        """
        owner_id = str(owner_of(task_id))
        keys = [task_key(task_id), description_key(task_id)]
        requests: dict[str, Any] = {settings.tasks_table: {"Keys": keys, "ConsistentRead": True}}
        if user_ids and is_room_id(owner_id):
            of_members = [membership_key(owner_id, user_id) for user_id in dict.fromkeys(user_ids)]
            requests[settings.rooms_table] = {"Keys": of_members, "ConsistentRead": True}
        task, members = _task_and_members(task_id, requests, trashed=trashed)
        attempts = 1
        # A batch is no transaction: its items may be of different versions.
        while task is not None and task.description_digest is not None and attempts < ATTEMPTS:
            task, members = _task_and_members(task_id, requests, trashed=trashed)
            attempts += 1
        return task, members

    def find_many(self, task_ids: Iterable[str], *, consistent: bool = True) -> dict[str, Task]:
        """By id, without long descriptions. The ids are known to be ids of tasks. One round trip for 100."""
        return tasks_of(get_many(settings.tasks_table, map(task_key, task_ids), consistent=consistent))

    def whole(self, tasks: Collection[Task]) -> list[Task]:
        """The tasks with their whole descriptions, in one more round trip for 100 long ones. A task whose description
        has changed since it was read is left out if it is not there any more.
        """
        keys = [description_key(task.id) for task in tasks if task.description_digest is not None]
        texts = texts_of(get_many(settings.tasks_table, keys)) if keys else {}
        found = [with_description(task, texts.get(task.id)) for task in tasks]
        changed = [task.id for task in found if task.description_digest is not None]
        again = {task_id: task for task_id in changed if (task := self.find_with_members(task_id, [])[0])}
        return [again.get(task.id, task) for task in found if task.id not in changed or task.id in again]

    def unassign(self, task: Task, user_id: str, at: datetime) -> None:
        """The assignee has left the room, or is gone. Raises ``WriteConflict`` if the task has changed since it was
        read.
        """
        left = tuple(each for each in task.assignees if each.user_id != user_id)
        after = replace(task, assignees=left, updated_at=at, version=task.version + 1)
        transaction = Transaction()
        update_task(transaction, task, after)
        transaction.commit()

    def assigned_in(self, room_id: str, user_id: str) -> Iterator[list[Task]]:
        """A person's tasks in a room, page by page, read consistently."""
        pages = TasksItem.room_by_created.query(
            room_id, TasksItem.by_created.startswith(f"{LINK}{user_id}#"), consistent_read=True, page_size=100
        ).page_iter
        for page in pages:
            yield self._assigned(user_id, page["Items"])

    def assigned_to(self, user_id: str) -> Iterator[Task]:
        """All tasks of a person's list, from the index."""
        pages = TasksItem.by_person.query(user_id, TasksItem.by_created.startswith(LINK), page_size=100).page_iter
        for page in pages:
            yield from self._assigned(user_id, page["Items"])

    def _assigned(self, user_id: str, links: Iterable[Raw]) -> list[Task]:
        """The tasks of a person's links, without those that have been given to others since the links were read."""
        ids = [task_of(link["item"]["S"]) for link in links]
        return [task for task in self.find_many(ids).values() if user_id in task.assignee_ids] if ids else []

    def trashed_before(self, at: datetime) -> Iterator[list[tuple[str, datetime]]]:
        """The ids of tasks of all owners in the trash since before this time, each with the time it was moved there,
        oldest first, page by page.

        From an index that may be some milliseconds behind.
        """
        beyond = TasksItem.by_created.between(TRASHED, TRASHED + times.timestamp(at))
        for page in TasksItem.by_person.query(TRASH, beyond, page_size=100).page_iter:
            yield [(raw["item"]["S"], times.parse(raw["by_created"]["S"].split("#")[1])) for raw in page["Items"]]

    def purge_trashed(self, task_id: str, trashed_at: datetime) -> None:
        """Delete a task that was moved to the trash at this time. One that is not there any more is left alone."""
        transaction = Transaction()
        delete_trashed(transaction, task_id, trashed_at)
        with suppress(WriteConflict):
            transaction.commit()

    def purge(self, owner_id: str, keep_going: Callable[[], bool]) -> bool:
        """Delete all tasks of a room or person, 25 items at a time: links and descriptions, too. False if
        ``keep_going`` said no before the end.
        """
        while keep_going():
            keys = ["owner_id", "item"]
            found = list(TasksItem.query(owner_id, consistent_read=True, limit=25, attributes_to_get=keys))
            if not found:
                return True
            with TasksItem.batch_write() as batch:
                for item in found:
                    batch.delete(item)
        return False


def delete_trashed(transaction: Transaction, task_id: str, trashed_at: datetime) -> None:
    """Delete a task in ``transaction``, which raises ``WriteConflict`` if it was not moved to the trash at this time.

    It has no links. Whether it has a long description is not known to whoever found it in an index.
    """
    item = TaskItem(owner_of(task_id), task_id)
    transaction.delete(item, TaskItem.trashed_at == times.timestamp(trashed_at), WriteConflict)
    transaction.forget(DescriptionItem.at(task_id))


def _task_and_members(
    task_id: str, requests: dict[str, Any], *, trashed: bool
) -> tuple[Task | None, dict[str, Membership]]:
    found = batch_get(requests)
    tasks = tasks_of(found[settings.tasks_table], trashed=trashed)
    return tasks.get(task_id), members_of(found.get(settings.rooms_table, []))

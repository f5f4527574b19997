"""What people do with tasks: each is one transaction."""

from tasksync.dynamodb.activity.deletions import note_deletion
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.rooms.conditions import require_join, require_writer, require_writer_by
from tasksync.dynamodb.tasks.items import TaskItem, changes, same_task, task_item
from tasksync.dynamodb.tasks.lists import TaskLists
from tasksync.dynamodb.users.conditions import require_active
from tasksync.model.entities import Membership, RoomRole, Task
from tasksync.model.errors import CallerGone, WriteConflict
from tasksync.model.ids import owner_of
from tasksync.runtime import unit_of_work


class TaskChanges(TaskLists):
    """The tasks table, with the changes that need memberships and users, too."""

    def create(self, task: Task, writer_id: str | None) -> None:
        """``writer_id``: who creates it; None for a personal task.

        Raises ``WriteConflict`` if they may not write in the room, or the assignee is no member by the task's
        ``join_id``; ``CallerGone`` if the owner of a personal task is no active user any more.
        """
        transaction = Transaction()
        if writer_id is None:
            require_active(transaction, task.owner_id, CallerGone)
        else:
            _require_assignment(transaction, task, writer_id)
        item = task_item(task)
        item.stamp = unit_of_work.change_context()
        transaction.put(item, TaskItem.owner_id.does_not_exist(), WriteConflict)
        transaction.commit()

    def update(self, before: Task, after: Task, writer: Membership | None) -> None:
        """Write what differs. Raises as ``create`` does, and ``WriteConflict`` if the task has changed since it was
        read.

        ``writer``: by which membership; None for a personal task. A viewer, who may change what is assigned to them,
        has to be in the room by this membership still; that it is assigned to them the task's version says.
        """
        transaction = Transaction()
        if writer is not None and writer.role is RoomRole.VIEWER:
            require_join(transaction, writer.room_id, writer.user_id, writer.join_id, WriteConflict)
        elif writer is not None and after.join_id != before.join_id:
            _require_assignment(transaction, after, writer.user_id)
        elif writer is not None:
            require_writer(transaction, writer.room_id, writer.user_id, WriteConflict)
        transaction.update(
            TaskItem(before.owner_id, before.id), changes(before, after), same_task(before), WriteConflict
        )
        transaction.commit()

    def delete(self, task_id: str, seen: Task | None, writer_id: str | None) -> None:
        """``seen``: the task as it was read; None to delete it whatever has become of it.

        Raises ``WriteConflict`` if the writer may not write in the room, or the task has changed or is not there.
        """
        owner_id = str(owner_of(task_id))
        transaction = Transaction()
        if writer_id is not None:
            require_writer(transaction, owner_id, writer_id, WriteConflict)
            note_deletion(transaction, task_id)
        condition = TaskItem.owner_id.exists() if seen is None else same_task(seen)
        transaction.delete(TaskItem(owner_id, task_id), condition, WriteConflict)
        transaction.commit()


def _require_assignment(transaction: Transaction, task: Task, writer_id: str) -> None:
    """Let the transaction commit only if the writer may write in the room, and the assignee is there by the join that
    the task names."""
    if task.assignee_id == writer_id and task.join_id is not None:
        # DynamoDB takes one operation on each item.
        require_writer_by(transaction, task.owner_id, writer_id, task.join_id, WriteConflict)
        return
    require_writer(transaction, task.owner_id, writer_id, WriteConflict)
    if task.assignee_id is not None and task.join_id is not None:
        require_join(transaction, task.owner_id, task.assignee_id, task.join_id, WriteConflict)

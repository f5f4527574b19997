"""What people do with tasks: each is one transaction."""

from collections.abc import Iterable
from datetime import datetime

from tasksync.dynamodb.activity.deletions import note_deletion
from tasksync.dynamodb.core.connection import Transaction, new_item
from tasksync.dynamodb.rooms.memberships import require_join, require_writer, require_writer_by
from tasksync.dynamodb.tasks.items import DescriptionItem, LinkItem, TaskItem, update_task
from tasksync.dynamodb.tasks.lists import TaskLists
from tasksync.dynamodb.tasks.mapper import stored
from tasksync.dynamodb.tasks.repository import delete_trashed
from tasksync.dynamodb.tasks.respreads import begin, keep_step
from tasksync.dynamodb.users.conditions import require_active
from tasksync.model.entities import Assignment, Membership, Respread, RoomRole, Task
from tasksync.model.errors import CallerGone, WriteConflict
from tasksync.model.times import owner_of
from tasksync.runtime import unit_of_work


class TaskChanges(TaskLists):
    """The tasks table, with the changes that need memberships and users, too."""

    def create(self, task: Task, writer_id: str | None) -> None:
        """``writer_id``: who creates it; None for a personal task.

        Raises ``WriteConflict`` if they may not write in the room, or an assignee is no member by the join id of the
        assignment; ``CallerGone`` if the owner of a personal task is no active user any more.
        """
        transaction = Transaction()
        if writer_id is None:
            require_active(transaction, task.owner_id, CallerGone)
        else:
            _require_assignments(transaction, task.owner_id, task.assignees, writer_id)
        new = stored(task)
        values = {**new.keys, **new.content, "stamp": unit_of_work.current.get().change_context}
        transaction.put(new_item(TaskItem, values), TaskItem.owner_id.does_not_exist(), WriteConflict)
        transaction.write_items(LinkItem, task.owner_id, {}, new.links)
        transaction.write_items(DescriptionItem, task.owner_id, {}, new.description)
        transaction.commit()

    def update(self, before: Task, after: Task, writer: Membership | None) -> None:
        """Write what differs. Raises as ``create`` does, for assignments that are new, and ``WriteConflict`` if the
        task has changed since it was read.

        ``writer``: by which membership; None for a personal task. A viewer, who may change what is assigned to them,
        has to be in the room by this membership still; that it is assigned to them the task's revision says.
        """
        transaction = Transaction()
        if writer is not None and writer.role is RoomRole.VIEWER:
            require_join(transaction, writer.room_id, writer.user_id, writer.join_id, WriteConflict)
        elif writer is not None:
            made = [each for each in after.assignees if each not in before.assignees]
            _require_assignments(transaction, writer.room_id, made, writer.user_id)
        update_task(transaction, before, after)
        transaction.commit()

    def move(
        self, before: Task, after: Task, behind: Task | None, writer_id: str | None, respread: Respread | None
    ) -> None:
        """Write the task's place in the manual order, and its status. Raises as ``trash`` does, and ``WriteConflict``
        if ``behind``, the task that it is put behind, is not in its place any more.

        ``respread``: of the owner, the one that was read before any rank, or one to start. It must not have gone on
        since. Otherwise, the next task is not checked: of two tasks that are moved to one place at the same time, the
        ranks may be equal.
        """
        transaction = Transaction()
        if writer_id is not None:
            require_writer(transaction, before.owner_id, writer_id, WriteConflict)
        if behind is not None:
            place = (TaskItem.rank == behind.rank) & (TaskItem.status == behind.status.value)
            in_place = place & TaskItem.trashed_at.does_not_exist()
            transaction.check(TaskItem(behind.owner_id, behind.id), in_place, WriteConflict)
        if respread is not None:
            (keep_step if respread.step else begin)(transaction, respread)
        update_task(transaction, before, after)
        transaction.commit()

    def trash(self, before: Task, after: Task, writer_id: str | None) -> None:
        """Move the task to the trash: its assignees stay noted, its links go.

        Raises ``WriteConflict`` if the writer may not write in the room, or the task has changed since it was read.
        """
        transaction = Transaction()
        if writer_id is not None:
            require_writer(transaction, before.owner_id, writer_id, WriteConflict)
        update_task(transaction, before, after)
        transaction.commit()

    def restore(self, before: Task, after: Task, writer_id: str | None) -> None:
        """Take the task out of the trash. Raises as ``trash`` does, and ``WriteConflict`` if an assignee is no member
        by the join id that the assignment names.
        """
        transaction = Transaction()
        if writer_id is not None:
            _require_assignments(transaction, before.owner_id, after.assignees, writer_id)
        update_task(transaction, before, after)
        transaction.commit()

    def delete(self, task_id: str, trashed_at: datetime, writer_id: str | None) -> None:
        """Delete a task that was moved to the trash at this time, for good.

        Raises ``WriteConflict`` if the writer may not write in the room, or the task is not there any more.
        """
        transaction = Transaction()
        if writer_id is not None:
            require_writer(transaction, str(owner_of(task_id)), writer_id, WriteConflict)
        note_deletion(transaction, task_id)
        delete_trashed(transaction, task_id, trashed_at)
        transaction.commit()


def _require_assignments(transaction: Transaction, room_id: str, made: Iterable[Assignment], writer_id: str) -> None:
    """Let the transaction commit only if the writer may write in the room, and each of these assignees is there by the
    join that the assignment names."""
    joins = {each.user_id: str(each.join_id) for each in made}
    own = joins.pop(writer_id, None)
    # DynamoDB takes one operation on each item.
    if own is None:
        require_writer(transaction, room_id, writer_id, WriteConflict)
    else:
        require_writer_by(transaction, room_id, writer_id, own, WriteConflict)
    for user_id, join_id in joins.items():
        require_join(transaction, room_id, user_id, join_id, WriteConflict)

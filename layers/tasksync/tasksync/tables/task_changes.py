"""What people do with tasks: each one transaction, together with the receipt of the request where there is one."""

from tasksync import stamps
from tasksync.entities import Membership, Receipt, Task
from tasksync.errors import AssigneeNotMember, NotFound, Stale
from tasksync.tables.deletions import note_deletion
from tasksync.tables.receipts import put_receipt
from tasksync.tables.rooms import require_member, require_membership
from tasksync.tables.task_lists import TaskLists
from tasksync.tables.tasks import TaskItem, changes, same_task, task_item
from tasksync.tables.transactions import Transaction
from tasksync.tables.users import require_active


class TaskChanges(TaskLists):
    """The tasks table, with the changes that need memberships, users and receipts, too."""

    def create(self, task: Task, actor: Membership | None, receipt: Receipt | None) -> None:
        """``actor``: the creator's membership; None for a personal task.

        Raises ``Stale`` if the membership is not what was read, ``AssigneeNotMember``, or ``NotFound`` if the owner of
        a personal task is no active user any more.
        """
        transaction = Transaction()
        put_receipt(transaction, receipt)
        if actor is None:
            require_active(transaction, task.owner_id, NotFound)
        else:
            require_membership(transaction, actor)
            _require_assignee(transaction, task, actor)
        item = task_item(task)
        item.stamp = stamps.new()
        transaction.put(item, TaskItem.owner_id.does_not_exist(), Stale)
        transaction.commit()

    def update(self, before: Task, after: Task, actor: Membership | None, receipt: Receipt | None) -> None:
        """Write what differs. Raises as ``create`` does, and ``Stale`` if the task has changed since it was read."""
        transaction = Transaction()
        put_receipt(transaction, receipt)
        if actor is not None:
            require_membership(transaction, actor)
            if after.assignee_id != before.assignee_id:
                _require_assignee(transaction, after, actor)
        transaction.update(TaskItem(before.owner_id, before.id), changes(before, after), same_task(before), Stale)
        transaction.commit()

    def delete(self, task: Task, actor: Membership | None, receipt: Receipt | None) -> None:
        """Raises ``Stale`` if the membership or the task is not what was read."""
        transaction = Transaction()
        put_receipt(transaction, receipt)
        if actor is not None:
            require_membership(transaction, actor)
            note_deletion(transaction, task.id)
        transaction.delete(TaskItem(task.owner_id, task.id), same_task(task), Stale)
        transaction.commit()


def _require_assignee(transaction: Transaction, task: Task, actor: Membership) -> None:
    # DynamoDB takes one operation on each item: the actor's own membership is checked already.
    if task.assignee_id not in (None, actor.user_id):
        require_member(transaction, task.owner_id, str(task.assignee_id), AssigneeNotMember())

"""The further items of a task, its links and its long description.

They are written in the transaction that writes the task, whose condition on the task's revision holds for them, too.
"""

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.tasks.items import DescriptionItem, LinkItem, TaskItem, changes, link_items, same_task
from tasksync.dynamodb.tasks.mapper import links, long_description
from tasksync.model.entities import Task
from tasksync.model.errors import WriteConflict


def write_changes(transaction: Transaction, before: Task, after: Task) -> None:
    """Write what differs, in the task's own item and in its further ones.

    The commit raises ``WriteConflict`` if anything has been written to the task since it was read.
    """
    transaction.update(TaskItem(before.owner_id, before.id), changes(before, after), same_task(before), WriteConflict)
    write_parts(transaction, before, after)


def write_parts(transaction: Transaction, before: Task | None, after: Task | None) -> None:
    """Write what differs. None: there was no task, or there will be none."""
    stored = {} if before is None else links(before)
    wanted = {} if after is None else links(after)
    if before is not None:
        for gone in stored.keys() - wanted.keys():
            transaction.forget(LinkItem(before.owner_id, gone))
    if after is not None:
        for link in link_items(after):
            if stored.get(link.item) != wanted[link.item]:
                transaction.note(link)
    _write_description(transaction, before, after)


def _write_description(transaction: Transaction, before: Task | None, after: Task | None) -> None:
    if before is not None and _has_long_description(before) and (after is None or not _has_long_description(after)):
        transaction.forget(DescriptionItem.at(before.id))
    text = None if after is None else long_description(after)
    if after is not None and text is not None and (before is None or before.description != text):
        item = DescriptionItem.at(after.id)
        item.text = text
        transaction.note(item)


def _has_long_description(task: Task) -> bool:
    return task.description_digest is not None or long_description(task) is not None

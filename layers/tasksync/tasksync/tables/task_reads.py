"""Many tasks at once, in one round trip or two."""

from collections.abc import Iterable

from tasksync.entities import Page, Task, TaskStatus
from tasksync.ids import owner_of
from tasksync.tables.tasks import TaskItem

_MOST_LOOKED_AT = 500


class TaskReads:
    """Tasks as overview, export and the resolution of keys need them: without any right to see them."""

    def open_of(self, user_id: str) -> tuple[list[Task], bool]:
        """What is assigned to a person and not completed, newest first, and whether there may be more.

        Among the 500 that were assigned to them and created last, so that somebody who has completed thousands is
        answered in one round trip, too. From an index, which may be some milliseconds behind.
        """
        pages = TaskItem.by_assignee.query(
            user_id,
            filter_condition=TaskItem.status != TaskStatus.COMPLETED.value,
            scan_index_forward=False,
            page_size=_MOST_LOOKED_AT,
        ).page_iter
        page = next(pages)
        return [TaskItem.from_raw_data(raw).entity() for raw in page["Items"]], "LastEvaluatedKey" in page

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
        keys = [(str(owner_of(task_id)), task_id) for task_id in task_ids]
        return {item.task_id: item.entity() for item in TaskItem.batch_get(keys, consistent_read=True)}

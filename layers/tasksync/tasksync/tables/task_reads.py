"""Many tasks at once, in one round trip."""

from collections.abc import Iterable

from tasksync.entities import Task, TaskStatus
from tasksync.ids import owner_of
from tasksync.tables.tasks import TaskItem

_MOST_LOOKED_AT = 500


class TaskReads:
    """Tasks as the overview and the resolution of keys need them: without any right to see them."""

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

    def find_many(self, task_ids: Iterable[str]) -> dict[str, Task]:
        """By id, read consistently. The ids are known to be ids of tasks. One round trip for 100."""
        keys = [(str(owner_of(task_id)), task_id) for task_id in task_ids]
        return {item.task_id: item.entity() for item in TaskItem.batch_get(keys, consistent_read=True)}

"""Lists of tasks, page by page: what is read is what is returned, or little more."""

import json

from tasksync.entities import Membership, Page, Task
from tasksync.queries import TaskFilter
from tasksync.tables import task_ranges
from tasksync.tables.merge import Merge, share
from tasksync.tables.rooms import find_membership
from tasksync.tables.task_ranges import Plan
from tasksync.tables.task_rows import TaskRow
from tasksync.tables.tasks import TasksTable, task_item
from tasksync.tables.together import both

# So many tasks are put in another order in memory at most, and so many of a range are read at once.
_MOST_SORTED = 5_000
_MOST_AT_ONCE = 1_000


class TaskLists(TasksTable):
    """The tasks table, with its lists.

    Where a list is merged from several ranges, they are read by several queries: a task whose status or priority
    changes in the milliseconds between them may be missing from that answer. None is in it twice.
    """

    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        """A page of the room's tasks, and this user's membership there, without which they may not see it.

        Read consistently, and both at the same time.
        """
        page = _Pages(task_ranges.of_room(room_id, wanted), task_ranges.due_in_room(room_id, wanted))
        return both(lambda: page.read(limit, after), lambda: find_membership(room_id, user_id))

    def page_of_assignee(self, user_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """The tasks assigned to a person, in rooms or personal: from an index, so without any right to see them."""
        pages = _Pages(task_ranges.of_assignee(user_id, wanted), task_ranges.due_of_assignee(user_id, wanted))
        return pages.read(limit, after)

    def place_of(self, task: Task, wanted: TaskFilter) -> str:
        """The position behind ``task`` in a person's list in this order."""
        plan = task_ranges.of_assignee("", wanted)
        return _position(plan, getattr(task_item(task), plan.index.sort_key))


class _Pages:
    """One list. ``due``: where there is a range of deadlines that the order of ``plan`` does not follow, that range."""

    def __init__(self, plan: Plan, due: Plan | None) -> None:
        self._plan = plan
        self._due = due

    def read(self, limit: int, after: str | None) -> Page[Task]:
        """Read one task more than asked for, so that a next page is announced only where there is one."""
        stage, place = (0, None) if after is None else json.loads(after)
        found = self._in_order(stage, place, limit + 1) if self._due is None else self._due_in_order(place, limit + 1)
        tasks = [row.entity() for row in found[:limit]]
        if len(found) <= limit:
            return Page(tasks, None)
        return Page(tasks, _position(self._plan, found[limit - 1].key(self._plan.index.sort_key)))

    def _in_order(self, stage: int, place: str | None, wanted: int) -> list[TaskRow]:
        found: list[TaskRow] = []
        for number in range(stage, len(self._plan.stages)):
            if len(found) >= wanted:
                break
            merge = Merge(self._plan.ranges(number), place, wanted - len(found), descending=self._plan.descending)
            found += merge.run()
            place = None
        return found

    def _due_in_order(self, place: str | None, wanted: int) -> list[TaskRow]:
        """Read in the order of the list, leaving out what is not due; and read what is due, to put it in order.

        Which of the two takes less depends on how many tasks are due. So both are read by turns, twice as much each
        time, until one of them has what is wanted: no more than some four times what the better one alone would read.
        """
        plan, due_plan = self._plan, self._due
        if due_plan is None or not plan.stages:
            return []
        listed = Merge(plan.ranges(0), place, wanted, descending=plan.descending)
        due = Merge(due_plan.ranges(0), None, _MOST_SORTED, descending=due_plan.descending)
        size = share(wanted, len(plan.stages[0]))
        while listed.missing:
            if due.missing:
                due.round(size)
            if due.ended:
                return plan.sorted_behind(place, due.found)[:wanted]
            listed.round(size)
            size = min(2 * size, _MOST_AT_ONCE)
        return listed.found


def _position(plan: Plan, key: str) -> str:
    return json.dumps(plan.place_of(key))

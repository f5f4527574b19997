"""Lists of tasks, page by page: what is read is what is returned, or little more.

Whatever is stored, one request makes a bounded number of queries (``MOST_QUERIES``). A list that would need more, or
more time than there is, ends its page early: with fewer tasks than asked for, or none, and the position to go on from.
"""

import json

from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.core.merge import Merge, QueryBudget, read_size
from tasksync.dynamodb.rooms.repository import members_among
from tasksync.dynamodb.tasks import query_plan
from tasksync.dynamodb.tasks.decoder import TaskRow
from tasksync.dynamodb.tasks.query_plan import Plan
from tasksync.dynamodb.tasks.repository import TasksRepository, sort_keys
from tasksync.model.entities import Membership, Page, Task
from tasksync.model.queries import TaskFilter

MOST_QUERIES = 60
"""No round is begun after so many; one round has 18 queries at most."""

# So many tasks are put in another order in memory at most, and so many of a range are read at once.
_MOST_SORTED = 5_000
_MOST_AT_ONCE = 1_000


class TaskLists(TasksRepository):
    """The tasks table, with its lists.

    Where a list is merged from several ranges, they are read by several queries: a task whose status or priority
    changes in the milliseconds between them may be missing from that answer. None is in it twice.
    """

    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        """A page of the room's tasks, and this user's membership there, without which they may not see it.

        Read consistently, and all at the same time. Where the list is that of one person, what they have by an earlier
        membership is left out, so a page may be short.
        """
        found = TaskList(query_plan.of_room(room_id, wanted), query_plan.due_in_room(room_id, wanted), after)
        people = {user_id, wanted.assignee_id or user_id}
        page, members = gather_pair(lambda: found.page(limit), lambda: members_among(room_id, people))
        if wanted.assignee_id is not None:
            assignee = members.get(wanted.assignee_id)
            page = Page([task for task in page.items if task.is_assigned_by(assignee)], page.next if assignee else None)
        return page, members.get(user_id)

    def of_assignee(self, user_id: str, wanted: TaskFilter, after: str | None) -> "TaskList":
        """The tasks assigned to a person, in rooms or personal: from an index, so without any right to see them."""
        return TaskList(query_plan.of_assignee(user_id, wanted), query_plan.due_of_assignee(user_id, wanted), after)

    def position_of(self, task: Task, wanted: TaskFilter) -> str:
        """The position behind ``task`` in a person's list in this order."""
        plan = query_plan.of_assignee("", wanted)
        return json.dumps(plan.position_of(sort_keys(task)[plan.index.sort_key]))


class TaskList:
    """One list, read forward. ``due``: where there is a range of deadlines that the order of ``plan`` does not follow,
    that range."""

    def __init__(self, plan: Plan, due: Plan | None, after: str | None) -> None:
        self._plan = plan
        self._due = due
        self._budget = QueryBudget(MOST_QUERIES)
        stage, position = (0, None) if after is None else json.loads(after)
        self._last: tuple[int, str] | None = None
        self._stage: int = stage
        self._part = self._begin(position)

    @property
    def goes_on(self) -> bool:
        """Whether this request may read on: there is more, and the budget is not spent."""
        return self._part is not None and (bool(self._part.found) or self._budget.left)

    @property
    def position(self) -> str | None:
        """Behind what was read so far; None at the end of the list."""
        if self._part is None:
            return None
        return json.dumps(self._last if self._part.found else (self._stage, self._part.reached))

    def read(self, wanted: int) -> list[Task]:
        """The next tasks: so many, or fewer where the list ends or the budget is spent."""
        return [row.entity() for row in self._read(wanted)]

    def page(self, limit: int) -> Page[Task]:
        """One task more is read than asked for, so that a next page is announced only where there is one."""
        rows = self._read(limit + 1)
        tasks = [row.entity() for row in rows[:limit]]
        return Page(tasks, self.position if len(rows) <= limit else json.dumps(self._behind(rows[limit - 1])))

    def _read(self, wanted: int) -> list[TaskRow]:
        rows: list[TaskRow] = []
        while self._part is not None and len(rows) < wanted and self.goes_on:
            self._part.fill(wanted - len(rows))
            rows += self._part.take(wanted - len(rows))
            if self._part.ended and not self._part.found:
                self._stage += 1
                self._part = self._begin(None)
        if rows:
            self._last = self._behind(rows[-1])
        return rows

    def _behind(self, row: TaskRow) -> tuple[int, str]:
        return self._plan.position_of(row.key(self._plan.index.sort_key))

    def _begin(self, position: str | None) -> "Merge[TaskRow] | _DueMerge | None":
        if self._stage >= len(self._plan.stages):
            return None
        if self._due is not None:
            return _DueMerge(self._plan, self._due, position, self._budget)
        return Merge(self._plan.ranges(self._stage), position, self._budget, descending=self._plan.descending)


class _DueMerge:
    """What is due in a range of deadlines, in another order than theirs.

    Read in the order of the list, leaving out what is not due; and read what is due, to put it in order. Which of the
    two takes less depends on how many tasks are due. So both are read by turns, twice as much each time, until one of
    them has what is wanted: no more than some four times what the better one alone would read.
    """

    def __init__(self, plan: Plan, due: Plan, position: str | None, budget: QueryBudget) -> None:
        self._plan = plan
        self._position = position
        self._budget = budget
        self._size = 0
        self._listed = Merge(plan.ranges(0), position, budget, descending=plan.descending)
        self._due = Merge(due.ranges(0), None, budget, descending=due.descending)
        self._in_order: list[TaskRow] | None = None
        """Once all that is due has been read: what of it is left."""

    @property
    def found(self) -> list[TaskRow]:
        return self._listed.found if self._in_order is None else self._in_order

    @property
    def reached(self) -> str | None:
        return self._listed.reached

    @property
    def ended(self) -> bool:
        return self._in_order is not None or self._listed.ended

    def fill(self, wanted: int) -> None:
        while len(self.found) < wanted and not self.ended and self._budget.left:
            self._size = min(2 * self._size or read_size(wanted, len(self._plan.stages[0])), _MOST_AT_ONCE)
            if not self._due.ended and len(self._due.found) < _MOST_SORTED:
                self._due.round(self._size)
            if self._due.ended:
                self._in_order = self._plan.sorted_behind(self._position, self._due.found)
            else:
                self._listed.round(self._size)

    def take(self, wanted: int) -> list[TaskRow]:
        """So many of what is found, or all of it."""
        if self._in_order is None:
            taken = self._listed.take(wanted)
        else:
            taken, self._in_order = self._in_order[:wanted], self._in_order[wanted:]
        if taken:
            self._position = self._plan.position_of(taken[-1].key(self._plan.index.sort_key))[1]
        return taken

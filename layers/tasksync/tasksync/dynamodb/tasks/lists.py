"""Task lists: reads pages of tasks, with few items more than are returned.

A request makes a limited number of queries (``MOST_QUERIES``), whatever is stored. If a page would need more queries or
more time, it ends early, with fewer tasks than requested or none, and has a next page.
"""

import json

from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.core.merge import Merge, QueryBudget, read_size
from tasksync.dynamodb.rooms.repository import members_among
from tasksync.dynamodb.tasks import query_plan
from tasksync.dynamodb.tasks.mapper import TaskRow, sort_keys
from tasksync.dynamodb.tasks.query_plan import Plan
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model.entities import Membership, Page, Task
from tasksync.model.queries import TaskFilter

MOST_QUERIES = 60
"""No round of queries starts after this number; one round has 18 queries at most."""

# The maximum number of tasks sorted in memory, and the maximum page size of a query.
_MOST_SORTED = 5_000
_MOST_AT_ONCE = 1_000


class TaskLists(TasksRepository):
    """The tasks repository, with lists.

    A list that is merged from several ranges needs several queries. A task whose status or priority changes in the
    milliseconds between them may be missing from the page. No task is listed twice.
    """

    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        """A page of the room's tasks, and the user's membership. Without a membership, the user may not see the page.

        The reads are consistent and concurrent. A list of one assignee omits tasks that are assigned through a former
        membership, so a page may be short.
        """
        found = TaskList(query_plan.of_room(room_id, wanted), query_plan.due_in_room(room_id, wanted), after)
        people = {user_id, wanted.assignee_id or user_id}
        page, members = gather_pair(lambda: found.page(limit), lambda: members_among(room_id, people))
        if wanted.assignee_id is not None:
            assignee = members.get(wanted.assignee_id)
            page = Page([task for task in page.items if task.is_assigned_by(assignee)], page.next if assignee else None)
        return page, members.get(user_id)

    def of_assignee(self, user_id: str, wanted: TaskFilter, after: str | None) -> "TaskList":
        """The tasks assigned to a user, in rooms or personal. Permissions are not checked: the index may lag."""
        return TaskList(query_plan.of_assignee(user_id, wanted), query_plan.due_of_assignee(user_id, wanted), after)

    def position_of(self, task: Task, wanted: TaskFilter) -> str:
        """The position after ``task`` in an assignee's list with this filter."""
        plan = query_plan.of_assignee("", wanted)
        return json.dumps(plan.position_of(sort_keys(task)[plan.index.sort_key]))


class TaskList:
    """A list that is read forward. ``due``: the plan of a range of deadlines, if ``plan`` has another order."""

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
        """Whether there is more to read, and budget left."""
        return self._part is not None and (bool(self._part.found) or self._budget.left)

    @property
    def position(self) -> str | None:
        """The position after the tasks read so far; None at the end of the list."""
        if self._part is None:
            return None
        return json.dumps(self._last if self._part.found else (self._stage, self._part.reached))

    def read(self, wanted: int) -> list[Task]:
        """The next tasks: ``wanted``, or fewer if the list ends or the budget is used up."""
        return [row.entity() for row in self._read(wanted)]

    def page(self, limit: int) -> Page[Task]:
        """One task more than requested is read, so that a next page is announced only if there is one."""
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
    """A merge of the tasks in a range of deadlines, in an order other than by deadline.

    There are two ways: read in the order of the list and filter by deadline, or read the range of deadlines and sort
    it. The number of tasks in the range decides which is cheaper. So the two are read alternately, twice as much each
    time, until one has enough tasks. That reads about four times as much as the cheaper way alone, at most.
    """

    def __init__(self, plan: Plan, due: Plan, position: str | None, budget: QueryBudget) -> None:
        self._plan = plan
        self._position = position
        self._budget = budget
        self._size = 0
        self._listed = Merge(plan.ranges(0), position, budget, descending=plan.descending)
        self._due = Merge(due.ranges(0), None, budget, descending=due.descending)
        self._in_order: list[TaskRow] | None = None
        """The remaining tasks in order, after the whole range of deadlines was read."""

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
        """Remove and return at most ``wanted`` of the found tasks."""
        if self._in_order is None:
            taken = self._listed.take(wanted)
        else:
            taken, self._in_order = self._in_order[:wanted], self._in_order[wanted:]
        if taken:
            self._position = self._plan.position_of(taken[-1].key(self._plan.index.sort_key))[1]
        return taken

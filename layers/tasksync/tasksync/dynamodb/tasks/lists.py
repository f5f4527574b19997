"""Task lists: reads pages of tasks, with few items more than are returned.

A request makes a limited number of queries (``MOST_QUERIES``), whatever is stored. If a page would need more queries or
more time, it ends early, with fewer tasks than requested or none, and has a next page.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Generic

from tasksync.dynamodb.core.connection import MOST_KEYS, batch_get, get_many
from tasksync.dynamodb.core.gather import gather, gather_pair
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.core.merge import Merge, QueryBudget, read_size
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP
from tasksync.dynamodb.rooms.memberships import members_among, membership_key
from tasksync.dynamodb.tasks import query_plan
from tasksync.dynamodb.tasks.items import task_key
from tasksync.dynamodb.tasks.mapper import LinkRow, tasks_of
from tasksync.dynamodb.tasks.query_plan import ListRow, Plan, holds
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.tasks.respreads import respread_among, respread_key
from tasksync.model.entities import Membership, Page, Respread, Task, TaskStatus
from tasksync.model.queries import TaskFilter
from tasksync.model.times import is_room_id, owner_of
from tasksync.runtime.settings import settings

MOST_QUERIES = 60
"""No round of queries starts after this number; one round has 18 queries at most."""

# The maximum number of tasks sorted in memory, and the maximum page size of a query.
_MOST_SORTED = 5_000
_MOST_AT_ONCE = 1_000

_Member = tuple[str, str]
"""The ids of a room and a user."""


class TaskLists(TasksRepository):
    """The tasks repository, with lists.

    A list that is merged from several ranges needs several queries. A task whose status or priority changes in the
    milliseconds between them may be missing from the page. No task is listed twice.
    """

    def page_of_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        """A page of the room's tasks, and the user's membership. Without a membership, the user may not see the page.

        The reads are consistent. A list of one assignee omits tasks that are assigned through a former membership, so
        a page may be short.
        """
        if wanted.unassigned or wanted.assignee_id is not None:
            return self._page_of_person_in_room(room_id, user_id, wanted, limit, after)
        found = ForwardList(query_plan.of_room(room_id, wanted), query_plan.due_in_room(room_id, wanted), after)
        rows, members = gather_pair(lambda: found.read(limit), lambda: members_among(room_id, [user_id]))
        return Page([row.entity() for row in rows], found.position), members.get(user_id)

    def _page_of_person_in_room(
        self, room_id: str, user_id: str, wanted: TaskFilter, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        links = ForwardList(
            query_plan.of_person_in_room(room_id, wanted), query_plan.due_of_person_in_room(room_id, wanted), after
        )
        person = wanted.assignee_id
        asked = [(room_id, each) for each in dict.fromkeys([user_id, person or user_id])]
        found = _LinkedTasks(links, wanted, lambda _links: asked)

        def shown(task: Task) -> bool:
            if person is None:
                return not task.assignees
            return task.is_assigned_by(found.members.get((room_id, person)))

        page = found.page(limit, shown)
        return page, found.members.get((room_id, user_id))

    def find_behind(self, owner_id: str, behind_id: str | None) -> tuple[Task | None, Respread | None]:
        """What a move is to know before it reads ranks: the task that it puts another behind, and the owner's respread.

        Each is read consistently, in one round trip. ``behind_id`` is known to be the id of a task of this owner.
        """
        keys = [respread_key(owner_id), *([] if behind_id is None else [task_key(behind_id)])]
        found = get_many(settings.tasks_table, keys)
        tasks = tasks_of(item for item in found if item["item"]["S"] == behind_id)
        return tasks.get(behind_id or ""), respread_among(found)

    def next_two(self, owner_id: str, status: TaskStatus, behind: str | None) -> list[Task]:
        """In the manual order, the first two tasks of this status of a higher rank than ``behind``. Read
        consistently."""
        found = ForwardList(query_plan.of_column(owner_id, status, behind), None, None)
        return [row.entity() for row in found.read(2)]

    def page_of_trash(
        self, owner_id: str, user_id: str, since: datetime, limit: int, after: str | None
    ) -> tuple[Page[Task], Membership | None]:
        """A page of the tasks of a room or person that were moved to the trash after this time, and the user's
        membership in the room. The reads are consistent."""
        found = ForwardList(query_plan.of_trash(owner_id, since), None, after)
        in_room = [user_id] if is_room_id(owner_id) else []
        rows, members = gather_pair(lambda: found.read(limit), lambda: members_among(owner_id, in_room))
        return Page([row.entity() for row in rows], found.position), members.get(user_id)

    def page_of_person(self, user_id: str, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]:
        """A page of the tasks that are assigned to a user by a membership that holds, and of the personal tasks.

        It omits tasks of rooms that the user has left, so a page may be short or even empty, and still have a next
        page. Index and tasks may lag; memberships are read consistently.
        """
        links = ForwardList(query_plan.of_person(user_id, wanted), query_plan.due_of_person(user_id, wanted), after)
        found = _LinkedTasks(
            links, wanted, lambda rows: [(room_id, user_id) for room_id in _rooms_of(rows)], consistent=False
        )

        def shown(task: Task) -> bool:
            return task.owner_id == user_id or task.is_assigned_by(found.members.get((task.owner_id, user_id)))

        return found.page(limit, shown)


class _LinkedTasks:
    """The tasks that links lead to, with the memberships that decide who sees them.

    ``asked``: which memberships are to be read for these links. ``consistent``: whether the tasks are read
    consistently, which costs twice as much; where an index may lag, it would be in vain. Tasks and memberships are read
    together: one round trip for 100 of them, and at the same time for more.
    """

    def __init__(
        self,
        links: "ForwardList[LinkRow]",
        wanted: TaskFilter,
        asked: Callable[[list[LinkRow]], Iterable[_Member]],
        *,
        consistent: bool = True,
    ) -> None:
        self._consistent = consistent
        self.members: dict[_Member, Membership] = {}
        """The memberships that were read and that there are."""
        self._links = links
        self._wanted = wanted
        self._asked = asked
        self._known: set[_Member] = set()

    def page(self, limit: int, shown: Callable[[Task], bool]) -> Page[Task]:
        """The next tasks that ``shown`` accepts and that have what the list is asked for.

        One task more than requested is read, so that a next page is announced only if there is one.
        """
        found: list[tuple[LinkRow, Task]] = []
        looked_at, size = 0, (limit + 1) * _links_per_task(self._wanted)
        while True:
            rows = self._links.read(size)
            tasks = self._read(rows)
            looked_at += len(rows)
            for row in rows:
                task = tasks.get(row.id)
                if task is not None and holds(self._wanted, task) and shown(task):
                    found.append((row, task))
            if len(found) > limit or not self._links.goes_on:
                break
            size = _next_size(limit + 1 - len(found), len(found), looked_at)
        if len(found) > limit:
            return Page([task for _, task in found[:limit]], self._links.position_behind(found[limit - 1][0]))
        return Page([task for _, task in found], self._links.position)

    def _read(self, rows: list[LinkRow]) -> dict[str, Task]:
        members = [each for each in self._asked(rows) if each not in self._known]
        self._known.update(members)
        keys = [(settings.rooms_table, membership_key(*each)) for each in members]
        keys += [(settings.tasks_table, task_key(row.id)) for row in rows]
        if not keys:
            return {}
        parts = [keys[start : start + MOST_KEYS] for start in range(0, len(keys), MOST_KEYS)]
        found = gather(*(partial(self._read_both, part) for part in parts))
        for raw in (raw for each in found for raw in each.get(settings.rooms_table, [])):
            membership = MEMBERSHIP.read(raw)
            self.members[membership.room_id, membership.user_id] = membership
        return tasks_of(raw for each in found for raw in each.get(settings.tasks_table, []))

    def _read_both(self, keys: list[tuple[str, Raw]]) -> dict[str, list[dict[str, Any]]]:
        requests: dict[str, Any] = {}
        for table, key in keys:
            consistent = self._consistent or table == settings.rooms_table
            requests.setdefault(table, {"Keys": [], "ConsistentRead": consistent})["Keys"].append(key)
        return batch_get(requests)


def _links_per_task(wanted: TaskFilter) -> int:
    """An estimate. A link does not say which of the two open statuses its task has."""
    return 2 if wanted.statuses and len(wanted.statuses - {TaskStatus.COMPLETED}) == 1 else 1


def _next_size(missing: int, found: int, looked_at: int) -> int:
    """How many links are likely to lead to the missing tasks. Hidden tasks come in groups: all of a room that somebody
    has left."""
    likely = 4 * max(looked_at, 1) if found == 0 else -(-missing * looked_at // found)
    return min(max(likely, missing), 4 * max(looked_at, 1), _MOST_AT_ONCE)


def _rooms_of(rows: list[LinkRow]) -> dict[str, None]:
    owners = (str(owner_of(row.id)) for row in rows)
    return dict.fromkeys(owner for owner in owners if is_room_id(owner))


class ForwardList(Generic[ListRow]):
    """A list that is read forward. ``due``: the plan of a range of deadlines, if ``plan`` has another order."""

    def __init__(self, plan: Plan[ListRow], due: Plan[ListRow] | None, after: str | None) -> None:
        self._plan = plan
        self._due = due
        self._budget = QueryBudget(MOST_QUERIES)
        stage, position = (0, None) if after is None else json.loads(after)
        self._ahead: list[ListRow] = []
        """The next row, read so that a next page is announced only if there is one."""
        self._last: ListRow | None = None
        self._ids: set[str] = set()
        self._stage: int = stage
        self._part = self._begin(position)

    @property
    def goes_on(self) -> bool:
        """Whether there is more to read, and budget left."""
        return bool(self._ahead) or self._readable

    @property
    def position(self) -> str | None:
        """The position after the rows read so far; None at the end of the list."""
        if self._ahead and self._last is not None:
            return self.position_behind(self._last)
        if self._part is None:
            return None
        if self._part.found and self._last is not None:
            return self.position_behind(self._last)
        return json.dumps((self._stage, self._part.reached))

    def position_behind(self, row: ListRow) -> str:
        return json.dumps(self._plan.position_of(row.key(self._plan.index.sort_key)))

    def read(self, wanted: int) -> list[ListRow]:
        """The next rows: ``wanted``, or fewer if the list ends or the budget is used up."""
        rows = self._ahead + self._read(wanted + 1 - len(self._ahead))
        rows, self._ahead = rows[:wanted], rows[wanted:]
        if rows:
            self._last = rows[-1]
        return rows

    @property
    def _readable(self) -> bool:
        return self._part is not None and (bool(self._part.found) or self._budget.left)

    def _read(self, wanted: int) -> list[ListRow]:
        rows: list[ListRow] = []
        while self._part is not None and len(rows) < wanted and self._readable:
            self._part.fill(wanted - len(rows))
            # A task that changes while the list is read may be in a later stage, too.
            taken = {row.id: row for row in self._part.take(wanted - len(rows))}
            rows += [row for task_id, row in taken.items() if task_id not in self._ids]
            self._ids |= taken.keys()
            if self._part.ended and not self._part.found:
                self._stage += 1
                self._part = self._begin(None)
        return rows

    def _begin(self, position: str | None) -> "Merge[ListRow] | _DueMerge[ListRow] | None":
        if self._stage >= len(self._plan.stages):
            return None
        if self._due is not None:
            return _DueMerge(self._plan, self._due, position, self._budget)
        return Merge(self._plan.ranges(self._stage), position, self._budget, descending=self._plan.descending)


class _DueMerge(Generic[ListRow]):
    """A merge of the tasks in a range of deadlines, in an order other than by deadline.

    There are two ways: read in the order of the list and filter by deadline, or read the range of deadlines and sort
    it. The number of tasks in the range decides which is cheaper. So the two are read alternately, twice as much each
    time, until one has enough tasks. That reads about four times as much as the cheaper way alone, at most.

    An index across owners has no deadline to filter by. There, up to 5,000 keys of the range of deadlines are read and
    sorted; if there are more, the list is read in its order, and who reads the tasks leaves out the others.
    """

    def __init__(self, plan: Plan[ListRow], due: Plan[ListRow], position: str | None, budget: QueryBudget) -> None:
        self._plan = plan
        self._position = position
        self._budget = budget
        self._filtered = plan.due is not None
        self._size = 0
        self._listed = Merge(plan.ranges(0), position, budget, descending=plan.descending)
        self._due = Merge(due.ranges(0), None, budget, descending=due.descending)
        self._in_order: list[ListRow] | None = None
        """The remaining tasks in order, after the whole range of deadlines was read."""

    @property
    def found(self) -> list[ListRow]:
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
            sortable = len(self._due.found) < _MOST_SORTED
            if not self._due.ended and sortable:
                self._due.round(self._size if self._filtered else _MOST_AT_ONCE)
            if self._due.ended:
                self._in_order = self._plan.sorted_behind(self._position, self._due.found)
            elif self._filtered or not sortable:
                self._listed.round(self._size)

    def take(self, wanted: int) -> list[ListRow]:
        """Remove and return at most ``wanted`` of the found tasks."""
        if self._in_order is None:
            taken = self._listed.take(wanted)
        else:
            taken, self._in_order = self._in_order[:wanted], self._in_order[wanted:]
        if taken:
            self._position = self._plan.position_of(taken[-1].key(self._plan.index.sort_key))[1]
        return taken

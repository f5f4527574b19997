"""The query plan of a list of tasks: which ranges of which index hold it.

Filters by equality are the prefix of an index's sort key. So the tasks of a list are ranges of the index: one range for
each pair of status and priority. Within a range, tasks are sorted by creation or by deadline.
``dynamodb/core/merge.py`` merges the ranges.

The list of a person, or of nobody, is made of ranges of links. A link says whether the task is open and its priority,
but not its status: who reads the tasks leaves out those that ``holds`` does not accept.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from tasksync.dynamodb.core.merge import Block
from tasksync.dynamodb.core.queries import query
from tasksync.dynamodb.tasks.items import TasksItem
from tasksync.dynamodb.tasks.mapper import (
    LINK,
    LISTED,
    NO_DEADLINE,
    NOBODY,
    RANKS,
    TRASHED,
    LinkRow,
    TaskRow,
    class_of,
    column,
    link_class_of,
    rows_with,
)
from tasksync.model import times
from tasksync.model.entities import Priority, Task, TaskStatus
from tasksync.model.queries import Order, TaskFilter
from tasksync.runtime.settings import settings

# They sort before and after all characters of a sort key. DynamoDB does not accept an empty text as a bound.
_START = "!"
_END = "~"
_LAST_DEADLINE = "9999-12-31T24"  # `times.sortable` of the last date

# Names of indexes, each with its sort key.
_CREATED = (TasksItem.room_by_created.Meta.index_name, "by_created")
_DEADLINE = (TasksItem.room_by_deadline.Meta.index_name, "by_deadline")
_STATUS = (TasksItem.room_by_status.Meta.index_name, "by_status")
_STATUS_BY_DEADLINE = (TasksItem.room_by_status_deadline.Meta.index_name, "by_status_deadline")
_RANK = (TasksItem.room_by_rank.Meta.index_name, "by_rank")
_PERSON = (TasksItem.by_person.Meta.index_name, "person_id", "by_created")
_PERSON_BY_DEADLINE = (TasksItem.by_assignee_deadline.Meta.index_name, "assignee_id", "by_deadline")

ListRow = TypeVar("ListRow", bound=TaskRow | LinkRow)


@dataclass(frozen=True, slots=True)
class Range:
    """The tasks whose sort key is ``prefix``, followed by a text between ``low`` and ``high``."""

    prefix: str
    low: str = _START
    high: str = _END

    def holds(self, key: str) -> bool:
        return self.prefix + self.low <= key <= self.prefix + self.high


class Index(NamedTuple):
    """One partition of an index."""

    name: str
    partition_key: str
    partition: str
    sort_key: str
    consistent: bool


@dataclass(frozen=True, slots=True)
class Plan(Generic[ListRow]):
    """How a list is read. ``stages``: the ranges of one stage are merged, and the stages are read one after the
    other."""

    index: Index
    stages: list[list[Range]]
    descending: bool
    rows: type[ListRow]
    due: tuple[str, str] | None = None
    """The list holds only tasks with a deadline between these two; None: all tasks that are read."""

    def ranges(self, stage: int) -> list["PlannedRange[ListRow]"]:
        return [PlannedRange(self, part) for part in self.stages[stage]]

    def sorted_behind(self, position: str | None, found: Iterable[ListRow]) -> list[ListRow]:
        """Those of ``found`` after ``position``, in the order of this plan, which has one stage."""
        positioned = [(self.position_of(row.key(self.index.sort_key))[1], row) for row in found]
        if position is not None:
            positioned = [
                each for each in positioned if (each[0] < position if self.descending else each[0] > position)
            ]
        return [row for _, row in sorted(positioned, key=itemgetter(0), reverse=self.descending)]

    def position_of(self, key: str) -> tuple[int, str]:
        """The stage of an item with this sort key, and its position in that stage."""
        return next(
            (number, key.removeprefix(part.prefix))
            for number, stage in enumerate(self.stages)
            for part in stage
            if part.holds(key)
        )


@dataclass(frozen=True, slots=True)
class PlannedRange(Generic[ListRow]):
    """A range of a plan that ``Merge`` can read."""

    plan: Plan[ListRow]
    part: Range

    def position(self, row: ListRow) -> str:
        return row.key(self.plan.index.sort_key).removeprefix(self.part.prefix)

    def read(self, after: str | None, size: int) -> Block[ListRow]:
        """At most ``size`` items after a position (None: from the beginning), in one round trip."""
        plan, part = self.plan, self.part
        low, high = part.prefix + part.low, part.prefix + part.high
        if after is not None and plan.descending:
            high = _before(part.prefix + after)
        elif after is not None:
            low = part.prefix + after + _END
        if low > high:
            return Block([], None)
        found = query(plan.rows, _request(plan, part.prefix, low, high, size))
        end = None if found.last is None else found.last[plan.index.sort_key]["S"].removeprefix(part.prefix)
        return Block(found.rows, end)


def _request(plan: Plan[Any], prefix: str, low: str, high: str, size: int) -> dict[str, Any]:
    index = plan.index
    names = {"#0": index.partition_key, "#1": index.sort_key}
    values = {":0": {"S": index.partition}, ":1": {"S": low}, ":2": {"S": high}}
    request: dict[str, Any] = {
        "TableName": settings.tasks_table,
        "IndexName": index.name,
        "KeyConditionExpression": "(#0 = :0 AND #1 BETWEEN :1 AND :2)",
        "ConsistentRead": index.consistent,
        "Limit": size,
        "ScanIndexForward": not plan.descending,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    if plan.due is not None:
        first, last = plan.due
        names["#2"] = "deadline"
        if plan.rows is LinkRow:
            # A link has its deadline in the sort key alone, behind the same prefix.
            names["#2"], first, last = "by_deadline", prefix + first, f"{prefix}{last}#{_END}"
        values[":3"], values[":4"] = {"S": first}, {"S": last}
        request["FilterExpression"] = "#2 BETWEEN :3 AND :4"
    return request


def of_room(room_id: str, wanted: TaskFilter) -> Plan[TaskRow]:
    """The plan of a room's list, whoever the tasks are assigned to. Local indexes are read consistently."""
    due = _deadlines(wanted) if _across(wanted) else None
    return _of_room(room_id, wanted, _order(wanted), due)


def due_in_room(room_id: str, wanted: TaskFilter) -> Plan[TaskRow] | None:
    """The plan of a room's tasks sorted by deadline, if the list has a range of deadlines and another order.

    Its rows have the sort keys of ``of_room``, too, so that they can be sorted in that order.
    """
    if not _across(wanted):
        return None
    plan = _of_room(room_id, wanted, Order.DEADLINE, None)
    listed = of_room(room_id, wanted)
    return replace(plan, rows=rows_with(plan.index.sort_key, listed.index.sort_key))


def of_person_in_room(room_id: str, wanted: TaskFilter) -> Plan[LinkRow]:
    """The plan of the links to a person, or to nobody, in a room. Local indexes are read consistently."""
    plan = _of_person_in_room(room_id, wanted, _order(wanted))
    return replace(plan, due=_deadlines(wanted)) if _across(wanted) else plan


def due_of_person_in_room(room_id: str, wanted: TaskFilter) -> Plan[LinkRow] | None:
    """``due_in_room`` for these links."""
    return _of_person_in_room(room_id, wanted, Order.DEADLINE) if _across(wanted) else None


def of_person(user_id: str, wanted: TaskFilter) -> Plan[LinkRow]:
    """The plan of the links to a person in all partitions. Global indexes lag by some milliseconds."""
    return _of_person(user_id, wanted, _order(wanted))


def due_of_person(user_id: str, wanted: TaskFilter) -> Plan[LinkRow] | None:
    """``due_in_room`` for these links."""
    return _of_person(user_id, wanted, Order.DEADLINE) if _across(wanted) else None


def of_column(owner_id: str, status: TaskStatus, behind: str | None) -> Plan[TaskRow]:
    """The plan of the tasks of one status in their manual order, those of a higher rank than ``behind``."""
    name, key = _RANK
    low = _START if behind is None else f"{behind}#{_END}"
    return Plan(
        Index(name, "owner_id", owner_id, key, consistent=True), [[Range(column(status), low)]], False, rows_with(key)
    )


def of_trash(owner_id: str, since: datetime) -> Plan[TaskRow]:
    """The plan of the tasks of a room or person that were moved to the trash after this time, the latest first."""
    name, key = _CREATED
    index = Index(name, "owner_id", owner_id, key, consistent=True)
    return Plan(index, [[Range(TRASHED, times.timestamp(since) + _END)]], True, rows_with(key))


def holds(wanted: TaskFilter, task: Task) -> bool:
    """Whether the task has what the list is asked for, but for the assignee."""
    if (wanted.statuses and task.status not in wanted.statuses) or (
        wanted.priorities and task.priority not in wanted.priorities
    ):
        return False
    if not wanted.needs_deadline:
        return True
    first, last = _deadlines(wanted)
    return task.deadline is not None and first <= times.sortable(task.deadline) <= last


def _of_room(room_id: str, wanted: TaskFilter, by: Order, due: tuple[str, str] | None) -> Plan[TaskRow]:
    by_deadline = by is Order.DEADLINE
    prefixes = [[LISTED]]
    if wanted.order is Order.RANK:
        name, key = _RANK
        statuses = [each for each in TaskStatus if each in wanted.statuses or not wanted.statuses]
        prefixes = [[column(each)] for each in (reversed(statuses) if wanted.descending else statuses)]
    elif wanted.statuses or wanted.priorities or wanted.order is Order.PRIORITY:
        name, key = _STATUS_BY_DEADLINE if by_deadline else _STATUS
        prefixes = [[f"{LISTED}{each}#" for each in stage] for stage in _classes(wanted, class_of)]
    else:
        name, key = _DEADLINE if by_deadline else _CREATED
    index = Index(name, "owner_id", room_id, key, consistent=True)
    return Plan(index, _stages(prefixes, wanted, by), wanted.descending, rows_with(key), due)


def _of_person_in_room(room_id: str, wanted: TaskFilter, by: Order) -> Plan[LinkRow]:
    name, key = _DEADLINE if by is Order.DEADLINE else _CREATED
    person = NOBODY if wanted.unassigned else str(wanted.assignee_id)
    return _of_links(Index(name, "owner_id", room_id, key, consistent=True), person, wanted, by)


def _of_person(user_id: str, wanted: TaskFilter, by: Order) -> Plan[LinkRow]:
    name, partition, key = _PERSON_BY_DEADLINE if by is Order.DEADLINE else _PERSON
    return _of_links(Index(name, partition, user_id, key, consistent=False), user_id, wanted, by)


def _of_links(index: Index, person: str, wanted: TaskFilter, by: Order) -> Plan[LinkRow]:
    prefixes = [[f"{LINK}{person}#{each}#" for each in stage] for stage in _classes(wanted, link_class_of)]
    return Plan(index, _stages(prefixes, wanted, by), wanted.descending, LinkRow)


def _order(wanted: TaskFilter) -> Order:
    """The order of the tasks of one stage: by creation or by deadline."""
    by_deadline = wanted.order is Order.DEADLINE or (wanted.order is Order.PRIORITY and wanted.needs_deadline)
    return Order.DEADLINE if by_deadline else Order.CREATED


def _across(wanted: TaskFilter) -> bool:
    """Whether the list has a range of deadlines and another order: no sort key has the two."""
    return wanted.needs_deadline and _order(wanted) is not Order.DEADLINE


def _stages(prefixes: list[list[str]], wanted: TaskFilter, by: Order) -> list[list[Range]]:
    first, last = _deadlines(wanted)
    if first > last:
        return []
    bounds = [(_START, _END)]
    if by is Order.DEADLINE and wanted.needs_deadline:
        bounds = [(first, f"{last}#{_END}")]
    elif by is Order.DEADLINE and wanted.descending:
        # In descending order too, tasks without a deadline come last.
        bounds = [(_START, f"{_LAST_DEADLINE}#{_END}"), (NO_DEADLINE, _END)]
    return [[Range(each, low, high) for each in stage] for stage in prefixes for low, high in bounds]


def _classes(wanted: TaskFilter, class_of: Callable[[TaskStatus, Priority], str]) -> Iterator[list[str]]:
    """The classes of each stage."""
    statuses = [each for each in TaskStatus if each in wanted.statuses or not wanted.statuses]
    priorities = [each for each in Priority if each in wanted.priorities or not wanted.priorities]
    if wanted.order is not Order.PRIORITY:
        yield _unlike(class_of(status, priority) for status in statuses for priority in priorities)
        return
    for priority in sorted(priorities, key=RANKS.__getitem__, reverse=wanted.descending):
        yield _unlike(class_of(status, priority) for status in statuses)


def _unlike(classes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(classes))


def _deadlines(wanted: TaskFilter) -> tuple[str, str]:
    """The bounds of the range: a date includes its whole day."""
    first, last = wanted.deadline_from, wanted.deadline_to
    lowest = "0"
    if first is not None:
        lowest = times.sortable(first) if isinstance(first, datetime) else first.isoformat()
    return lowest, _LAST_DEADLINE if last is None else times.sortable(last)


def _before(key: str) -> str:
    """A bound just before ``key``: every smaller sort key sorts before it."""
    return key[:-1] + chr(ord(key[-1]) - 1) + _END

"""The query plan of a list of tasks: which ranges of which index hold it.

Filters by equality are the prefix of an index's sort key. So the tasks of a list are ranges of the index: one range for
each pair of status and priority. Within a range, tasks are sorted by creation or by deadline.
``dynamodb/core/merge.py`` merges the ranges.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from tasksync.dynamodb.core.merge import Block
from tasksync.dynamodb.core.queries import query
from tasksync.dynamodb.tasks.items import TaskItem
from tasksync.dynamodb.tasks.mapper import NO_DEADLINE, NOBODY, RANKS, TaskRow, class_of, rows_with
from tasksync.model.entities import Priority, TaskStatus
from tasksync.model.queries import Order, TaskFilter
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

# They sort before and after all characters of a sort key. DynamoDB does not accept an empty text as a bound.
_START = "!"
_END = "~"
_LAST_DEADLINE = "9999-12-31T24"  # `clock.sortable` of the last date

# Names of indexes, each with its sort key.
_DEADLINE = (TaskItem.room_by_deadline.Meta.index_name, "by_deadline")
_STATUS = (TaskItem.room_by_status.Meta.index_name, "by_status")
_STATUS_BY_DEADLINE = (TaskItem.room_by_status_deadline.Meta.index_name, "by_status_deadline")
_PERSON = (TaskItem.room_by_person.Meta.index_name, "by_person")
_PERSON_BY_DEADLINE = (TaskItem.room_by_person_deadline.Meta.index_name, "by_person_deadline")
_ASSIGNEE = (TaskItem.by_assignee.Meta.index_name, "by_created")
_ASSIGNEE_BY_DEADLINE = (TaskItem.by_assignee_deadline.Meta.index_name, "by_deadline")
_ASSIGNEE_STATUS = (TaskItem.by_assignee_status.Meta.index_name, "by_status")
_ASSIGNEE_STATUS_BY_DEADLINE = (TaskItem.by_assignee_status_deadline.Meta.index_name, "by_status_deadline")


@dataclass(frozen=True, slots=True)
class Range:
    """The tasks whose sort key is ``prefix``, followed by a text between ``low`` and ``high``."""

    prefix: str
    low: str = _START
    high: str = _END

    def holds(self, key: str) -> bool:
        return self.prefix + self.low <= key <= self.prefix + self.high


class Index(NamedTuple):
    """One partition of an index, or of the table itself if ``name`` is None."""

    name: str | None
    partition_key: str
    partition: str
    sort_key: str
    consistent: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How a list is read. ``stages``: the ranges of one stage are merged, and the stages are read one after the
    other."""

    index: Index
    stages: list[list[Range]]
    descending: bool
    rows: type[TaskRow]
    due: tuple[str, str] | None = None
    """The list holds only tasks with a deadline between these two; None: all tasks that are read."""

    def ranges(self, stage: int) -> list["PlannedRange"]:
        return [PlannedRange(self, part) for part in self.stages[stage]]

    def sorted_behind(self, position: str | None, found: Iterable[TaskRow]) -> list[TaskRow]:
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
class PlannedRange:
    """A range of a plan that ``Merge`` can read."""

    plan: Plan
    part: Range

    def position(self, row: TaskRow) -> str:
        return row.key(self.plan.index.sort_key).removeprefix(self.part.prefix)

    def read(self, after: str | None, size: int) -> Block[TaskRow]:
        """At most ``size`` items after a position (None: from the beginning), in one round trip."""
        plan, part = self.plan, self.part
        low, high = part.prefix + part.low, part.prefix + part.high
        if after is not None and plan.descending:
            high = _before(part.prefix + after)
        elif after is not None:
            low = part.prefix + after + _END
        if low > high:
            return Block([], None)
        found = query(plan.rows, _request(plan, low, high, size))
        end = None if found.last is None else found.last[plan.index.sort_key]["S"].removeprefix(part.prefix)
        return Block(found.rows, end)


def _request(plan: Plan, low: str, high: str, size: int) -> dict[str, Any]:
    index = plan.index
    names = {"#0": index.partition_key, "#1": index.sort_key}
    values = {":0": {"S": index.partition}, ":1": {"S": low}, ":2": {"S": high}}
    request: dict[str, Any] = {
        "TableName": settings.tasks_table,
        "KeyConditionExpression": "(#0 = :0 AND #1 BETWEEN :1 AND :2)",
        "ConsistentRead": index.consistent,
        "Limit": size,
        "ScanIndexForward": not plan.descending,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    if index.name is not None:
        request["IndexName"] = index.name
    if plan.due is not None:
        names["#2"] = "deadline"
        values[":3"], values[":4"] = ({"S": deadline} for deadline in plan.due)
        request["FilterExpression"] = "#2 BETWEEN :3 AND :4"
    return request


def of_room(room_id: str, wanted: TaskFilter) -> Plan:
    """The plan of a room's list. It uses the table or a local index, which are read consistently."""
    return _of_room(room_id, wanted, _order(wanted))


def due_in_room(room_id: str, wanted: TaskFilter) -> Plan | None:
    """The plan of a room's tasks sorted by deadline, if the list has a range of deadlines and another order."""
    return _for(_of_room(room_id, wanted, Order.DEADLINE), of_room(room_id, wanted)) if _across(wanted) else None


def of_assignee(user_id: str, wanted: TaskFilter) -> Plan:
    """The plan of a person's list across rooms. It uses global indexes, which lag by some milliseconds."""
    return _of_assignee(user_id, wanted, _order(wanted))


def due_of_assignee(user_id: str, wanted: TaskFilter) -> Plan | None:
    """``due_in_room`` for a person's list."""
    plan = _of_assignee(user_id, wanted, Order.DEADLINE)
    return _for(plan, of_assignee(user_id, wanted)) if _across(wanted) else None


def _for(due: Plan, listed: Plan) -> Plan:
    """``due``, reading the sort keys of ``listed`` too, so that its rows can be sorted in the order of ``listed``."""
    return replace(due, rows=rows_with(due.index.sort_key, listed.index.sort_key), due=None)


def _of_room(room_id: str, wanted: TaskFilter, by: Order) -> Plan:
    due = by is Order.DEADLINE
    prefix = ""
    name: str | None = None
    person = NOBODY if wanted.unassigned else wanted.assignee_id
    if person is not None:
        name, key = _PERSON_BY_DEADLINE if due else _PERSON
        prefix = f"{person}#"
    elif _by_class(wanted):
        name, key = _STATUS_BY_DEADLINE if due else _STATUS
    elif due:
        name, key = _DEADLINE
    else:
        key, prefix = "task_id", f"{room_id}."
    classes = _by_class(wanted) or person is not None
    return _plan(Index(name, "owner_id", room_id, key, consistent=True), _stages(prefix, classes, wanted, by), wanted)


def _of_assignee(user_id: str, wanted: TaskFilter, by: Order) -> Plan:
    due = by is Order.DEADLINE
    if _by_class(wanted):
        name, key = _ASSIGNEE_STATUS_BY_DEADLINE if due else _ASSIGNEE_STATUS
    else:
        name, key = _ASSIGNEE_BY_DEADLINE if due else _ASSIGNEE
    return _plan(
        Index(name, "assignee_id", user_id, key, consistent=False), _stages("", _by_class(wanted), wanted, by), wanted
    )


def _plan(index: Index, stages: list[list[Range]], wanted: TaskFilter) -> Plan:
    due = _deadlines(wanted) if _across(wanted) else None
    return Plan(index, stages, wanted.descending, rows_with(index.sort_key), due)


def _order(wanted: TaskFilter) -> Order:
    """The order of the tasks of one stage: by creation or by deadline."""
    by_deadline = wanted.order is Order.DEADLINE or (wanted.order is Order.PRIORITY and wanted.needs_deadline)
    return Order.DEADLINE if by_deadline else Order.CREATED


def _across(wanted: TaskFilter) -> bool:
    """Whether the list has a range of deadlines and another order: no sort key has the two."""
    return wanted.needs_deadline and _order(wanted) is not Order.DEADLINE


def _by_class(wanted: TaskFilter) -> bool:
    return bool(wanted.statuses or wanted.priorities) or wanted.order is Order.PRIORITY


def _stages(prefix: str, classes: bool, wanted: TaskFilter, by: Order) -> list[list[Range]]:
    first, last = _deadlines(wanted)
    if first > last:
        return []
    prefixes = [[prefix]]
    if classes:
        prefixes = [[f"{prefix}{each}#" for each in stage] for stage in _classes(wanted)]
    bounds = [(_START, _END)]
    if by is Order.DEADLINE and wanted.needs_deadline:
        bounds = [(first, f"{last}#{_END}")]
    elif by is Order.DEADLINE and wanted.descending:
        # In descending order too, tasks without a deadline come last.
        bounds = [(_START, f"{_LAST_DEADLINE}#{_END}"), (NO_DEADLINE, _END)]
    return [[Range(each, low, high) for each in stage] for stage in prefixes for low, high in bounds]


def _classes(wanted: TaskFilter) -> Iterator[list[str]]:
    statuses = [each for each in TaskStatus if each in wanted.statuses or not wanted.statuses]
    priorities = [each for each in Priority if each in wanted.priorities or not wanted.priorities]
    if wanted.order is not Order.PRIORITY:
        yield [class_of(status, priority) for status in statuses for priority in priorities]
        return
    for priority in sorted(priorities, key=RANKS.__getitem__, reverse=wanted.descending):
        yield [class_of(status, priority) for status in statuses]


def _deadlines(wanted: TaskFilter) -> tuple[str, str]:
    """The bounds of the range: a date includes its whole day."""
    first, last = wanted.deadline_from, wanted.deadline_to
    lowest = "0"
    if first is not None:
        lowest = clock.sortable(first) if isinstance(first, datetime) else first.isoformat()
    return lowest, _LAST_DEADLINE if last is None else clock.sortable(last)


def _before(key: str) -> str:
    """A bound just before ``key``: every smaller sort key sorts before it."""
    return key[:-1] + chr(ord(key[-1]) - 1) + _END

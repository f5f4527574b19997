"""How tasks are stored: the attributes of a task, and the sort keys that are derived from them.

A task is several items of its owner's partition. The item ``<task id>`` has its content. Each assignment is an item of
its own, ``A#<user id>#<task id>``: a link, which has keys only, and by which lists of a person find the task. A task
without assignees has a link to nobody. A description of more than ``EXCERPT_LENGTH`` code points is an item of its own,
too: ``D#<task id>``. So lists, and indexes, have no more than the beginning of it.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from tasksync.dynamodb.core.mapper import (
    MOMENT,
    NUMBER,
    TEXT,
    Attribute,
    Form,
    Mapper,
    Raw,
    Row,
    Text,
    one_of,
    text_of,
)
from tasksync.model import times
from tasksync.model.entities import EXCERPT_LENGTH, Assignment, Priority, Task, TaskStatus
from tasksync.model.times import time_ordered_part

LINK = "A#"
DESCRIPTION = "D#"
JOB = "J#"


class _StoredDeadline(Text, frozen=True, gc=False):
    """A time as ``2027-01-31T12:00:00.000000Z``, a date as ``2027-01-31T24``: the text by which it sorts."""

    @property
    def value(self) -> date | None:
        # Where the attribute is absent, there is no text.
        return times.from_sortable(self.S) if self.S else None


def _shown_deadline(text: str | None) -> str | None:
    return None if text is None else times.rfc3339(times.from_sortable(text))


_DEADLINE = Form(_StoredDeadline, "value", write=times.sortable, show=_shown_deadline)


class _Assignees(msgspec.Struct, frozen=True, gc=False):
    """A list of texts: of each assignee the user id and, after a space, the join id if there is one."""

    L: list[Text] | None

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        return tuple(Assignment(*each.S.split(" ")) for each in self.L or ())


def _spelled(assignees: tuple[Assignment, ...]) -> list[str] | None:
    return [" ".join(filter(None, (each.user_id, each.join_id))) for each in assignees] or None


_ASSIGNEES = Form(_Assignees, "assignments", _spelled, absent=_Assignees(None))

TASK = Mapper(
    Task,
    Attribute("owner_id", TEXT),
    Attribute("item", TEXT, field="id"),
    Attribute("title", TEXT, audited="title"),
    Attribute("description", TEXT.or_none(), audited="description"),
    Attribute("description_digest", TEXT.or_none()),
    Attribute("status", one_of(TaskStatus), audited="status"),
    Attribute("priority", one_of(Priority), audited="priority"),
    Attribute("assignees", _ASSIGNEES),
    Attribute("deadline", _DEADLINE.or_none(), audited="deadline"),
    Attribute("rank", TEXT),
    Attribute("created_by", TEXT),
    Attribute("created_at", MOMENT),
    Attribute("updated_by", TEXT),
    Attribute("updated_at", MOMENT),
    Attribute("completed_at", MOMENT.or_none()),
    Attribute("version", NUMBER),
    Attribute("revision", NUMBER),
    Attribute("trashed_at", MOMENT.or_none()),
    Attribute("trashed_by", TEXT.or_none()),
)

# Sorts behind every deadline: digits come before letters.
NO_DEADLINE = "none"
# Stands where a person's id does in the links of tasks without an assignee.
NOBODY = "none"
# What the sort keys of tasks in lists begin with, and of those in the trash; those of links begin with ``LINK``.
LISTED = "T#"
TRASHED = "X#"
# Stands where a person's id does in jobs: those of all owners are one list, by their age.
JOBS = "JOBS"
# Stands where a person's id does in tasks in the trash: those of all owners are one list, by the time of trashing.
TRASH = "TRASH"
RANKS = {Priority.LOW: "1", Priority.MEDIUM: "2", Priority.HIGH: "3"}
_STATUSES = {TaskStatus.PENDING: "1", TaskStatus.IN_PROGRESS: "2", TaskStatus.COMPLETED: "3"}
_OPEN, _COMPLETED = "1", "2"


class TaskRow(Row, frozen=True, kw_only=True, gc=False):
    """A task as a list reads it from the table or an index."""

    @property
    def id(self) -> str:
        return self.key("item")

    def key(self, name: str) -> str:
        """The sort key of this name, which is an argument of ``rows_with``."""
        key: str = getattr(self, name).S
        return key

    def entity(self) -> Task:
        return TASK.entity(self)


@functools.cache
def rows_with(*keys: str) -> type[TaskRow]:
    """Rows that have these sort keys, too."""
    return TASK.rows(TaskRow, *keys)


class LinkRow(Row, frozen=True, kw_only=True, gc=False):
    """A link as a list reads it from an index: with the sort key of that index, and maybe no other."""

    item: Text
    by_created: Text | None = None
    by_deadline: Text | None = None

    @property
    def id(self) -> str:
        """Of the task."""
        return task_of(self.item.S)

    def key(self, name: str) -> str:
        """A sort key. That by creation is a part of that by deadline: indexes across owners have one of the two."""
        found: Text | None = getattr(self, name)
        if found is not None:
            return found.S
        if name != "by_created" or self.by_deadline is None:
            raise TypeError(f"A link was read without its {name}")
        *person_and_class, _deadline, created = self.by_deadline.S.split("#")
        return "#".join([*person_and_class, created])


def task_of(item: str) -> str:
    """The task id in the key of any item of a task."""
    return item.rpartition("#")[2]


class Stored(NamedTuple):
    """The items of a task, as plain values."""

    content: dict[str, Any]
    """Of the task's own item, by attribute; None where there is none."""
    keys: dict[str, str | None]
    """Of the task's own item, the keys of indexes."""
    links: dict[str, dict[str, str]]
    """By the sort key of the table, the other attributes. A task in the trash has none."""
    description: dict[str, dict[str, str] | None]
    """The item of a long description. None: it is there, and the task was read without it."""


NOTHING = Stored({}, {}, {}, {})
"""Of a task that is not stored."""


def stored(task: Task) -> Stored:
    """What is stored of a task."""
    content = TASK.attributes(task)
    created = time_ordered_part(task.id)
    description: dict[str, dict[str, str] | None] = {}
    text = long_description(task)
    if text is not None:
        content["description"], content["description_digest"] = text[:EXCERPT_LENGTH], digest(text)
        description = {DESCRIPTION + task.id: {"text": text}}
    elif task.description_digest is not None:
        description = {DESCRIPTION + task.id: None}
    return Stored(content, _index_keys(task, created), _links(task, created), description)


def long_description(task: Task) -> str | None:
    """The description that is an item of its own. None: it is short, or was not read whole."""
    whole = task.description if task.description_digest is None else None
    return whole if whole is not None and len(whole) > EXCERPT_LENGTH else None


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def with_description(task: Task, text: str | None) -> Task:
    """The task with its whole description, if ``text`` is the one that the task was read with."""
    if task.description_digest is None or text is None or digest(text) != task.description_digest:
        return task
    return replace(task, description=text, description_digest=None)


def class_of(status: TaskStatus, priority: Priority) -> str:
    """What sort keys begin with that part tasks by their status and priority."""
    return _STATUSES[status] + RANKS[priority]


def column(status: TaskStatus) -> str:
    """What the sort keys of the manual order of a status begin with."""
    return f"{LISTED}{_STATUSES[status]}#"


def link_class_of(status: TaskStatus, priority: Priority) -> str:
    """What sort keys of links part tasks by: whether they are open, and their priority."""
    return (_COMPLETED if status is TaskStatus.COMPLETED else _OPEN) + RANKS[priority]


def _index_keys(task: Task, created: str) -> dict[str, str | None]:
    """The filters of a list first, then its order.

    A task in the trash has one sort key alone, so that no other list has to pass over it.
    """
    if task.trashed_at is not None:
        others = dict.fromkeys(("by_deadline", "by_status", "by_status_deadline", "by_rank"))
        trashed = f"{TRASHED}{times.timestamp(task.trashed_at)}#{created}"
        return {"by_created": trashed, **others, "person_id": TRASH}
    deadline, status = _deadline_key(task), class_of(task.status, task.priority)
    is_own = any(each.user_id == task.created_by for each in task.assignees)
    return {
        "by_created": f"{LISTED}{created}",
        "by_deadline": f"{LISTED}{deadline}#{created}",
        "by_status": f"{LISTED}{status}#{created}",
        "by_status_deadline": f"{LISTED}{status}#{deadline}#{created}",
        "by_rank": f"{column(task.status)}{task.rank}#{created}",
        # For the export of what a person has created for others. What is assigned to them they find by the assignment.
        "person_id": None if is_own else task.created_by,
    }


def _links(task: Task, created: str) -> dict[str, dict[str, str]]:
    if task.trashed_at is not None:
        return {}
    found: dict[str, dict[str, str]] = {}
    for each in task.assignees or (Assignment(NOBODY),):
        prefix = f"{LINK}{each.user_id}#{link_class_of(task.status, task.priority)}#"
        attributes = {"by_created": f"{prefix}{created}", "by_deadline": f"{prefix}{_deadline_key(task)}#{created}"}
        if each.user_id != NOBODY:
            attributes |= {"person_id": each.user_id, "assignee_id": each.user_id}
        if each.join_id is not None:
            attributes["join_id"] = each.join_id
        found[f"{LINK}{each.user_id}#{task.id}"] = attributes
    return found


def audited(image: Raw) -> dict[str, str]:
    """What is audited of a task's item, as texts by the names in the API; without what is absent.

    A long description is shown as far as the item has it. The assignees are a list of ids with commas between.
    """
    found = TASK.audited(image)
    if text_of(image, "description_digest") is not None:
        found["description"] += "…"
    people = [text.partition(" ")[0] for text in _texts(image.get("assignees"))]
    return found | ({"user_id": people[0], "assignee_ids": ",".join(people)} if people else {})


def _texts(attribute: Mapping[str, Any] | None) -> list[str]:
    return [each["S"] for each in (attribute or {}).get("L", ())]


def _deadline_key(task: Task) -> str:
    return NO_DEADLINE if task.deadline is None else times.sortable(task.deadline)


def tasks_of(items: Iterable[Raw], *, trashed: bool = False) -> dict[str, Task]:
    """By id, the tasks among items that were read, each with its whole description if that was read, too.

    ``trashed``: those in the trash; otherwise, all others.
    """
    items = [item for item in items if item["item"]["S"].startswith(DESCRIPTION) or ("trashed_at" in item) == trashed]
    texts = texts_of(item for item in items if item["item"]["S"].startswith(DESCRIPTION))
    tasks = (TASK.read(item) for item in items if not item["item"]["S"].startswith(DESCRIPTION))
    return {task.id: with_description(task, texts.get(task.id)) for task in tasks}


def texts_of(descriptions: Iterable[Raw]) -> dict[str, str]:
    """By task id."""
    return {task_of(item["item"]["S"]): item["text"]["S"] for item in descriptions}

"""Respreads: the jobs by which ranks become short again, ``J#ranks`` in the partition of the tasks' owner.

Each write of a job, and each move of its owner's tasks while it is stored, raises its step on condition that it is the
one that was read before the ranks (``keep_step``). A move that began before the job was stored does not know of it. So
no job may be worked on until such moves have ended: ``due``.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tasksync.dynamodb.core.connection import Transaction, get_many
from tasksync.dynamodb.core.mapper import MOMENT, NUMBER, TEXT, Attribute, Mapper, Raw, one_of
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.tasks.items import TaskItem, TasksItem, update_task
from tasksync.dynamodb.tasks.mapper import JOB, JOBS, TASK, column
from tasksync.model import times
from tasksync.model.entities import Respread, Task, TaskStatus
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

RESPREAD = JOB + "ranks"
_PAGE = 100
# It sorts behind all characters of a sort key.
_END = "~"

RESPREADS = Mapper(
    Respread,
    Attribute("owner_id", TEXT),
    Attribute("status", one_of(TaskStatus)),
    Attribute("rank", TEXT),
    Attribute("since", MOMENT),
    Attribute("step", NUMBER),
)


class RespreadItem(TasksItem):
    """It has no sort key that a list of tasks reads."""

    status = UnicodeAttribute()
    rank = UnicodeAttribute()
    since = UnicodeAttribute()
    step = NumberAttribute()


class RespreadsRepository:
    """Reads respreads and the ranks that they are about, and carries them out."""

    def due(self, before: datetime) -> Iterator[list[str]]:
        """The owners of respreads that began before this time, oldest first, page by page.

        From an index that may be some milliseconds behind.
        """
        beyond = TasksItem.by_created.between(JOB, JOB + times.timestamp(before))
        for page in TasksItem.by_person.query(JOBS, beyond, page_size=_PAGE).page_iter:
            yield [raw["owner_id"]["S"] for raw in page["Items"]]

    def find(self, owner_id: str) -> Respread | None:
        """Read consistently."""
        return respread_among(get_many(settings.tasks_table, [respread_key(owner_id)]))

    def ahead(self, respread: Respread) -> Iterator[Task]:
        """The tasks of its status from its rank on, in the manual order, without long descriptions.

        Read consistently.
        """
        start = column(respread.status)
        return _tasks(respread, TaskItem.by_rank.between(start + respread.rank, start + _END), backwards=False)

    def back(self, respread: Respread) -> Iterator[Task]:
        """The tasks before those of ``ahead``, in the opposite order."""
        start = column(respread.status)
        return _tasks(respread, TaskItem.by_rank.between(start, start + respread.rank), backwards=True)

    def write(self, respread: Respread, ranks: Sequence[tuple[Task, str]]) -> Respread:
        """Give these tasks these ranks: no new version for users. Returns the respread after that.

        Raises ``WriteConflict`` if one of the tasks has changed since it was read, or any task of the owner was moved
        since the respread was read.
        """
        transaction, now = Transaction(), times.timestamp(times.now())
        keep_step(transaction, respread)
        for before, rank in ranks:
            after = replace(before, rank=rank)
            update_task(transaction, before, after, TaskItem.ranked_at.set(now))
        transaction.commit()
        return replace(respread, step=respread.step + 1)

    def done(self, respread: Respread) -> None:
        """Raises ``WriteConflict`` if any task of the owner was moved since the respread was read."""
        transaction = Transaction()
        transaction.delete(_item(respread), RespreadItem.step == respread.step, WriteConflict)
        transaction.commit()


def respread_key(owner_id: str) -> Raw:
    return {"owner_id": {"S": owner_id}, "item": {"S": RESPREAD}}


def respread_among(items: Iterable[Raw]) -> Respread | None:
    """The respread among items of one owner that were read."""
    return next((RESPREADS.read(item) for item in items if item["item"]["S"] == RESPREAD), None)


def _tasks(respread: Respread, ranks: Condition, *, backwards: bool) -> Iterator[Task]:
    found = TasksItem.room_by_rank.query(
        respread.owner_id, ranks, consistent_read=True, scan_index_forward=not backwards, page_size=_PAGE
    )
    return map(TASK.read, raws(found))


def begin(transaction: Transaction, respread: Respread) -> None:
    """Store a respread in ``transaction``. The commit raises ``WriteConflict`` if the owner has one meanwhile."""
    item = _item(respread)
    item.person_id, item.by_created = JOBS, JOB + times.timestamp(respread.since)
    item.status, item.rank, item.since = respread.status.value, respread.rank, times.timestamp(respread.since)
    item.step = 1
    transaction.put(item, RespreadItem.item.does_not_exist(), WriteConflict)


def keep_step(transaction: Transaction, respread: Respread) -> None:
    """Raise the step in ``transaction``. The commit raises ``WriteConflict`` if another has done so since it was
    read."""
    transaction.update(_item(respread), [RespreadItem.step.add(1)], RespreadItem.step == respread.step, WriteConflict)


def _item(respread: Respread) -> RespreadItem:
    return RespreadItem(respread.owner_id, RESPREAD)

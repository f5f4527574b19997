"""Tasks at random, as many as wanted, as the tasks table holds them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from tasksync.dynamodb.tasks.items import description_key, link_items, task_item
from tasksync.dynamodb.tasks.mapper import long_description
from tasksync.model import times
from tasksync.model.entities import Assignment, Priority, Task, TaskStatus
from tasksync.model.times import new_task_id, rank_of

FIRST_DEADLINE = datetime(2027, 1, 1, tzinfo=UTC)
DAYS = 60
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def random_tasks(number: int, room_id: str, creator: str, people: Sequence[str | None], seed: int) -> list[Task]:
    """A task a second, of any status and priority, of any of ``people``; three of four are due within 60 days."""
    chance = random.Random(seed)
    return [
        Task(
            id=new_task_id(room_id, at),
            owner_id=room_id,
            assignees=_assignees(chance.choice(people)),
            title=f"Task {count}: {'order the desks ' * chance.randrange(3)}",
            description="Twelve, adjustable in height. " * chance.randrange(6) or None,
            status=chance.choice([*TaskStatus]),
            priority=chance.choice([*Priority]),
            deadline=_deadline(chance),
            created_by=creator,
            created_at=at,
            updated_by=creator,
            updated_at=at,
            completed_at=None,
            version=1,
            revision=1,
            rank=rank_of(at),
        )
        for count, at in ((count, _FIRST + timedelta(seconds=count)) for count in range(number))
    ]


def trashed(tasks: Iterable[Task]) -> Iterator[Task]:
    """The tasks, moved to the trash a second apart, the first of them now."""
    now = times.now()
    for number, task in enumerate(tasks):
        yield replace(task, trashed_at=now - timedelta(seconds=number), trashed_by=task.created_by)


def stored(task: Task) -> dict[str, Any]:
    """The task's own item, as DynamoDB spells it."""
    item: dict[str, Any] = task_item(task).serialize()
    return item


def stored_items(tasks: Iterable[Task]) -> Iterator[dict[str, Any]]:
    """All items of these tasks."""
    for task in tasks:
        yield stored(task)
        yield from (item.serialize() for item in link_items(task))
        if (text := long_description(task)) is not None:
            yield {**description_key(task.id), "text": {"S": text}}


def _assignees(person: str | None) -> tuple[Assignment, ...]:
    return () if person is None else (Assignment(person),)


def _deadline(chance: random.Random) -> datetime | None:
    if chance.random() < 0.25:
        return None
    return FIRST_DEADLINE + timedelta(minutes=chance.randrange(DAYS * 24 * 60))

"""The counts of tasks in the heads of change logs, as rooms show them."""

from collections.abc import Iterable

from tasksync.dynamodb.change_log.decoder import HEAD
from tasksync.dynamodb.change_log.items import log_key
from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.entities import TaskCounts
from tasksync.runtime.settings import settings


class TaskCountsRepository:
    """How many tasks rooms have."""

    def task_counts(self, room_id: str) -> TaskCounts | None:
        """Not read consistently, for half the price: the log itself is some moments behind."""
        found = get_many(settings.log_table, [counts_key(room_id)], consistent=False)
        return counts_by_room(found).get(room_id)


def counts_key(room_id: str) -> Raw:
    """The key of the head of a room's log."""
    return log_key(room_id, HEAD)


def counts_by_room(heads: Iterable[Raw]) -> dict[str, TaskCounts]:
    """Without the logs that have not counted all tasks."""
    return {
        head["owner_id"]["S"]: TaskCounts(int(head["open"]["N"]), int(head["completed"]["N"]))
        for head in heads
        if has_counted_all(head)
    }


def has_counted_all(head: Raw) -> bool:
    """Whether the log has an entry, and all that the version before wrote. Otherwise it has counted a part at most."""
    return head["seq"]["N"] != "0" and "adopted" not in head

"""Called with records of the rooms stream that say a room's last membership ended."""

from typing import Any

from tasksync.deadline import KeepGoing
from tasksync.domain.removal import remove_dead_room
from tasksync.streams.records import Context, handle
from tasksync.tables.rooms import RoomsTable
from tasksync.tables.tasks import TasksTable


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers with Lambda's partial batch response."""
    return handle(event, context, "room_cleanup", "room_id", _finish)


def _finish(room_id: str, keep_going: KeepGoing) -> bool:
    return remove_dead_room(room_id, RoomsTable(), TasksTable(), keep_going)

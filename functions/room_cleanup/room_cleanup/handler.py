"""Called with records of the rooms stream that say a membership ended, or the last one of a room did."""

from typing import Any

from tasksync.deadline import KeepGoing
from tasksync.domain.removal import remove_dead_room
from tasksync.domain.unassignment import unassign_former_member
from tasksync.streams.records import Context, Keys, handle
from tasksync.tables.rooms import MEMBER, RoomsTable
from tasksync.tables.tasks import TasksTable
from tasksync.tables.unassignments import UnassignmentsTable


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers with Lambda's partial batch response."""
    return handle(event, context, "room_cleanup", "room_id", _finish)


def _finish(keys: Keys, keep_going: KeepGoing) -> bool:
    room_id, item = keys["room_id"], keys["item"]
    if item.startswith(MEMBER):
        user_id = item.removeprefix(MEMBER)
        return unassign_former_member(room_id, user_id, UnassignmentsTable(), RoomsTable(), TasksTable(), keep_going)
    return remove_dead_room(room_id, RoomsTable(), TasksTable(), keep_going)

"""The room cleanup function: handles records of the rooms stream about memberships that ended and empty rooms."""

from typing import Any

from tasksync.domain.removal import remove_dead_room
from tasksync.domain.rooms.unassignment import unassign_former_member
from tasksync.dynamodb.rooms.memberships import MEMBER
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.rooms.unassignments import UnassignmentsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.runtime.deadline import KeepGoing
from tasksync.streams.records import Context, Keys, handle


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    return handle(event, context, "room_cleanup", "room_id", _finish)


def _finish(keys: Keys, keep_going: KeepGoing) -> bool:
    room_id, item = keys["room_id"], keys["item"]
    if item.startswith(MEMBER):
        user_id = item.removeprefix(MEMBER)
        return unassign_former_member(
            room_id, user_id, UnassignmentsRepository(), RoomsRepository(), TasksRepository(), keep_going
        )
    return remove_dead_room(room_id, RoomsRepository(), TasksRepository(), WebhooksRepository(), keep_going)

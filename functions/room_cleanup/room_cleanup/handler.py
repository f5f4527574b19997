"""The room cleanup function: handles records of the rooms stream about empty rooms."""

from typing import Any

from tasksync.domain.removal import remove_dead_room
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.webhooks.purges import WebhookPurges
from tasksync.runtime.deadline import KeepGoing
from tasksync.streams.records import Context, Keys, handle


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    return handle(event, context, "room_cleanup", "room_id", _finish)


def _finish(keys: Keys, keep_going: KeepGoing) -> bool:
    webhooks = WebhookPurges()
    return remove_dead_room(keys["room_id"], RoomsRepository(), TasksRepository(), webhooks, keep_going)

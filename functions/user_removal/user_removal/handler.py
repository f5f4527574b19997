"""The user removal function: handles records of the users stream about accepted deletions."""

from typing import Any

from tasksync.domain.removal import UserRemoval
from tasksync.dynamodb.rooms.former_members import FormerMembersRepository
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.runtime.deadline import KeepGoing
from tasksync.streams.records import Context, Keys, handle

_removal = UserRemoval(
    UsersRepository(), RoomsRepository(), FormerMembersRepository(), TasksRepository(), SessionsRepository()
)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns Lambda's partial batch response."""
    return handle(event, context, "user_removal", "user_id", _finish)


def _finish(keys: Keys, keep_going: KeepGoing) -> bool:
    return _removal.finish(keys["user_id"], keep_going)

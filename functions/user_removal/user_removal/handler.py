"""Called with records of the users stream that say a user is to be deleted."""

from typing import Any

from tasksync.deadline import KeepGoing
from tasksync.domain.removal import UserRemoval
from tasksync.streams.records import Context, Keys, handle
from tasksync.tables.former_members import FormerMembersTable
from tasksync.tables.rooms import RoomsTable
from tasksync.tables.sessions import SessionsTable
from tasksync.tables.tasks import TasksTable
from tasksync.tables.users import UsersTable

_removal = UserRemoval(UsersTable(), RoomsTable(), FormerMembersTable(), TasksTable(), SessionsTable())


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers with Lambda's partial batch response."""
    return handle(event, context, "user_removal", "user_id", _finish)


def _finish(keys: Keys, keep_going: KeepGoing) -> bool:
    return _removal.finish(keys["user_id"], keep_going)

"""Called by a schedule; looks through the tables for removals that were begun long ago and are still unfinished."""

from datetime import timedelta
from typing import Any

from tasksync import clock, deadline, stamps
from tasksync.deadline import KeepGoing
from tasksync.domain.removal import UserRemoval, remove_dead_room
from tasksync.domain.sweeping import Swept, sweep
from tasksync.streams.records import Context
from tasksync.tables.former_members import FormerMembersTable
from tasksync.tables.rooms import RoomsTable
from tasksync.tables.sessions import SessionsTable
from tasksync.tables.tasks import TasksTable
from tasksync.tables.users import UsersTable
from tasksync.telemetry import Measure, log_measured

# Longer than the streams take while all is well: what is younger is most likely being removed just now.
_OLDER_THAN_SECONDS = 600

_BY_KIND = Measure(dict.fromkeys(("found", "finished", "failures"), "Count"), [["kind"]])

_removal = UserRemoval(UsersTable(), RoomsTable(), FormerMembersTable(), TasksTable(), SessionsTable())


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers with what was found and finished, by kind.

    Called by hand, ``older_than_seconds`` in the event says what counts as long ago; 0 takes all that there is.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    age = timedelta(seconds=event.get("older_than_seconds", _OLDER_THAN_SECONDS))
    # People first: whoever is removed leaves their rooms, and may leave one empty.
    with stamps.by(None, context.aws_request_id):
        swept = {
            "users": sweep(UsersTable(), _removal.finish, clock.now() - age, deadline.has_time),
            "rooms": sweep(RoomsTable(), _finish_room, clock.now() - age, deadline.has_time),
        }
    return {kind: _logged(kind, result, context) for kind, result in swept.items()}


def _finish_room(room_id: str, keep_going: KeepGoing) -> bool:
    return remove_dead_room(room_id, RoomsTable(), TasksTable(), keep_going)


def _logged(kind: str, swept: Swept, context: Context) -> dict[str, Any]:
    counts = {"found": swept.found, "finished": swept.finished, "failed": swept.failed, "complete": swept.complete}
    log_measured(
        "ERROR" if swept.failed or swept.unread else "INFO",
        "swept",
        (_BY_KIND,),
        request_id=context.aws_request_id,
        kind=kind,
        **counts,
        unread=swept.unread,
        failures=len(swept.failed) + swept.unread,
    )
    return counts

"""The sweeper function: a schedule calls it to finish removals that were started long ago, to empty the trash, to make
ranks short again, to send what webhooks are due, to delete change logs of users who are gone, and to count open
WebSockets."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tasksync.domain.removal import UserRemoval, remove_dead_room, remove_log
from tasksync.domain.respreading import respread
from tasksync.domain.rooms.unassignment import unassign_former_member
from tasksync.domain.sweep import Finish, Subject, sweep
from tasksync.domain.trash import delete_expired
from tasksync.domain.webhooks.dispatch import DUE_AFTER, Dispatcher
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.live.repository import ConnectionsRepository
from tasksync.dynamodb.rooms.former_members import FormerMembersRepository
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.rooms.unassignments import UnassignmentsRepository
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.tasks.respreads import RespreadsRepository
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.purges import WebhookPurges
from tasksync.dynamodb.webhooks.queue import DeliveryQueue, is_dispatch
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.model import times
from tasksync.model.change_log import NO_RECORD_COMES_AFTER
from tasksync.model.errors import DependencyFailed
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.settings import settings
from tasksync.streams.records import Context

# Longer than the streams normally take: a younger removal is probably in progress.
_OLDER_THAN_SECONDS = 600

_MOVES_END_WITHIN = timedelta(seconds=30)
"""More than the time-out of the tasks function. A move that began before a respread does not know of it."""

_ROOMS_WITH_WEBHOOKS_EVERY = timedelta(hours=1)
"""How often the log of a room with webhooks is compared with what was dispatched of it."""

_SWEEP_MEASURE = Measure(dict.fromkeys(("found", "finished", "failures"), "Count"), [["kind"]], sparse=True)

_CONNECTIONS_MEASURE = Measure({"connections_open": "Count"}, [["function"]], sparse=True)

_removal = UserRemoval(
    UsersRepository(), RoomsRepository(), FormerMembersRepository(), TasksRepository(), SessionsRepository()
)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns how much was found and finished, by kind.

    ``older_than_seconds`` in the event, for manual calls: the minimum age of a removal; 0 for all.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    age = timedelta(seconds=event.get("older_than_seconds", _OLDER_THAN_SECONDS))
    swept = {
        # Users first: removing a user may leave a room empty.
        "users": _sweep("users", UsersRepository().unfinished(times.now() - age), _removal.finish, context),
        "rooms": _sweep("rooms", RoomsRepository().unfinished(times.now() - age), _finish_room, context),
        "unassignments": _sweep(
            "unassignments", UnassignmentsRepository().unfinished(times.now() - age), _unassign, context
        ),
        "ranks": _sweep("ranks", RespreadsRepository().due(times.now() - _MOVES_END_WITHIN), _respread, context),
        "logs": _sweep(
            "logs", ChangeLogRepository().unfinished(times.now() - NO_RECORD_COMES_AFTER), _remove_log, context
        ),
        "webhooks": _sweep("webhooks", DeliveriesRepository().due(times.now()), _send_due, context),
    }
    _count_connections(context)
    return swept | {
        # Last: there may be many, and nobody sees them any more.
        "trash": _sweep(
            "trash",
            TasksRepository().trashed_before(times.now() - timedelta(days=settings.trash_days)),
            _delete_expired,
            context,
        ),
    }


def _count_connections(context: Context) -> None:
    """For operators: nothing else knows how many WebSockets are open."""
    with unit_of_work.begin(None, context.aws_request_id) as unit:
        try:
            count = ConnectionsRepository().count_open(times.now(), deadline.has_time)
        except DependencyFailed as error:
            log("ERROR", "connections not counted", request_id=context.aws_request_id, error=type(error).__name__)
            return
    log_measured(
        "INFO",
        "connections counted",
        (_CONNECTIONS_MEASURE,),
        request_id=context.aws_request_id,
        function="sweeper",
        connections_open=count or 0,
        complete=count is not None,
        round_trips=unit.usage.round_trips,
        capacity_units=unit.usage.capacity_units,
    )


def _finish_room(room_id: str, keep_going: KeepGoing) -> bool:
    return remove_dead_room(room_id, RoomsRepository(), TasksRepository(), WebhookPurges(), keep_going)


def _unassign(left: tuple[str, str], keep_going: KeepGoing) -> bool:
    room_id, user_id = left
    return unassign_former_member(
        room_id, user_id, UnassignmentsRepository(), RoomsRepository(), TasksRepository(), keep_going
    )


def _respread(owner_id: str, keep_going: KeepGoing) -> bool:
    return respread(owner_id, RespreadsRepository(), keep_going)


def _remove_log(user_id: str, keep_going: KeepGoing) -> bool:
    return remove_log(user_id, UsersRepository(), ChangeLogRepository(), keep_going)


def _delete_expired(expired: tuple[str, datetime], keep_going: KeepGoing) -> bool:
    return delete_expired(expired, TasksRepository(), keep_going)


def _send_due(due: tuple[str, str], keep_going: KeepGoing) -> bool:
    """Send the message about a delivery, an ordered webhook or a replay; or dispatch the log of a room."""
    room_id, item = due
    if is_dispatch(item):
        webhooks = WebhooksRepository()
        webhooks.looked_at(room_id, times.now() + _ROOMS_WITH_WEBHOOKS_EVERY)
        change_logs = ChangeLogRepository()
        dispatcher = Dispatcher(webhooks, DeliveriesRepository(), change_logs, DeliveryQueue())
        return dispatcher.dispatch(room_id, change_logs.head(room_id).seq, keep_going)
    now = times.now()
    message = DeliveriesRepository().remind(room_id, item, now, now + DUE_AFTER)
    if message is not None:
        DeliveryQueue().send([message])
    return True


def _sweep(kind: str, pages: Iterable[list[Subject]], finish: Finish[Subject], context: Context) -> dict[str, Any]:
    with unit_of_work.begin(None, context.aws_request_id) as unit:
        swept = sweep(pages, finish, deadline.has_time)
    counts = {"found": swept.found, "finished": swept.finished, "failed": swept.failed, "complete": swept.complete}
    log_measured(
        "ERROR" if swept.failed or swept.unread else "INFO",
        "swept",
        (_SWEEP_MEASURE,),
        request_id=context.aws_request_id,
        kind=kind,
        **counts,
        unread=swept.unread,
        failures=len(swept.failed) + swept.unread,
        round_trips=unit.usage.round_trips,
        capacity_units=unit.usage.capacity_units,
    )
    return counts

"""What entries and heads of change logs call for. Each duty has a line in ``DUTIES``.

An entry may be handed out late and more than once, and entries of one log in any order. So a duty reads what it acts
on, and does it so that a second time changes nothing. An entry may be lost: what must not be is also marked by the
transaction that makes it necessary, for the sweeper.

An entry may be about a change that was made long ago: the first append to a log adopts the audit trail of the version
before. ``at`` says when.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tasksync.domain.rooms.unassignment import unassign_former_member
from tasksync.domain.webhooks.dispatch import Dispatcher
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.rooms.unassignments import UnassignmentsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.webhooks.deliveries import DeliveriesRepository
from tasksync.dynamodb.webhooks.queue import DeliveryQueue
from tasksync.dynamodb.webhooks.repository import WebhooksRepository
from tasksync.model.change_log import HeadRecord
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime.deadline import KeepGoing

Written = ActivityEntry | HeadRecord
"""What a stream record of a change log shows."""


class Duty(NamedTuple):
    """What is done after something was written to a log."""

    wants: Callable[[Written], bool]
    """Whether this calls for it. The event filter of the function lets through what any duty wants."""
    carry_out: Callable[[str, Sequence[Written], KeepGoing], bool]
    """Called with the id of a log and what calls for it in a batch, of this log. False if time ran out."""


def _is_end_of_membership(written: Written) -> bool:
    if isinstance(written, HeadRecord):
        return False
    return written.resource is ActivityResource.MEMBERSHIP and written.action is ActivityAction.DELETED


def _unassign(room_id: str, wanted: Sequence[Written], keep_going: KeepGoing) -> bool:
    """Whoever left the room or was removed is unassigned from its tasks."""
    left = dict.fromkeys(entry.resource_id for entry in wanted if isinstance(entry, ActivityEntry))
    return all(
        unassign_former_member(
            room_id, user_id, UnassignmentsRepository(), RoomsRepository(), TasksRepository(), keep_going
        )
        for user_id in left
    )


def _is_head_of_room_with_webhooks(written: Written) -> bool:
    return isinstance(written, HeadRecord) and written.has_webhooks


def _let_webhooks_know(room_id: str, wanted: Sequence[Written], keep_going: KeepGoing) -> bool:
    """What the log holds up to the head, and was not dispatched before, goes to the webhooks of the room."""
    last = max(head.seq for head in wanted if isinstance(head, HeadRecord))
    dispatcher = Dispatcher(WebhooksRepository(), DeliveriesRepository(), ChangeLogRepository(), DeliveryQueue())
    return dispatcher.dispatch(room_id, last, keep_going)


DUTIES: Mapping[str, Duty] = {
    "unassignment": Duty(_is_end_of_membership, _unassign),
    "webhooks": Duty(_is_head_of_room_with_webhooks, _let_webhooks_know),
}
"""By name, in the order in which they are carried out: quick ones first."""


def hand_out(duties: Mapping[str, Duty], log_id: str, written: Sequence[Written], keep_going: KeepGoing) -> bool:
    """Carry out what was written to a log calls for. False if time ran out.

    Raises the error of the first duty that failed, once all of them were tried.
    """
    finished, errors = True, list[TaskSyncError]()
    for name, duty in duties.items():
        wanted = [each for each in written if duty.wants(each)]
        try:
            finished = (not wanted or duty.carry_out(log_id, wanted, keep_going)) and finished
        except TaskSyncError as error:
            log("ERROR", "duty failed", duty=name, owner_id=log_id, error=type(error).__name__)
            errors.append(error)
    if errors:
        raise errors[0]
    return finished

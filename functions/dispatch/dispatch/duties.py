"""What entries of change logs call for. Each duty has a line in ``DUTIES``.

An entry may be handed out late and more than once, and entries of one log in any order. So a duty reads what it acts
on, and does it so that a second time changes nothing. An entry may be lost: what must not be is also marked by the
transaction that makes it necessary, for the sweeper.

An entry may be about a change that was made long ago: the first append to a log adopts the audit trail of the version
before. ``at`` says when.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tasksync.domain.rooms.unassignment import unassign_former_member
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.rooms.unassignments import UnassignmentsRepository
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime.deadline import KeepGoing


class Duty(NamedTuple):
    """What is done after some entries are appended."""

    wants: Callable[[ActivityEntry], bool]
    """Whether this entry calls for it. The event filter of the function lets through what any duty wants."""
    carry_out: Callable[[str, Sequence[ActivityEntry], KeepGoing], bool]
    """Called with the id of a log and those of its entries in a batch that call for it. False if time ran out."""


def _is_end_of_membership(entry: ActivityEntry) -> bool:
    return entry.resource is ActivityResource.MEMBERSHIP and entry.action is ActivityAction.DELETED


def _unassign(room_id: str, entries: Sequence[ActivityEntry], keep_going: KeepGoing) -> bool:
    """Whoever left the room or was removed is unassigned from its tasks."""
    return all(
        unassign_former_member(
            room_id, user_id, UnassignmentsRepository(), RoomsRepository(), TasksRepository(), keep_going
        )
        for user_id in dict.fromkeys(entry.resource_id for entry in entries)
    )


DUTIES: Mapping[str, Duty] = {
    "unassignment": Duty(_is_end_of_membership, _unassign),
}
"""By name, in the order in which they are carried out: quick ones first."""


def hand_out(duties: Mapping[str, Duty], log_id: str, entries: Sequence[ActivityEntry], keep_going: KeepGoing) -> bool:
    """Carry out what entries of a log call for. False if time ran out.

    Raises the error of the first duty that failed, once all of them were tried.
    """
    finished, errors = True, list[TaskSyncError]()
    for name, duty in duties.items():
        wanted = [entry for entry in entries if duty.wants(entry)]
        try:
            finished = (not wanted or duty.carry_out(log_id, wanted, keep_going)) and finished
        except TaskSyncError as error:
            log("ERROR", "duty failed", duty=name, owner_id=log_id, error=type(error).__name__)
            errors.append(error)
    if errors:
        raise errors[0]
    return finished

"""Unassignment: after somebody left a room or was removed, their tasks there are assigned to nobody.

A stream function or a migration runs it, maybe late, several times or concurrently. An assignment stores the join id of
the membership. So assignments made after the user came back belong to another membership, and stay.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from tasksync.model import times
from tasksync.model.entities import DueUnassignment, Membership, Task
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.unit_of_work import retry_on_conflict


class Rooms(Protocol):
    """The part of the rooms repository that is used here."""

    def is_live(self, room_id: str) -> bool: ...
    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class Tasks(Protocol):
    """The part of the tasks repository that is used here."""

    def assigned_in(self, room_id: str, user_id: str) -> Iterator[list[Task]]: ...
    def unassign(self, task: Task, user_id: str, at: datetime) -> None: ...


class DueUnassignments(Protocol):
    """``dynamodb/rooms/unassignments.py``."""

    def find(self, room_id: str, user_id: str) -> DueUnassignment | None: ...
    def done(self, due: DueUnassignment) -> None: ...


def unassign_former_member(
    room_id: str, user_id: str, dues: DueUnassignments, rooms: Rooms, tasks: Tasks, keep_going: KeepGoing
) -> bool:
    """Unassign the tasks that somebody has in a room through a membership that ended. False if time ran out.

    Raises ``WriteConflict`` if tasks keep changing. Tasks of a room without members are skipped: they are deleted.
    """

    @retry_on_conflict
    def finished() -> bool:
        for page in tasks.assigned_in(room_id, user_id):
            # Read after the tasks: no task of this page is assigned through a membership that began later.
            membership = rooms.members_among(room_id, [user_id]).get(user_id) if page else None
            for task in page:
                if task.is_assigned_by(membership):
                    continue
                if not keep_going():
                    return False
                tasks.unassign(task, user_id, max(times.now(), task.updated_at))
        return True

    # Read first: if the user joins and leaves again meanwhile, that unassignment stays due.
    due = dues.find(room_id, user_id)
    if rooms.is_live(room_id) and not finished():
        return False
    if due is not None:
        dues.done(due)
    return True

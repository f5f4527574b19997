"""What happens to somebody's tasks in a room after they left it or were removed: nobody has them any more.

It is carried out behind the stream, or by a migration, and may be carried out late, several times and by several
functions at once. What decides is what is stored: an assignment names the membership by which it was made, so one that
was made after the person came back is none of an earlier membership, and stays.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from tasksync.domain.conflicts import retry_on_conflict
from tasksync.model.entities import DueUnassignment, Membership, Task
from tasksync.runtime import clock
from tasksync.runtime.deadline import KeepGoing


class Rooms(Protocol):
    """The rooms table, as far as it is needed here."""

    def is_live(self, room_id: str) -> bool: ...
    def members_among(self, room_id: str, user_ids: Iterable[str]) -> dict[str, Membership]: ...


class Tasks(Protocol):
    """The tasks table, as far as it is needed here."""

    def assigned_in(self, room_id: str, user_id: str) -> Iterator[list[Task]]: ...
    def unassign(self, task: Task, at: datetime) -> None: ...


class DueUnassignments(Protocol):
    """``dynamodb/rooms/unassignments.py``."""

    def find(self, room_id: str, user_id: str) -> DueUnassignment | None: ...
    def done(self, due: DueUnassignment) -> None: ...


def unassign_former_member(
    room_id: str, user_id: str, dues: DueUnassignments, rooms: Rooms, tasks: Tasks, keep_going: KeepGoing
) -> bool:
    """Unassign what somebody has in a room by a membership that is over. False if time ran out.

    Raises ``WriteConflict`` if tasks keep changing. The tasks of a room without members are not looked at: they are
    deleted.
    """

    def attempt() -> bool:
        for page in tasks.assigned_in(room_id, user_id):
            # Read after the tasks: an assignment by a membership that began since then is on none of them.
            membership = rooms.members_among(room_id, [user_id]).get(user_id) if page else None
            for task in page:
                if task.is_assigned_by(membership):
                    continue
                if not keep_going():
                    return False
                tasks.unassign(task, max(clock.now(), task.updated_at))
        return True

    # Read first: if the person comes back and leaves once more meanwhile, that is due by itself and stays so.
    due = dues.find(room_id, user_id)
    if rooms.is_live(room_id) and not retry_on_conflict(attempt):
        return False
    if due is not None:
        dues.done(due)
    return True

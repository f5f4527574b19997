"""Tasks from before lists had those without an assignee, and from before whoever left a room was unassigned.

The former get the sort keys that the list goes by; nobody sees that change. The latter are unassigned as the function
behind the stream does it now: a new version of the task, which the room's audit trail tells of as the service's own.
Begun anew, this heals what was lost with records of the stream.
"""

from tasksync.dynamodb.migrations.m0002_task_sort_keys import TaskSortKeys
from tasksync.dynamodb.migrations.scanning import Raw
from tasksync.dynamodb.rooms.repository import members_among
from tasksync.dynamodb.tasks.mapper import TASK
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model.entities import Task
from tasksync.model.errors import WriteConflict
from tasksync.model.ids import is_room_id
from tasksync.runtime import clock

_ATTEMPTS = 10


class Assignments:
    id = "0003-assignments"
    description = "tasks without an assignee are listed, and nobody has tasks of a room they left"

    def __init__(self) -> None:
        self._sort_keys = TaskSortKeys()
        self._tasks = TasksRepository()

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        return self._sort_keys.page(segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        changed = self._sort_keys.change(item)
        task: Task | None = TASK.read(item)
        for _ in range(_ATTEMPTS):
            if task is None or not _is_left_over(task):
                return changed
            try:
                self._tasks.unassign(task, max(clock.now(), task.updated_at))
            except WriteConflict:
                task, _members = self._tasks.find_with_members(task.id, [task.owner_id])
            else:
                return True
        raise WriteConflict


def _is_left_over(task: Task) -> bool:
    """Whether the task is assigned to somebody by a membership that is over. The membership is read after the task."""
    if task.assignee_id is None or not is_room_id(task.owner_id):
        return False
    return not task.is_assigned_by(members_among(task.owner_id, [task.assignee_id]).get(task.assignee_id))

"""Unassigns whoever has left a room from its tasks, as the function behind the stream does it now.

That is a new version of the task, which the room's audit trail tells of as the service's own. Started again, this
heals what was lost with records of the stream.
"""

from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.rooms.memberships import members_among
from tasksync.dynamodb.tasks.mapper import TASK
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model import times
from tasksync.model.entities import MOST_ASSIGNEES, Task
from tasksync.model.errors import WriteConflict
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

_ATTEMPTS = MOST_ASSIGNEES + 10


class Assignments:
    id = "0009-assignments"
    description = "nobody has tasks of a room they left"

    def __init__(self) -> None:
        self._tasks = TasksRepository()

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.tasks_table, segment, segments, after, limit)
        # Of live tasks: what is in the trash is assigned to nobody.
        return [item for item in items if "by_status" in item and "assignees" in item], position

    def change(self, item: Raw) -> bool:
        task: Task | None = TASK.read(item)
        changed = False
        for _ in range(_ATTEMPTS):
            left = None if task is None else _former_assignee(task)
            if task is None or left is None:
                return changed
            try:
                self._tasks.unassign(task, left, max(times.now(), task.updated_at))
                changed = True
            except WriteConflict:
                pass
            task, _members = self._tasks.find_with_members(task.id, [])
        raise WriteConflict


def _former_assignee(task: Task) -> str | None:
    """An assignee by a membership that is over. The memberships are read after the task."""
    if not is_room_id(task.owner_id):
        return None
    members = members_among(task.owner_id, task.assignee_ids)
    return next((each for each in task.assignee_ids if not task.is_assigned_by(members.get(each))), None)

"""The tasks table: the tasks of a room are one partition, and so are the personal tasks of one person.

Each list is a range, or some ranges, of an index whose sort key begins with what the list is asked for and goes on with
what it is sorted by (``query_plan.py``). A room's lists use local indexes, which are read consistently. A
person's lists use global ones, which may be some milliseconds behind.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from msgspec.structs import replace
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel, batch_get
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.dynamodb.rooms.repository import members_of, membership_key
from tasksync.model.entities import Membership, Priority, Task, TaskStatus
from tasksync.model.errors import WriteConflict
from tasksync.model.ids import is_room_id, owner_of, time_ordered_part
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.settings import settings

# Sorts behind every deadline: digits come before letters.
NO_DEADLINE = "none"
# Stands where a person's id does in the sort keys of tasks without an assignee.
NOBODY = "none"
RANKS = {Priority.LOW: "1", Priority.MEDIUM: "2", Priority.HIGH: "3"}
_STATUSES = {TaskStatus.PENDING: "1", TaskStatus.IN_PROGRESS: "2", TaskStatus.COMPLETED: "3"}

# A look-up costs a fifth of calling the class, and a list has a hundred of them.
_STATUS_OF = {each.value: each for each in TaskStatus}
_PRIORITY_OF = {each.value: each for each in Priority}


class _RoomByDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _RoomByStatus(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_status"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status = UnicodeAttribute(range_key=True)


class _RoomByStatusDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_status_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_status_deadline = UnicodeAttribute(range_key=True)


class _RoomByPerson(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_person"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_person = UnicodeAttribute(range_key=True)


class _RoomByPersonDeadline(LocalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "room_by_person_deadline"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_person_deadline = UnicodeAttribute(range_key=True)


class _ByAssignee(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class _ByAssigneeDeadline(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_deadline"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_deadline = UnicodeAttribute(range_key=True)


class _ByAssigneeStatus(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_status"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_status = UnicodeAttribute(range_key=True)


class _ByAssigneeStatusDeadline(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_assignee_status_deadline"
        projection = AllProjection()

    assignee_id = UnicodeAttribute(hash_key=True)
    by_status_deadline = UnicodeAttribute(range_key=True)


class _ByCreator(GlobalSecondaryIndex["TaskItem"]):
    class Meta:
        index_name = "by_creator"
        projection = KeysOnlyProjection()

    created_by = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class TaskItem(SharedModel):
    class Meta:
        table_name = settings.tasks_table

    owner_id = UnicodeAttribute(hash_key=True)
    task_id = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute()
    by_deadline = UnicodeAttribute()
    by_status = UnicodeAttribute()
    by_status_deadline = UnicodeAttribute()
    by_person = UnicodeAttribute(null=True)
    """Absent on tasks without an assignee from before these were listed, as is the next."""
    by_person_deadline = UnicodeAttribute(null=True)
    assignee_id = UnicodeAttribute(null=True)
    """In whose list the task is. Absent: in nobody's."""
    join_id = UnicodeAttribute(null=True)
    """Of the assignee's membership: ``Task.join_id``."""
    title = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    priority = UnicodeAttribute()
    deadline = UnicodeAttribute(null=True)
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_by = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    completed_at = UnicodeAttribute(null=True)
    version = NumberAttribute()
    stamp = UnicodeAttribute(null=True)
    """Of the latest change: ``tasksync.model.change_context``."""

    room_by_deadline = _RoomByDeadline()
    room_by_status = _RoomByStatus()
    room_by_status_deadline = _RoomByStatusDeadline()
    room_by_person = _RoomByPerson()
    room_by_person_deadline = _RoomByPersonDeadline()
    by_assignee = _ByAssignee()
    by_assignee_deadline = _ByAssigneeDeadline()
    by_assignee_status = _ByAssigneeStatus()
    by_assignee_status_deadline = _ByAssigneeStatusDeadline()
    by_creator = _ByCreator()

    def entity(self) -> Task:
        values = self.attribute_values
        deadline, completed_at = values.get("deadline"), values.get("completed_at")
        return Task(
            id=values["task_id"],
            owner_id=values["owner_id"],
            assignee_id=values.get("assignee_id"),
            title=values["title"],
            description=values.get("description"),
            status=_STATUS_OF[values["status"]],
            priority=_PRIORITY_OF[values["priority"]],
            deadline=clock.parse(deadline) if deadline else None,
            created_by=values["created_by"],
            created_at=clock.parse(values["created_at"]),
            updated_by=values["updated_by"],
            updated_at=clock.parse(values["updated_at"]),
            completed_at=clock.parse(completed_at) if completed_at else None,
            version=int(values["version"]),
            join_id=values.get("join_id"),
        )


class TasksRepository:
    """Tasks of rooms, and personal ones."""

    def find_with_members(self, task_id: str, user_ids: Collection[str]) -> tuple[Task | None, dict[str, Membership]]:
        """The task, and the memberships in its room of those of these users that have one, in one round trip.

        Each is read consistently. There are no memberships for a personal task.
        """
        owner_id = str(owner_of(task_id))
        task_key = {"owner_id": {"S": owner_id}, "task_id": {"S": task_id}}
        requests = {settings.tasks_table: {"Keys": [task_key], "ConsistentRead": True}}
        if is_room_id(owner_id):
            keys = [membership_key(owner_id, user_id) for user_id in user_ids]
            requests[settings.rooms_table] = {"Keys": keys, "ConsistentRead": True}
        found = batch_get(requests)
        tasks = [TaskItem.from_raw_data(raw).entity() for raw in found[settings.tasks_table]]
        return next(iter(tasks), None), members_of(found.get(settings.rooms_table, []))

    def unassign(self, task: Task, at: datetime) -> None:
        """The assignee has left the room, or is gone. Raises ``WriteConflict`` if the task has changed since it was
        read.
        """
        after = replace(task, assignee_id=None, join_id=None, updated_at=at)
        transaction = Transaction()
        transaction.update(TaskItem(task.owner_id, task.id), changes(task, after), same_task(task), WriteConflict)
        transaction.commit()

    def assigned_in(self, room_id: str, user_id: str) -> Iterator[list[Task]]:
        """A person's tasks in a room, page by page, read consistently."""
        pages = TaskItem.room_by_person.query(
            room_id, TaskItem.by_person.startswith(f"{user_id}#"), consistent_read=True, page_size=100
        ).page_iter
        for page in pages:
            yield [TaskItem.from_raw_data(raw).entity() for raw in page["Items"]]

    def assigned_to(self, user_id: str) -> Iterator[Task]:
        """All tasks of a person's list, from the index."""
        return (item.entity() for item in TaskItem.by_assignee.query(user_id))

    def purge(self, owner_id: str, keep_going: Callable[[], bool]) -> bool:
        """Delete all tasks of a room or person, 25 at a time. False if ``keep_going`` said no before the end."""
        while keep_going():
            keys = ["owner_id", "task_id"]
            found = list(TaskItem.query(owner_id, consistent_read=True, limit=25, attributes_to_get=keys))
            if not found:
                return True
            with TaskItem.batch_write() as batch:
                for item in found:
                    batch.delete(item)
        return False


def same_task(task: Task) -> Condition:
    return TaskItem.version == task.version


def task_item(task: Task) -> TaskItem:
    item = TaskItem(task.owner_id, task.id, created_by=task.created_by, version=task.version)
    for name, value in _attributes(task).items():
        setattr(item, name, value)
    return item


def class_of(status: TaskStatus, priority: Priority) -> str:
    """What sort keys begin with that part tasks by their status and priority."""
    return _STATUSES[status] + RANKS[priority]


def sort_keys(task: Task) -> dict[str, str]:
    """The sort keys of all lists that the task is in: what is asked of a list first, then what it is sorted by."""
    deadline = NO_DEADLINE if task.deadline is None else clock.sortable(task.deadline)
    created = time_ordered_part(task.id)
    status = class_of(task.status, task.priority)
    person = task.assignee_id or NOBODY
    return {
        "by_created": created,
        "by_deadline": f"{deadline}#{created}",
        "by_status": f"{status}#{created}",
        "by_status_deadline": f"{status}#{deadline}#{created}",
        "by_person": f"{person}#{status}#{created}",
        "by_person_deadline": f"{person}#{status}#{deadline}#{created}",
    }


def _attributes(task: Task) -> dict[str, str | None]:
    """Everything that can change, and what is derived from it."""
    return {
        **sort_keys(task),
        "assignee_id": task.assignee_id,
        "join_id": task.join_id,
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "priority": task.priority.value,
        "deadline": None if task.deadline is None else clock.sortable(task.deadline),
        "created_at": clock.timestamp(task.created_at),
        "updated_by": task.updated_by,
        "updated_at": clock.timestamp(task.updated_at),
        "completed_at": None if task.completed_at is None else clock.timestamp(task.completed_at),
    }


def changes(before: Task, after: Task) -> list[Action]:
    old, new = _attributes(before), _attributes(after)
    actions: list[Action] = [TaskItem.version.add(1), TaskItem.stamp.set(unit_of_work.change_context())]
    for name, value in new.items():
        attribute = getattr(TaskItem, name)
        if value != old[name]:
            actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions

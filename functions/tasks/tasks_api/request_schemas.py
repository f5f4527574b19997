"""Request schemas of tasks."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change
from tasksync.http.schemas.fields import Deadline, Description, Id, Paging, Title, UserId
from tasksync.model.entities import Draft, Priority, Task, TaskStatus
from tasksync.model.errors import BadQuery, FieldError
from tasksync.model.ids import is_user_id
from tasksync.model.queries import Order, TaskFilter

_SORT = (
    "The order of the list; `-` in front means descending. The default is `deadline` if the request "
    "has a range of deadlines, and `created_at` otherwise."
)


_ASSIGNEE_DESCRIPTION = (
    "The id of a user, `me`, or `none` for tasks without an assignee. A list without `room_id` has "
    "only the caller's tasks: with `none` or another user, it is empty."
)
_NOBODY = "none"

_STATUS = Meta(description="The state of the task.")
_PRIORITY = Meta(description="The importance of the task.")
_DEADLINE = Meta(
    description=(
        "When the task is due: a time (RFC 3339, with any offset; fractions of a millisecond are cut off), or "
        "a date, which means the whole day in UTC. It is returned in the form that was given."
    )
)


class TaskSort(StrEnum):
    """The order of a list of tasks."""

    CREATED_AT = "created_at"
    """Oldest first."""
    CREATED_AT_DESCENDING = "-created_at"
    """Newest first."""
    DEADLINE = "deadline"
    """The next deadline first; tasks without one last."""
    DEADLINE_DESCENDING = "-deadline"
    """The latest deadline first; tasks without one last."""
    PRIORITY = "priority"
    """The lowest priority first."""
    PRIORITY_DESCENDING = "-priority"
    """The highest priority first."""


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """A new task. Only its title is required."""

    title: Title
    description: Description | None = None
    status: Annotated[TaskStatus, _STATUS] = TaskStatus.PENDING
    priority: Annotated[Priority, _PRIORITY] = Priority.MEDIUM
    deadline: Annotated[Deadline | None, _DEADLINE] = None
    room_id: Annotated[
        Id | None,
        Meta(description="The room of the task. Without it, the task is a personal one of the caller."),
    ] = None
    user_id: Annotated[
        UserId | UnsetType | None,
        Meta(
            description=(
                "The assignee: a member of the room, or `me`. The default is the caller; `null`: "
                "nobody. A personal task is always assigned to the caller."
            )
        ),
    ] = UNSET

    def draft(self, caller_id: str) -> Draft:
        fields = {name: getattr(self, name) for name in Draft.__struct_fields__ if name != "assignee_id"}
        return Draft(**fields, assignee_id=caller_id if isinstance(self.user_id, UnsetType) else self.user_id)


class TaskChange(Change, frozen=True, kw_only=True):
    """A change of a task. An absent field stays unchanged; `null` clears a field, where that is allowed."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    status: Annotated[TaskStatus | UnsetType, _STATUS] = UNSET
    priority: Annotated[Priority | UnsetType, _PRIORITY] = UNSET
    deadline: Annotated[Deadline | UnsetType | None, _DEADLINE] = UNSET
    user_id: Annotated[
        UserId | UnsetType | None,
        Meta(description="The assignee: a member of the room, or `me`; `null`: nobody."),
    ] = UNSET

    @property
    def named_id(self) -> str | None:
        """The assignee that the change names, if any."""
        return self.user_id if isinstance(self.user_id, str) else None

    def applied(self, task: Task) -> Task:
        given = self.given(task)
        if "user_id" in given:
            given["assignee_id"] = given.pop("user_id")
        return msgspec.structs.replace(task, **given)


class RoomTaskQuery(Paging, frozen=True, kw_only=True):
    """Of one room's list."""

    user_id: Annotated[UserId | None, Meta(description=_ASSIGNEE_DESCRIPTION)] = None
    status: Annotated[
        tuple[TaskStatus, ...], Meta(description="Tasks with this status. Repeat the parameter for several values.")
    ] = ()
    priority: Annotated[
        tuple[Priority, ...], Meta(description="Tasks with this priority. Repeat the parameter for several values.")
    ] = ()
    deadline_from: Annotated[
        Deadline | None,
        Meta(
            description=(
                "Tasks whose deadline is this time (RFC 3339, with any offset) or later, or the beginning of this date "
                "(in UTC) or later. A deadline that is a date counts as the end of its day."
            )
        ),
    ] = None
    deadline_to: Annotated[
        Deadline | None,
        Meta(
            description=(
                "Tasks whose deadline is this time (RFC 3339, with any offset) or earlier, or the end of this date (in "
                "UTC) or earlier. A deadline that is a date counts as the end of its day."
            )
        ),
    ] = None
    sort: Annotated[TaskSort | None, Meta(description=_SORT)] = None

    def filter(self) -> TaskFilter:
        due = self.deadline_from is not None or self.deadline_to is not None
        sort = self.sort or (TaskSort.DEADLINE if due else TaskSort.CREATED_AT)
        return TaskFilter(
            assignee_id=_person(self.user_id),
            unassigned=self.user_id == _NOBODY,
            statuses=frozenset(self.status),
            priorities=frozenset(self.priority),
            deadline_from=self.deadline_from,
            deadline_to=self.deadline_to,
            order=Order(sort.value.removeprefix("-")),
            descending=sort.value.startswith("-"),
        )


class TaskQuery(RoomTaskQuery, frozen=True, kw_only=True):
    """Of the caller's list, or with ``room_id`` of that room's."""

    room_id: Annotated[
        Id | None,
        Meta(description="All tasks of this room, as `GET /rooms/{room_id}/tasks` lists them."),
    ] = None


def _person(given: str | None) -> str | None:
    if given in (None, _NOBODY):
        return None
    if not is_user_id(given):
        raise BadQuery(
            [FieldError("/user_id", "not_allowed", "Must be one of: the id of a user, me, none (assigned to nobody).")]
        )
    return given

"""Request schemas of tasks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasksync.http.schemas.binding import Change, Checked
from tasksync.http.schemas.fields import Deadline, Description, Id, Paging, Title, UserId
from tasksync.model.entities import MOST_ASSIGNEES, Draft, Priority, Task, TaskStatus
from tasksync.model.errors import BadQuery, FieldError, Invalid
from tasksync.model.queries import Order, TaskFilter
from tasksync.model.times import is_user_id

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


_Assignees = Annotated[
    tuple[UserId, ...],
    Meta(
        max_length=MOST_ASSIGNEES,
        description=(
            "Who is to do it: at most 10 members of the room, or `me`; an id that is repeated counts once. A personal "
            "task is the caller's."
        ),
    ),
]


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
    RANK = "rank"
    """The manual order of each status, one status after the other. No other filter than `status` goes with it. Without
    `room_id`, it has the caller's personal tasks alone."""
    RANK_DESCENDING = "-rank"
    """The manual order backwards."""


class NewTask(Checked, frozen=True, kw_only=True):
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
    assignee_ids: _Assignees | UnsetType = UNSET
    user_id: Annotated[
        UserId | UnsetType | None,
        Meta(
            description=(
                "`assignee_ids` for one person: a member of the room, or `me`; `null`: nobody yet. Without the two, "
                "it is the caller. With both, it is the first of them."
            )
        ),
    ] = UNSET

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:  # of Checked
        both = "assignee_ids" in values and "user_id" in values
        return [_DIFFERENT] if both and values["user_id"] != _first(values["assignee_ids"]) else []

    def draft(self, caller_id: str) -> Draft:
        fields = {name: getattr(self, name) for name in Draft.__struct_fields__ if name != "assignee_ids"}
        if not isinstance(self.assignee_ids, UnsetType):
            return Draft(**fields, assignee_ids=_unlike(self.assignee_ids))
        return Draft(**fields, assignee_ids=_only(caller_id if isinstance(self.user_id, UnsetType) else self.user_id))


class TaskChange(Change, frozen=True, kw_only=True):
    """A change of a task. An absent field stays unchanged; `null` clears a field, where that is allowed."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    status: Annotated[TaskStatus | UnsetType, _STATUS] = UNSET
    priority: Annotated[Priority | UnsetType, _PRIORITY] = UNSET
    deadline: Annotated[Deadline | UnsetType | None, _DEADLINE] = UNSET
    assignee_ids: _Assignees | UnsetType = UNSET
    user_id: Annotated[
        UserId | UnsetType | None,
        Meta(
            description=(
                "`assignee_ids` for one person: a member of the room, or `me`; `null`: nobody. Of the two, the one "
                "that differs from the task counts."
            )
        ),
    ] = UNSET

    LISTED: ClassVar[frozenset[str]] = frozenset({"description_excerpt"})

    @property
    def named_ids(self) -> tuple[str, ...]:
        """The assignees that the change names."""
        named = () if isinstance(self.user_id, UnsetType) else _only(self.user_id)
        return _unlike((*named, *(() if isinstance(self.assignee_ids, UnsetType) else self.assignee_ids)))

    def applied(self, task: Task) -> tuple[Task, tuple[str, ...] | None]:
        """The task with this change, and the ids of those it is to be assigned to; None: as it is."""
        given = self.given(task)
        given.pop("assignee_ids", None)
        given.pop("user_id", None)
        return msgspec.structs.replace(task, **given), self._assignees(task)

    def _assignees(self, task: Task) -> tuple[str, ...] | None:
        if isinstance(self.assignee_ids, UnsetType):
            return None if isinstance(self.user_id, UnsetType) else _only(self.user_id)
        wanted = _unlike(self.assignee_ids)
        if isinstance(self.user_id, UnsetType) or self.user_id in (_first(wanted), task.user_id):
            return wanted
        if wanted != task.assignee_ids:
            raise Invalid([_DIFFERENT])
        return _only(self.user_id)


_DIFFERENT = FieldError(
    "/user_id",
    "assignees_differ",
    "Must be the first of assignee_ids, or null where that is empty. Send one of the two.",
)


def _only(user_id: str | None) -> tuple[str, ...]:
    return () if user_id is None else (user_id,)


def _first(user_ids: tuple[str, ...]) -> str | None:
    return user_ids[0] if user_ids else None


def _unlike(user_ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(user_ids))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task is put in the manual order."""

    after: Annotated[
        Id | None, Meta(description="The task that it is put behind; `null`: it is put before all others.")
    ]
    status: Annotated[
        TaskStatus | None, Meta(description="The status among whose tasks it is put. Without it, the task's own.")
    ] = None


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
        ranked = self.sort in (TaskSort.RANK, TaskSort.RANK_DESCENDING)
        if ranked and (due or self.priority or self.user_id is not None):
            raise BadQuery([FieldError("/sort", "not_allowed", "The manual order has no other filter than status.")])
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

"""Routes of tasks."""

from datetime import timedelta
from functools import partial

from msgspec import UNSET

from tasks_api.request_schemas import Move, NewTask, RoomTaskQuery, TaskChange, TaskQuery
from tasksync.domain.manual_order import ManualOrder
from tasksync.domain.tasks import TaskService
from tasksync.domain.trash import TrashService, require_own
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.memberships import MembershipsRepository
from tasksync.dynamodb.tasks.changes import TaskChanges
from tasksync.http import responses
from tasksync.http.app import Api
from tasksync.http.pagination.lists import listing
from tasksync.http.pipeline import Idempotency, RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, no_content
from tasksync.http.schemas.fields import EmptyBody, Paging
from tasksync.http.schemas.responses import Listing, Task, TaskInList, TrashedTask
from tasksync.model import entities
from tasksync.model.entities import Page
from tasksync.model.errors import (
    AssigneeNotMember,
    NotFound,
    NotInColumn,
    PreconditionFailed,
    RankTooLong,
    RoleTooLow,
    RoomNotFound,
    RoomStorageFull,
)
from tasksync.runtime.settings import settings

api = Api(
    "tasks",
    Idempotency(IdempotencyRepository()),
    RateLimits(RateLimitsRepository(), settings),
    is_open=lambda: settings.tasks_open,
)
app = api.chalice

_tasks = TaskService(TaskChanges(), MembershipsRepository())
_order = ManualOrder(TaskChanges())
_trash = TrashService(TaskChanges(), MembershipsRepository(), lambda: timedelta(days=settings.trash_days))

_CHANGE_ERRORS = (RoleTooLow, AssigneeNotMember, PreconditionFailed, RoomStorageFull)


@api.route(
    "POST",
    "/tasks",
    body=NewTask,
    status=201,
    response=Task,
    raises=(NotFound, RoleTooLow, AssigneeNotMember, RoomStorageFull),
)
def create_task(request: Request, body: NewTask) -> Response:
    """Create a task, in a room or a personal one. Viewers of a room cannot create tasks there."""
    draft = body.draft(request.caller.user_id)
    try:
        return request.carry_out(partial(_tasks.create, request.caller, body.room_id, draft), responses.with_new_task)
    except AssigneeNotMember as error:
        raise _of_field(error, body) from None


@api.route("GET", "/tasks", query=TaskQuery, response=Listing[TaskInList], raises=(NotFound,))
def list_tasks(request: Request, query: TaskQuery) -> Response:
    """List the caller's tasks: personal ones, and those assigned to them in any room.

    A task assigned a moment ago may be missing: the index that finds tasks across rooms is some milliseconds behind.
    With `room_id`, this is the list of that room.
    """
    caller, wanted, room_id = request.caller, query.filter(), query.room_id

    def read(limit: int, after: str | None) -> Page[entities.Task]:
        if room_id is not None:
            try:
                return _tasks.list_of_room(caller, room_id, wanted, limit, after)
            except RoomNotFound:
                raise RoomNotFound("/room_id") from None
        return _tasks.list_of_caller(caller, wanted, limit, after)

    return listing(request, query, read, responses.task_in_list)


@api.route("GET", "/rooms/{room_id}/tasks", query=RoomTaskQuery, response=Listing[TaskInList])
def list_tasks_of_room(request: Request, room_id: str, query: RoomTaskQuery) -> Response:
    """List the tasks of a room.

    The list is read consistently. With `status`, `priority`, `user_id` or sorted by priority, a task whose status or
    priority changes at that moment may be missing from one response.
    """
    caller, wanted = request.caller, query.filter()
    return listing(
        request,
        query,
        lambda limit, after: _tasks.list_of_room(caller, room_id, wanted, limit, after),
        responses.task_in_list,
    )


@api.route("GET", "/tasks/{task_id}", response=Task)
def get_task(request: Request, task_id: str) -> Response:
    """Get a task.

    For all members of its room; a personal task only for its owner.
    """
    return request.unless_known(responses.with_task(_tasks.get(request.caller, task_id)))


@api.route("PUT", "/tasks/{task_id}", body=TaskChange, response=Task, raises=_CHANGE_ERRORS)
@api.route("PATCH", "/tasks/{task_id}", body=TaskChange, response=Task, raises=_CHANGE_ERRORS)
def change_task(request: Request, task_id: str, body: TaskChange) -> Response:
    """Change a task. A viewer of its room may change only the `status` of tasks that are assigned to them."""

    def applied(task: entities.Task) -> tuple[entities.Task, tuple[str, ...] | None]:
        return request.merged(responses.task(task), lambda: body.applied(task))

    change = partial(_tasks.change, request.caller, task_id, applied, request.matches, body.named_ids)
    try:
        return request.carry_out(change, responses.with_task, checked=True)
    except AssigneeNotMember as error:
        raise _of_field(error, body) from None


def _of_field(error: AssigneeNotMember, body: NewTask | TaskChange) -> AssigneeNotMember:
    """The error, which names the field that the client sent."""
    return error if body.assignee_ids is UNSET else type(error)("/assignee_ids")


@api.route(
    "POST",
    "/tasks/{task_id}/move",
    body=Move,
    response=Task,
    raises=(RoleTooLow, PreconditionFailed, NotInColumn, RankTooLong, RoomStorageFull),
)
def move_task(request: Request, task_id: str, body: Move) -> Response:
    """Move a task in the manual order of its status, or to another status.

    For admins and members of its room; a personal task only for its owner. `sort=rank` lists tasks in this order. A new
    task is the last. Tasks that were moved to one place at the same time come in the order of their creation. A task
    that is put behind one of them comes behind all of them.
    """
    return request.carry_out(
        lambda: _order.move(request.caller, task_id, body.after, body.status, request.matches),
        responses.with_task,
        checked=True,
    )


@api.route("DELETE", "/tasks/{task_id}", raises=(RoleTooLow, PreconditionFailed))
def delete_task(request: Request, task_id: str) -> Response:
    """Delete a task.

    For admins and members of its room; a personal task only for its owner. It moves to the trash of the room or the
    person, and can be restored for 30 days, or as long as the operator has set.
    """
    return request.carry_out(
        lambda: _tasks.trash(request.caller, task_id, request.matches),
        lambda _: no_content(),
        checked=True,
    )


@api.route(
    "POST",
    "/tasks/{task_id}/restore",
    body=EmptyBody,
    response=Task,
    raises=(RoleTooLow, PreconditionFailed, RoomStorageFull),
)
def restore_task(request: Request, task_id: str, body: EmptyBody) -> Response:  # it has no fields
    """Restore a task from the trash.

    For admins and members of its room; a personal task only for its owner. Assignees who left the room since the task
    was deleted are not assigned again.
    """
    return request.carry_out(
        lambda: _trash.restore(request.caller, task_id, request.matches),
        responses.with_task,
        checked=True,
    )


@api.route("GET", "/rooms/{room_id}/trash", query=Paging, response=Listing[TrashedTask])
def list_trash_of_room(request: Request, room_id: str, query: Paging) -> Response:
    """List the deleted tasks of a room, the latest first.

    For all members of the room. A task is listed until it is deleted for good: see `expires_at`.
    """
    return listing(
        request, query, lambda limit, after: _trash.list_of_room(request.caller, room_id, limit, after), _trashed
    )


@api.route("GET", "/users/{user_id}/trash", query=Paging, response=Listing[TrashedTask])
def list_trash_of_user(request: Request, user_id: str, query: Paging) -> Response:
    """List the caller's own deleted personal tasks, the latest first.

    `user_id` is `me`, or the caller's id. A task is listed until it is deleted for good: see `expires_at`.
    """
    require_own(request.caller, user_id)
    return listing(request, query, lambda limit, after: _trash.list_of_caller(request.caller, limit, after), _trashed)


@api.route("DELETE", "/rooms/{room_id}/trash/{task_id}", raises=(RoleTooLow, PreconditionFailed))
def purge_task_of_room(request: Request, room_id: str, task_id: str) -> Response:
    """Delete a task from the trash of a room for good. For admins and members of the room."""
    return _purge(request, room_id, task_id)


@api.route("DELETE", "/users/{user_id}/trash/{task_id}", raises=(PreconditionFailed,))
def purge_task_of_user(request: Request, user_id: str, task_id: str) -> Response:
    """Delete a personal task from the caller's own trash for good. `user_id` is `me`, or the caller's id."""
    require_own(request.caller, user_id)
    return _purge(request, user_id, task_id)


def _purge(request: Request, owner_id: str, task_id: str) -> Response:
    return request.carry_out(
        lambda: _trash.delete(request.caller, owner_id, task_id, request.matches),
        lambda _: no_content(),
        checked=True,
    )


def _trashed(task: entities.Task) -> TrashedTask:
    return responses.trashed_task(task, _trash.expires_at(task))

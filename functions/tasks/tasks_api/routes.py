"""Routes of tasks."""

from collections.abc import Callable

from msgspec import UNSET

from tasks_api.request_schemas import NewTask, RoomTaskQuery, TaskChange, TaskQuery
from tasksync.domain.tasks import TaskService
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.dynamodb.tasks.changes import TaskChanges
from tasksync.http import rendering
from tasksync.http.app import Api
from tasksync.http.middleware.idempotency import Idempotency
from tasksync.http.middleware.rate_limits import RateLimits
from tasksync.http.middleware.tasks_open import require_open_tasks
from tasksync.http.pagination.lists import listing
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, not_modified, ok
from tasksync.http.schemas.responses import Listing, Task, TaskInList
from tasksync.model import entities
from tasksync.model.entities import Page
from tasksync.model.errors import (
    AssigneeNotMember,
    NotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomNotFound,
    RoomStorageFull,
)

api = Api("tasks", Idempotency(IdempotencyRepository()), RateLimits(RateLimitsRepository()), require_open_tasks)
app = api.chalice

_tasks = TaskService(TaskChanges(), RoomsRepository())

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
    return request.carry_out(
        lambda: _assigning(body, lambda: _tasks.create(request.caller, body.room_id, draft)),
        lambda task: created(rendering.task(task), f"/tasks/{task.id}", task.version),
    )


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

    return listing(request, query, read, rendering.task_in_list)


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
        rendering.task_in_list,
    )


@api.route("GET", "/tasks/{task_id}", response=Task)
def get_task(request: Request, task_id: str) -> Response:
    """Get a task.

    For all members of its room; a personal task only for its owner.
    """
    task = _tasks.get(request.caller, task_id)
    if request.unchanged(task.version):
        return not_modified(task.version)
    return ok(rendering.task(task), task.version)


@api.route("PUT", "/tasks/{task_id}", body=TaskChange, response=Task, raises=_CHANGE_ERRORS)
@api.route("PATCH", "/tasks/{task_id}", body=TaskChange, response=Task, raises=_CHANGE_ERRORS)
def change_task(request: Request, task_id: str, body: TaskChange) -> Response:
    """Change a task. A viewer of its room may change only the `status` of tasks that are assigned to them."""

    def applied(task: entities.Task) -> tuple[entities.Task, tuple[str, ...] | None]:
        return request.merged(rendering.task(task), lambda: body.applied(task))

    return request.carry_out(
        lambda: _assigning(
            body, lambda: _tasks.change(request.caller, task_id, applied, request.matches, body.named_ids)
        ),
        lambda task: ok(rendering.task(task), task.version),
        checked=True,
    )


def _assigning(body: NewTask | TaskChange, effect: Callable[[], entities.Task]) -> entities.Task:
    """Carry out ``effect``. An error about an assignee names the field that the client sent."""
    try:
        return effect()
    except AssigneeNotMember as error:
        if body.assignee_ids is UNSET:
            raise
        raise type(error)("/assignee_ids") from None


@api.route("DELETE", "/tasks/{task_id}", raises=(RoleTooLow, PreconditionFailed))
def delete_task(request: Request, task_id: str) -> Response:
    """Delete a task.

    For admins and members of its room; a personal task only for its owner. It cannot be restored.
    """
    return request.carry_out(
        lambda: _tasks.delete(request.caller, task_id, request.precondition),
        lambda _: no_content(),
        checked=True,
    )

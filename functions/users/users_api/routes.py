"""Routes of users."""

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET

from tasksync.domain.change_log.activity import OwnActivityService
from tasksync.domain.rate_limits import REGISTRATION
from tasksync.domain.removal import UserRemoval
from tasksync.domain.tasks import TaskService
from tasksync.domain.trash import TrashService
from tasksync.domain.users.accounts import register
from tasksync.domain.users.export import ExportService
from tasksync.domain.users.users import UserService
from tasksync.dynamodb.change_log.repository import ChangeLogRepository
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.former_members import FormerMembersRepository
from tasksync.dynamodb.rooms.queries import RoomReads
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.dynamodb.tasks.changes import TaskChanges
from tasksync.dynamodb.tasks.queries import TaskReads
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.dynamodb.users.changes import UserChanges
from tasksync.http import responses
from tasksync.http.app import Api
from tasksync.http.pagination.lists import Part, chained, listing, position
from tasksync.http.pipeline import Idempotency, RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, ok, uncompressed
from tasksync.http.schemas.fields import CursorQuery, Paging
from tasksync.http.schemas.registration import Registration
from tasksync.http.schemas.responses import Activity, Listing, TrashedTask, User, VisibleUser
from tasksync.http.security_log import note, noting_refusals
from tasksync.model import entities
from tasksync.model.entities import UserRole
from tasksync.model.errors import (
    EmailTaken,
    FieldError,
    Invalid,
    PreconditionFailed,
    ReauthenticationRequired,
    RoleTooLow,
    TasksClosed,
    TaskSyncError,
    UsernameTaken,
)
from tasksync.observability.logs import log
from tasksync.runtime import deadline
from tasksync.runtime.settings import settings
from tasksync.security import passwords
from users_api.request_schemas import UserChange, changed_fields
from users_api.response_schemas import Export

api = Api("users", Idempotency(IdempotencyRepository()), RateLimits(RateLimitsRepository(), settings))
app = api.chalice

_people = UserChanges()
_rooms = RoomReads()
_users = UserService(_people, _rooms, gather_pair, lambda: timedelta(seconds=settings.recent_sign_in_seconds))
_former_members = FormerMembersRepository()
_removal = UserRemoval(_people, _rooms, _former_members, TasksRepository(), SessionsRepository())
_trash = TrashService(TaskChanges(), _rooms, lambda: timedelta(days=settings.trash_days))
_exports = ExportService(
    _users,
    _rooms,
    _former_members,
    SessionsRepository(),
    TaskService(TaskChanges(), _rooms),
    TaskReads(),
    _trash,
    ChangeLogRepository(),
)
_activity = OwnActivityService(_users, ChangeLogRepository())

_CHANGE_ERRORS = (RoleTooLow, UsernameTaken, EmailTaken, PreconditionFailed, ReauthenticationRequired)


@api.route(
    "POST",
    "/users",
    body=Registration,
    status=201,
    response=User,
    raises=(UsernameTaken, EmailTaken),
    limits=(REGISTRATION,),
)
def create_user(request: Request, body: Registration) -> Response:
    """Register, without signing in.

    The body is that of `POST /auth/register`; the response is the user alone.
    """
    with noting_refusals(request, "registration_failed"):
        user = register(body.username, body.email, body.password, passwords, _people.create)
    note(request, "registered", user.id)
    return created(responses.profile(user), f"/users/{user.id}", user.version)


@api.route("GET", "/users", query=Paging, response=Listing[VisibleUser])
def list_users(request: Request, query: Paging) -> Response:
    """List the users who share a room with the caller. An admin of the installation sees all users.

    Users of a room that the caller joined a moment ago may be missing: the index that finds rooms by their members is
    some milliseconds behind.
    """
    caller = request.caller
    return uncompressed(
        listing(
            request,
            query,
            lambda limit, after: _users.list(caller, limit, after),
            lambda user: responses.user(user, caller),
        )
    )


@api.route("GET", "/users/{user_id}", response=VisibleUser)
def get_user(request: Request, user_id: str) -> Response:
    """Get a user.

    A user who has shared a room with the caller only for a moment may not be found yet: the index that finds rooms by
    their members is some milliseconds behind.
    """
    shown = responses.user(_users.get(request.caller, user_id), request.caller)
    if "version" in shown:
        return request.unless_known(ok(shown, shown["version"]))
    # The tag must not show how often hidden fields change.
    tag = responses.etag(responses.digest(msgspec.json.encode(shown)))
    return request.unless_known(Response(200, shown, {"ETag": tag}))


@api.route("GET", "/users/{user_id}/export", query=CursorQuery, response=Export, raises=(RoleTooLow,))
def export_user(request: Request, user_id: str, query: CursorQuery) -> Response:
    """Export all stored data of the caller.

    It has the profile, the sessions, the caller's rooms, tasks (personal ones and, in these rooms, those assigned to or
    created by the caller) and activity, with the values before and after each change. It does not have passwords and
    tokens, which are stored as digests only; request counters; stored responses to requests with an `Idempotency-Key`,
    which expire after a day; and data of rooms that the caller has left, except the caller's own activity there. A
    response has at most 4 MB; `next_cursor` continues it. A room joined, a task assigned or created, a change and a
    sign-in of a moment ago may be missing: the indexes that find them are some milliseconds behind.
    """
    if not settings.tasks_open:
        raise TasksClosed
    caller, start = request.caller, position(request, query)
    with noting_refusals(request, "export_failed", user_id):
        body = {"user": responses.profile(_exports.subject(caller, user_id))}
    parts: list[Part[Any]] = [
        Part("sessions", partial(_exports.sessions, caller), partial(responses.session, caller=caller)),
        Part("rooms", partial(_exports.rooms, caller), responses.exported_room),
        Part("former_rooms", partial(_exports.former_rooms, caller), responses.former_room),
        Part("tasks", partial(_exports.tasks, caller), responses.task),
        Part("tasks", partial(_exports.tasks_for_others, caller), responses.task),
        Part("trash", partial(_exports.trash, caller), _trashed),
        Part("activity", partial(_exports.own_activity, caller), responses.exported_activity),
        Part("activity", partial(_exports.activity, caller), responses.exported_activity),
    ]
    response = uncompressed(chained(request, body, parts, start))
    note(request, "exported", caller.user_id)
    return response


@api.route("GET", "/users/{user_id}/activity", query=Paging, response=Listing[Activity], raises=(RoleTooLow,))
def list_user_activity(request: Request, user_id: str, query: Paging) -> Response:
    """List the changes of the caller's profile and personal tasks, newest first.

    Nobody else can list them. A change appears soon after its request: normally within a second. Entries expire; see
    the export for what the caller changed in rooms.
    """
    caller = request.caller
    with noting_refusals(request, "activity_failed", user_id):
        return listing(
            request, query, lambda limit, after: _activity.list(caller, user_id, limit, after), responses.activity
        )


def _trashed(task: entities.Task) -> TrashedTask:
    return responses.trashed_task(task, _trash.expires_at(task))


@api.route("PUT", "/users/{user_id}", body=UserChange, response=VisibleUser, raises=_CHANGE_ERRORS)
@api.route("PATCH", "/users/{user_id}", body=UserChange, response=VisibleUser, raises=_CHANGE_ERRORS)
def change_user(request: Request, user_id: str, body: UserChange) -> Response:
    """Change the caller's profile or, as an admin of the installation, that of any user.

    Only the user changes `added_by`. A change of the name or the address counts as a registration, and needs a sign-in
    of the last 15 minutes: `POST /auth/reauthenticate`.
    """
    if body.added_by is not UNSET and user_id != request.caller.user_id:
        raise Invalid([FieldError("/added_by", "not_allowed", "Nobody but the user may change this.")])
    fields: list[str] = []

    def edit(user: entities.User) -> entities.User:
        changed = request.merged(responses.user(user, request.caller), lambda: body.applied(user))
        fields[:] = changed_fields(user, changed)
        renamed = (changed.username, changed.email) != (user.username, user.email)
        # The response shows whether somebody else has the name, as that of a registration does. Admins see all users
        # anyway.
        if renamed and request.caller.role is not UserRole.ADMIN:
            request.count([REGISTRATION])
        return changed

    with noting_refusals(request, "profile_change_failed", user_id):
        response = request.carry_out(
            lambda: _users.change(request.caller, user_id, edit, request.matches),
            lambda user: ok(responses.user(user, request.caller), user.version),
            checked=True,
        )
    if fields:
        note(request, "profile_changed", user_id, fields=fields)
    return response


@api.route("DELETE", "/users/{user_id}", raises=(RoleTooLow, PreconditionFailed, ReauthenticationRequired))
def delete_user(request: Request, user_id: str) -> Response:
    """Delete the caller or, as an admin of the installation, any user.

    The user leaves every room and is signed out everywhere; their tasks in rooms are unassigned. It needs a sign-in of
    the last 15 minutes: `POST /auth/reauthenticate`.
    """
    with noting_refusals(request, "user_deletion_failed", user_id):
        response = request.carry_out(
            lambda: _users.begin_removal(request.caller, user_id, request.matches),
            lambda _: no_content(),
            checked=True,
        )
    note(request, "user_deleted", user_id)
    # The deletion is accepted already. It is finished here, so that it is done when the client gets the response; if
    # that
    # fails, the users stream finishes it.
    try:
        _removal.finish(user_id, deadline.has_time)
    except TaskSyncError as error:
        log("WARNING", "removal left to the stream", request_id=request.id, error=type(error).__name__)
    return response

"""Routes of users."""

from tasksync import deadline, passwords
from tasksync.domain.accounts import register
from tasksync.domain.export import ExportService
from tasksync.domain.limits import REGISTRATION
from tasksync.domain.removal import UserRemoval
from tasksync.domain.tasks import TaskService
from tasksync.domain.users import UserService
from tasksync.errors import EmailTaken, PreconditionFailed, RoleTooLow, TaskSyncError, UsernameTaken
from tasksync.http import representations
from tasksync.http.answers import Listing, User, VisibleUser
from tasksync.http.api import Api
from tasksync.http.fields import From, Paging
from tasksync.http.idempotency import IdempotencyKeys
from tasksync.http.limits import RateLimits
from tasksync.http.lists import listing, position, with_next
from tasksync.http.profiles import Registration
from tasksync.http.request import Request
from tasksync.http.responses import Response, created, no_content, not_modified, ok, uncompressed
from tasksync.tables.former_members import FormerMembersTable
from tasksync.tables.limits import RateLimitsTable
from tasksync.tables.receipts import ReceiptsTable
from tasksync.tables.room_reads import RoomReads
from tasksync.tables.sessions import SessionsTable
from tasksync.tables.task_changes import TaskChanges
from tasksync.tables.tasks import TasksTable
from tasksync.tables.together import both
from tasksync.tables.user_changes import UserChanges
from tasksync.telemetry import log
from users_api import payloads
from users_api.answers import Export
from users_api.payloads import UserChange

api = Api("users", IdempotencyKeys(ReceiptsTable()), RateLimits(RateLimitsTable()))
app = api.chalice

_people = UserChanges()
_rooms = RoomReads()
_users = UserService(_people, _rooms, both)
_former_members = FormerMembersTable()
_removal = UserRemoval(_people, _rooms, _former_members, TasksTable(), SessionsTable())
_exports = ExportService(_users, _rooms, _former_members, SessionsTable(), TaskService(TaskChanges(), _rooms), both)

_OF_CHANGES = (RoleTooLow, UsernameTaken, EmailTaken, PreconditionFailed)


@api.route(
    "POST",
    "/users",
    body=Registration,
    status=201,
    answer=User,
    fails=(UsernameTaken, EmailTaken),
    limits=(REGISTRATION,),
)
def create_user(request: Request, body: Registration) -> Response:
    """Register, without signing in."""
    user = register(body.username, body.email, body.password, passwords, _people.create)
    return created(representations.profile(user), f"/users/{user.id}", user.version)


@api.route("GET", "/users", query=Paging, answer=Listing[VisibleUser])
def list_users(request: Request, query: Paging) -> Response:
    """List the people one shares a room with. An admin of the installation sees all.

    Those of a room joined a moment ago may be missing: the index that finds rooms by their members is some milliseconds
    behind.
    """
    caller = request.caller
    page = _users.list(caller, query.limit, position(request, query))
    return uncompressed(listing(request, page, lambda user: representations.user(user, caller)))


@api.route("GET", "/users/{user_id}", answer=VisibleUser)
def get_user(request: Request, user_id: str) -> Response:
    """Get a user.

    Somebody with whom one shares a room since a moment ago may not be found yet: the index that finds rooms by their
    members is some milliseconds behind.
    """
    user = _users.get(request.caller, user_id)
    if request.unchanged(user.version):
        return not_modified(user.version)
    return ok(representations.user(user, request.caller), user.version)


@api.route("GET", "/users/{user_id}/export", query=From, answer=Export, fails=(RoleTooLow,))
def export_user(request: Request, user_id: str, query: From) -> Response:
    """Export everything that is held about oneself.

    A room joined, a task assigned and a sign-in of a moment ago may be missing: the indexes that find them are some
    milliseconds behind.
    """
    caller = request.caller
    export = _exports.of(caller, user_id, position(request, query))
    return uncompressed(with_next(request, payloads.exported(export, caller), export.next))


@api.route("PUT", "/users/{user_id}", body=UserChange, answer=VisibleUser, fails=_OF_CHANGES)
@api.route("PATCH", "/users/{user_id}", body=UserChange, answer=VisibleUser, fails=_OF_CHANGES)
def change_user(request: Request, user_id: str, body: UserChange) -> Response:
    """Change a user: oneself or, as an admin of the installation, anybody."""
    return request.carry_out(
        lambda receipt: _users.change(request.caller, user_id, body.applied, request.matches, receipt),
        lambda user: ok(representations.user(user, request.caller), user.version),
    )


@api.route("DELETE", "/users/{user_id}", fails=(RoleTooLow, PreconditionFailed))
def delete_user(request: Request, user_id: str) -> Response:
    """Delete a user: oneself or, as an admin of the installation, anybody.

    They leave every room, are signed out everywhere, and their tasks in rooms become nobody's.
    """
    user = _users.begin_removal(request.caller, user_id, request.matches)
    # The deletion is accepted, whatever happens now. It is carried out here so that it is done when the client is told
    # so; cut short, the users stream finishes it.
    try:
        _removal.finish(user.id, deadline.has_time)
    except TaskSyncError as error:
        log("WARNING", "removal left to the stream", request_id=request.id, error=type(error).__name__)
    return no_content()

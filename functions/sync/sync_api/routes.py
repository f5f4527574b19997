"""Routes of changes and sync."""

from sync_api import rendering
from sync_api.request_schemas import ChangesQuery, SyncBody, SyncQuery
from sync_api.response_schemas import Changes, SyncPage
from tasksync.domain.rate_limits import READ
from tasksync.domain.sync.changes import ChangesService
from tasksync.domain.sync.sync import SyncService
from tasksync.dynamodb.change_log.reading import FollowedLogs
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.queries import RoomReads
from tasksync.dynamodb.tasks.following import FollowedTasks
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.http.app import Api
from tasksync.http.pipeline import RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, ok, uncompressed
from tasksync.model.errors import BadCursor, CursorExpired
from tasksync.runtime.settings import settings

# No idempotency keys: these routes do not write.
api = Api("sync", limits=RateLimits(RateLimitsRepository(), settings), is_open=lambda: settings.tasks_open)
app = api.chalice

_rooms, _logs, _tasks, _people = RoomReads(), FollowedLogs(), FollowedTasks(), UsersRepository()
_changes = ChangesService(_rooms, _logs, _tasks, _people, gather)
_copies = SyncService(_rooms, _logs, _tasks, _people, gather)


@api.route("GET", "/rooms/{room_id}/changes", query=ChangesQuery, response=Changes, raises=(BadCursor, CursorExpired))
def list_room_changes(request: Request, room_id: str, query: ChangesQuery) -> Response:
    """List the changes of a room after a cursor, oldest first, with the changed things as they are now.

    Without a cursor, the response has no changes and a cursor: the place to start from. Then get the room and its
    tasks, and ask again with each `next_cursor`. Every change after the cursor is in the log once, in order: none is
    ever inserted before one that was read. A change appears soon after its request: normally within a second. For
    viewers, the code of the room is null. 410: entries since the cursor have expired.
    """
    context = _context(request, room_id)
    found = _changes.of_room(request.caller, room_id, query.limit, rendering.position(query.cursor, context))
    return uncompressed(ok(rendering.changes(found, request.caller, context)))


@api.route("GET", "/users/{user_id}/changes", query=ChangesQuery, response=Changes, raises=(BadCursor, CursorExpired))
def list_user_changes(request: Request, user_id: str, query: ChangesQuery) -> Response:
    """List the changes of the caller's profile and personal tasks after a cursor, oldest first.

    `user_id` is `me` or the caller's own id: for other users, the response is 404. Tasks of rooms are in the change
    logs of these.
    """
    context = _context(request, user_id)
    found = _changes.of_user(request.caller, user_id, query.limit, rendering.position(query.cursor, context))
    return uncompressed(ok(rendering.changes(found, request.caller, context)))


@api.route("GET", "/sync", query=SyncQuery, response=SyncPage, raises=(BadCursor,))
def sync(request: Request, query: SyncQuery) -> Response:
    """Bring a client's copy of everything that the caller sees up to date.

    Without a cursor, everything comes in pages; with the `cursor` of the last page, everything that has changed since.
    On each page, first drop what `reset`, `reset_rooms` and `gone` name. Then put each thing of the page in the place
    of the one in the copy, unless that has a higher `version`. Send the next request at once while `more` is true.
    Nothing on a page is older than its change. A page may come twice. Store copy and cursor together: an older cursor
    belongs to an older copy. A change appears soon after its request: normally within a second. A room joined a moment
    ago may come with the next request: the index that finds rooms by their members is some milliseconds behind. For
    viewers, codes of rooms are null.
    """
    return _page(request, query.cursor, query.limit)


@api.route("POST", "/sync", body=SyncBody, response=SyncPage, raises=(BadCursor,), limits=(READ,))
def sync_with_body(request: Request, body: SyncBody) -> Response:
    """Do the same as `GET /sync`, with a cursor of any length.

    The request changes nothing, and counts as a read. An `Idempotency-Key` is ignored: the response is always a new
    one. A room joined a moment ago may come with the next request: the index that finds rooms by their members is some
    milliseconds behind.
    """
    return _page(request, body.cursor, body.limit)


def _page(request: Request, cursor: str | None, limit: int) -> Response:
    caller = request.caller
    found = _copies.page(caller, rendering.following(cursor, caller), limit)
    return uncompressed(ok(rendering.page(found, caller, cursor)))


def _context(request: Request, log_id: str) -> str:
    """What a cursor of changes is bound to. The page size may change between pages."""
    return f"changes {request.caller.user_id} {log_id}"

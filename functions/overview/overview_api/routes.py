"""Routes that look across users, rooms and tasks."""

import msgspec

from overview_api import request_schemas
from overview_api.cache import Answer, OverviewCache
from overview_api.request_schemas import WantedKeys
from overview_api.response_schemas import Overview, ResolvedKeys
from tasksync.domain.keys import KeyService
from tasksync.domain.overview import OverviewService
from tasksync.domain.rate_limits import READ
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.rooms.queries import RoomReads
from tasksync.dynamodb.tasks.queries import TaskReads
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.http.app import Api
from tasksync.http.middleware.rate_limits import RateLimits
from tasksync.http.rendering import digest
from tasksync.http.request import Request
from tasksync.http.responses import JSON, Response, etag, not_modified, ok, uncompressed
from tasksync.model.entities import Caller
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

# No idempotency keys: nothing here writes, so a request repeated does no more than the first one.
api = Api("overview", limits=RateLimits(RateLimitsRepository()))
app = api.chalice

_rooms = RoomReads()
_overviews = OverviewService(_rooms, UsersRepository(), TaskReads(), gather_pair)
_keys = KeyService(_rooms, UsersRepository(), TaskReads(), gather_pair)
_kept = OverviewCache(_rooms)


@api.route("GET", "/", response=Overview, tagged=True)
def get_overview(request: Request) -> Response:
    """Get the caller's rooms, the people in them and the caller's open tasks.

    The answer may be some seconds old, as `Age` says; with `Cache-Control: no-cache`, `no-store` or `max-age=0` it is
    made afresh. Even then a room joined or a task assigned a moment ago may be missing: the indexes that find them are
    some milliseconds behind.
    """
    caller = request.caller
    oldest = request.accepted_age(settings.overview_cache_seconds)
    kept = None if oldest is None else _kept.find(caller, oldest)
    answer = kept or _made(caller, keep=request.may_be_stored)
    unchanged = request.unchanged(answer.tag)
    shown = Response(200, answer.body.decode(), {"Content-Type": JSON, "ETag": etag(answer.tag)})
    response = not_modified(answer.tag) if unchanged else uncompressed(shown)
    return Response(response.status, response.body, {**response.headers, "Age": str(answer.age_seconds)})


@api.route("POST", "/keys/resolve", body=WantedKeys, response=ResolvedKeys, limits=(READ,))
def resolve_keys(request: Request, body: WantedKeys) -> Response:
    """Resolve ids and room codes to what they stand for, as far as the caller may see it.

    Somebody with whom the caller shares a room since a moment ago may be missing: the index that finds rooms by their
    members is some milliseconds behind.
    """
    return uncompressed(ok(request_schemas.resolved(_keys.resolve(request.caller, body.keys()), request.caller)))


def _made(caller: Caller, *, keep: bool) -> Answer:
    made_at = clock.now()
    overview = _overviews.of(caller)
    body = msgspec.json.encode(request_schemas.overview(overview, caller))
    answer = Answer(body, digest(body), made_at)
    if keep:
        _kept.keep(caller, answer, [view.caller for view in overview.rooms])
    return answer

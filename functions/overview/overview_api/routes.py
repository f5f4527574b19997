"""Routes of the overview and of the resolution of keys."""

import msgspec

from overview_api import request_schemas
from overview_api.cache import CachedOverview, OverviewCache
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
from tasksync.http.cache_control import accepted_age, may_be_stored
from tasksync.http.pipeline import RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import JSON, Response, digest, etag, ok, uncompressed
from tasksync.model import times
from tasksync.model.entities import Caller
from tasksync.runtime.settings import settings

# No idempotency keys: these routes do not write.
api = Api("overview", limits=RateLimits(RateLimitsRepository(), settings), is_open=lambda: settings.tasks_open)
app = api.chalice

_rooms = RoomReads()
_overviews = OverviewService(_rooms, UsersRepository(), TaskReads(), gather_pair)
_keys = KeyService(_rooms, UsersRepository(), TaskReads(), gather_pair)
_cache = OverviewCache(_rooms)


@api.route("GET", "/", response=Overview, tagged=True)
def get_overview(request: Request) -> Response:
    """Get the caller's rooms, the people in them and the caller's open tasks.

    The response may be some seconds old, as `Age` says; with `Cache-Control: no-cache`, `no-store` or `max-age=0` it is
    current. Even then a room joined or a task assigned a moment ago may be missing: the indexes that find them are
    some milliseconds behind.
    """
    caller = request.caller
    oldest = accepted_age(request.headers, settings.overview_cache_seconds)
    cached = None if oldest is None else _cache.find(caller, oldest)
    if cached is None:
        cached = _build(caller, store=may_be_stored(request.headers))
    shown = Response(200, cached.body.decode(), {"Content-Type": JSON, "ETag": etag(cached.tag)})
    response = request.unless_known(uncompressed(shown))
    return Response(response.status, response.body, {**response.headers, "Age": str(cached.age_seconds)})


@api.route("POST", "/keys/resolve", body=WantedKeys, response=ResolvedKeys, limits=(READ,))
def resolve_keys(request: Request, body: WantedKeys) -> Response:
    """Resolve ids and room codes to the resources that the caller may see.

    A user who has shared a room with the caller only for a moment may be missing: the index that finds rooms by their
    members is some milliseconds behind.
    """
    return uncompressed(ok(request_schemas.resolved(_keys.resolve(request.caller, body.keys()), request.caller)))


def _build(caller: Caller, *, store: bool) -> CachedOverview:
    built_at = times.now()
    overview = _overviews.of(caller)
    body = msgspec.json.encode(request_schemas.overview(overview, caller))
    cached = CachedOverview(body, digest(body), built_at)
    if store:
        _cache.store(caller, cached, [view.caller for view in overview.rooms])
    return cached

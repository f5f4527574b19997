"""A Chalice application whose routes have schemas, and whose errors are problem documents.

    api = Api("rooms")
    app = api.chalice  # what Lambda calls

    @api.route("POST", "/rooms", body=NewRoom, status=201, response=Room, raises=(CodeTaken, TooManyRooms))
    def create_room(request: Request, body: NewRoom) -> Response: ...

A request passes the middlewares of ``http/pipeline.py`` in their order, then the handler of its route. So the order of
checks is: the limits of the route; the form of preconditions; path ids, query, media type, size, JSON, fields; the
idempotency key. Then the handler runs, which checks rights before preconditions and read-only fields.
So every request counts, also one that is refused for its fields, as it may cost as much as a success, and a request
over the limit gets 429 whatever is in it. What only the body tells, a chosen room code or a changed name, is counted by
the handler (``Request.count``).

``OPTIONS`` of a path (a CORS preflight) is handled before all of this: it has no token, counts for no limit, and calls
nothing. The gateway cannot respond to it by itself, as it cannot compare an origin with a list.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from tasksync.domain.rate_limits import READ, WRITE, Policy
from tasksync.http import cors
from tasksync.http.pipeline import Idempotency, Pipeline, RateLimits
from tasksync.http.request import headers_of
from tasksync.http.responses import JSON, SECURITY_HEADERS, Response
from tasksync.http.route import Description, Handler, Route
from tasksync.http.schemas.fields import NoQuery
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime.settings import settings


class Api:
    """One function's part of the HTTP API."""

    def __init__(
        self,
        name: str,
        keys: Idempotency | None = None,
        limits: RateLimits | None = None,
        is_open: Callable[[], bool] | None = None,
    ) -> None:
        """``keys``: what makes writes with an idempotency key happen once; None where no route takes one.

        ``limits``: what counts requests; None where no route is limited. ``is_open``: whether requests are accepted;
        None: always.
        """
        self.name = name
        self.limits = limits
        self.keys = keys
        self.routes: list[Route] = []
        self.chalice = Chalice(app_name=name, configure_logs=False)
        # No response is binary: Chalice need not compare each one's type with those that it knows.
        self.chalice.api.binary_types = []
        self._pipeline = Pipeline(self.chalice, keys, limits, is_open)

    def route(
        self,
        method: str,
        path: str,
        *,
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] = NoQuery,
        status: int = 200,
        response: Any = None,
        media_types: tuple[str, ...] = (JSON,),
        raises: tuple[type[TaskSyncError], ...] = (),
        tagged: bool = False,
        failed_response: Any = None,
        limits: tuple[Policy, ...] | None = None,
        token: str | None = None,
        located: bool = True,
        public: bool = False,
        restored: Callable[[Response], Response] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Register a handler.

        The handler's docstring says what the route does to those who use the API. The other arguments are those of
        ``Route`` and ``Description``; a route without ``response`` responds with 204, and one without ``limits`` counts
        as a user's reading (GET) or writing. ``public``, of a GET: HEAD is allowed, too, and query parameters that are
        not known are ignored, since monitors ask by HEAD and others add to links what they like (``?utm_source=``).
        """
        success = status if response is not None else 204
        described = Description(success, response, media_types, raises, tagged, failed_response, token, located)
        policies = limits if limits is not None else (READ if method == "GET" else WRITE,)

        def register(handler: Handler) -> Handler:
            route = Route(method, path, handler, body, query, policies, public, restored, described)
            self._register(route)
            if public:
                self._register(replace(route, method="HEAD"))
            return handler

        return register

    def _register(self, route: Route) -> None:
        self.routes.append(route)
        if route.path not in self.chalice.routes:
            self._dispatch("OPTIONS", route.path, lambda **_: self._respond_to_preflight())
        respond = functools.partial(self._pipeline.respond, route)
        # Chalice asks a handler for its name.
        self._dispatch(route.method, route.path, functools.update_wrapper(respond, route.handler))

    def _dispatch(self, method: str, path: str, handler: Callable[..., ChaliceResponse]) -> None:
        # Any content type: media types are checked by us, so that the refusal is a problem document like any other.
        self.chalice.route(path, methods=[method], content_types=[], name=f"{method} {path}")(handler)

    def _respond_to_preflight(self) -> ChaliceResponse:
        # Chalice sets it before it calls us, and types it as if it might not.
        event = cast("ChaliceRequest", self.chalice.current_request).to_original_event()
        context = event["requestContext"]
        # Without metrics: a browser sends it, and no user waits for a resource.
        log(
            "INFO",
            "request",
            request_id=context["requestId"],
            method="OPTIONS",
            route=context["resourcePath"],
            status="204",
        )
        origin = headers_of(event["multiValueHeaders"]).get("origin")
        headers = {**SECURITY_HEADERS, "X-Request-Id": context["requestId"], **cors.VARY}
        if origin in settings.cors_allowed_origins:
            headers |= {**cors.PREFLIGHT, "Access-Control-Allow-Origin": str(origin)}
        return ChaliceResponse(body="", headers=headers, status_code=204)

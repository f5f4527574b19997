"""A Chalice application whose routes have schemas, and whose errors are problem documents.

    api = Api("rooms")
    app = api.chalice  # what Lambda calls

    @api.route("POST", "/rooms", body=NewRoom, status=201, response=Room, raises=(CodeTaken, TooManyRooms))
    def create_room(request: Request, body: NewRoom) -> Response: ...

A request passes the middlewares in the order of ``Api._middlewares``, then the handler of its route. So the order of
checks is: the limits of the route; the form of preconditions; path ids, query, media type, size, JSON, fields; the
idempotency key. Then the handler runs, which checks rights before preconditions and read-only fields.
So every request counts, also one that is refused for its fields, as it may cost as much as a success, and a request
over the limit gets 429 whatever is in it. What only the body tells, a chosen room code or a changed name, is counted by
the handler (``Request.count``).

``OPTIONS`` of a path (a CORS preflight) is handled before all of this: it has no token, counts for no limit, and calls
nothing. The gateway cannot respond to it by itself, as it cannot compare an origin with a list.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from tasksync.domain.rate_limits import Policy
from tasksync.http.headers import Headers
from tasksync.http.middleware import cors, rate_limits
from tasksync.http.middleware.arguments import bind_arguments
from tasksync.http.middleware.errors import Errors
from tasksync.http.middleware.metrics import Metrics
from tasksync.http.middleware.rate_limits import RateLimits
from tasksync.http.request import Handle, Middleware, Request
from tasksync.http.responses import JSON, SECURITY_HEADERS, Response
from tasksync.http.route import SAFE, Description, Handler, Route
from tasksync.http.schemas.fields import NoQuery
from tasksync.model.errors import TaskSyncError
from tasksync.observability.logs import log
from tasksync.runtime import deadline


class Api:
    """One function's part of the HTTP API."""

    def __init__(
        self,
        name: str,
        keys: Middleware | None = None,
        limits: RateLimits | None = None,
        gate: Middleware | None = None,
    ) -> None:
        """``keys``: what makes writes with an idempotency key happen once; None where no route takes one.

        ``limits``: what counts requests; None where no route is limited. ``gate``: what may close all routes.
        """
        self.name = name
        self.limits = limits
        self.keys = keys
        self._gate = (gate,) if gate else ()
        self.routes: list[Route] = []
        self.chalice = Chalice(app_name=name, configure_logs=False)
        # No response is binary: Chalice need not compare each one's type with those that it knows.
        self.chalice.api.binary_types = []
        self._handle = _composed(self._middlewares(), _call_handler)

    def _middlewares(self) -> tuple[Middleware, ...]:
        """What each request passes, outermost first."""
        return (
            _add_cors_headers,
            rate_limits.add_headers,
            Metrics(),
            Errors(takes_keys=self.keys is not None),
            self.limits or rate_limits.unlimited,
            *self._gate,
            bind_arguments,
            self.keys or _without_keys,
        )

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
        described = Description(success, response, media_types, raises, tagged, failed_response, token)
        policies = rate_limits.of_method(method) if limits is None else limits

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
        self._dispatch(route.method, route.path, lambda **ids: self._respond(route, ids))

    def _dispatch(self, method: str, path: str, handler: Callable[..., ChaliceResponse]) -> None:
        # Any content type: media types are checked by us, so that the refusal is a problem document like any other.
        self.chalice.route(path, methods=[method], content_types=[], name=f"{method} {path}")(handler)

    def _respond_to_preflight(self) -> ChaliceResponse:
        event = self._event()
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
        origin = Headers(event["multiValueHeaders"]).get("origin")
        headers = {**SECURITY_HEADERS, "X-Request-Id": context["requestId"], **cors.preflight_headers(origin)}
        return ChaliceResponse(body="", headers=headers, status_code=204)

    def _event(self) -> dict[str, Any]:
        # Chalice sets it before it calls us, and types it as if it might not.
        return cast("ChaliceRequest", self.chalice.current_request).to_original_event()

    def _respond(self, route: Route, ids: dict[str, str]) -> ChaliceResponse:
        event = self._event()
        deadline.begin(self.chalice.lambda_context.get_remaining_time_in_millis)
        request = _request(event, route, ids, self.limits)
        return _written(self._handle(request), request)


def _composed(middlewares: tuple[Middleware, ...], handle: Handle) -> Handle:
    """Made once, when the function starts."""
    for middleware in reversed(middlewares):
        handle = functools.partial(middleware, handle=handle)
    return handle


def _add_cors_headers(request: Request, handle: Handle) -> Response:
    response = handle(request)
    return replace(response, headers={**cors.headers(request.headers.get("origin")), **response.headers})


def _without_keys(request: Request, handle: Handle) -> Response:
    """Instead of ``Idempotency`` if no route takes a key: what such a route changes has no version."""
    if request.method not in SAFE:
        request.require_match()
    return handle(request)


def _call_handler(request: Request) -> Response:
    return request.route.handler(request, **request.arguments)


def _request(event: Mapping[str, Any], route: Route, ids: dict[str, str], limits: RateLimits | None) -> Request:
    context = event["requestContext"]
    path = context["resourcePath"].format_map(event["pathParameters"] or {})
    return Request(
        id=context["requestId"],
        method=context["httpMethod"],
        path=path,
        root=_root(event["path"], path, context),
        parameters=event["multiValueQueryStringParameters"] or {},
        headers=Headers(event["multiValueHeaders"]),
        context=context,
        event=event,
        route=route,
        ids=ids,
        limits=limits,
    )


def _root(called: str, path: str, context: Mapping[str, Any]) -> str:
    """What stands before the route's path in the address that was called.

    Under API Gateway's own domain that is the stage, which ``event["path"]`` leaves out; under a domain of one's own
    it is the base path, which ``event["path"]`` has.
    """
    if ".execute-api." in context.get("domainName", ""):
        return f"/{context['stage']}"
    called = called.rstrip("/")
    return called.removesuffix(path) if called.endswith(path) else ""


def _written(response: Response, request: Request) -> ChaliceResponse:
    headers = {**SECURITY_HEADERS, "X-Request-Id": request.id, **response.headers}
    if "Location" in headers:
        headers["Location"] = request.root + headers["Location"]
    body = ""
    if isinstance(response.body, str):
        body = response.body
    elif response.body is not None:
        headers.setdefault("Content-Type", JSON)
        body = msgspec.json.encode(response.body).decode()
    if request.method == "HEAD":  # the headers of GET, and nothing else (RFC 9110 §9.3.2)
        body = ""
    return ChaliceResponse(body=body, headers=dict(headers), status_code=response.status)

"""A Chalice application whose routes have schemas, and whose errors are problem documents.

    api = Api("rooms")
    app = api.chalice  # what Lambda calls

    @api.route("POST", "/rooms", body=NewRoom, status=201, answer=Room, fails=(CodeTaken, TooManyRooms))
    def create_room(request: Request, body: NewRoom) -> Response: ...

Order of what is checked: the limits on reading and writing; path ids, query, media type, size, JSON, fields; the
limits that are exact; then the idempotency key is looked up, or the view runs, which may count the request for one more
limit (``Request.count``). So a request that nobody could carry out
is no attempt to sign in, register or join, and one that is too much is told so whatever is in it.
"""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from tasksync import deadline, errors, stamps, work
from tasksync.domain.limits import Policy
from tasksync.errors import Fault, Standing
from tasksync.http import cors, problems, schema
from tasksync.http.fields import NoQuery
from tasksync.http.limits import RateLimits, fields, of_method
from tasksync.http.request import Once, Request
from tasksync.http.responses import JSON, SECURITY_HEADERS, Response
from tasksync.ids import is_id
from tasksync.telemetry import Measure, bucket, log, log_measured

_OF_ROUTE = Measure(
    {
        "milliseconds": "Milliseconds",
        "errors": "Count",
        "round_trips": "Count",
        "capacity_units": "Count",
        "throttles": "Count",
        "cold_starts": "Count",
    },
    [["method", "route"]],
)
_BY_STATUS_AND_LATENCY = Measure({"requests": "Count"}, [["method", "route", "status"], ["method", "route", "le"]])

MAX_BODY_BYTES = 64 * 1024

View = Callable[..., Response]


class Keys(Protocol):
    """``http/idempotency.py``."""

    def once(self, user_id: str, key: str, request: bytes) -> Once: ...


@dataclass(frozen=True, slots=True)
class Route:
    """A route as declared: what it takes, what it answers, and what answers it.

    What concerns answers is for those who describe the API; ``infrastructure/openapi``.
    """

    method: str
    path: str
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct]
    view: View
    status: int
    answer: Any
    """The shape of a success's body, as msgspec knows types; None where there is none."""
    media_types: tuple[str, ...]
    fails: tuple[type[errors.TaskSyncError], ...]
    """What can go wrong beyond what any route of its kind may meet."""
    tagged: bool
    """Whether the answer carries an entity tag that is not a version of it."""
    failed_answer: Any
    """The shape of an answer with status 503 that is no problem document; None where there is none."""
    limits: tuple[Policy, ...]
    """What it counts as."""
    token: str | None
    """What the API's description calls the token it takes, if that is not the access token."""


class Api:
    """One function's part of the HTTP API."""

    def __init__(self, name: str, keys: Keys | None = None, limits: RateLimits | None = None) -> None:
        """``keys``: what makes writes with an idempotency key happen once; None where no route takes one.

        ``limits``: what counts requests; None where no route is limited.
        """
        self.name = name
        self.limits = limits
        self.keys = keys
        self.routes: list[Route] = []
        self.chalice = Chalice(app_name=name, configure_logs=False)
        # No answer is binary: Chalice need not compare each one's type with those that it knows.
        self.chalice.api.binary_types = []
        self._cold = True

    def route(
        self,
        method: str,
        path: str,
        *,
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] = NoQuery,
        status: int = 200,
        answer: Any = None,
        media_types: tuple[str, ...] = (JSON,),
        fails: tuple[type[errors.TaskSyncError], ...] = (),
        tagged: bool = False,
        failed_answer: Any = None,
        limits: tuple[Policy, ...] | None = None,
        token: str | None = None,
    ) -> Callable[[View], View]:
        """Register a view. It gets the request, the path's ids by name, and ``body`` and ``query`` where declared.

        The view's docstring says what the route does to those who use the API. The other arguments are ``Route``'s; a
        route without ``answer`` answers 204, and one without ``limits`` counts as a user's reading (GET) or writing.
        """

        def register(view: View) -> View:
            success = status if answer is not None else 204
            policies = of_method(method) if limits is None else limits
            route = Route(
                *(method, path, body, query, view, success, answer, media_types, fails, tagged, failed_answer),
                *(policies, token),
            )
            self.routes.append(route)
            # Any: media types are checked by us, so that the refusal is a problem document like any other.
            self.chalice.route(path, methods=[method], content_types=[], name=f"{method} {path}")(
                lambda **ids: self._answer(route, ids)
            )
            return view

        return register

    def _answer(self, route: Route, ids: dict[str, str]) -> ChaliceResponse:
        started = time.perf_counter()
        # Chalice sets it before it calls a view, and types it as if it might not.
        event = cast("ChaliceRequest", self.chalice.current_request).to_original_event()
        deadline.begin(self.chalice.lambda_context.get_remaining_time_in_millis)
        standings: list[Standing] = []
        request = _request(event, lambda policy: self._count([policy], request, standings))
        done = work.begin()
        user_id = (request.context.get("authorizer") or {}).get("user_id")
        try:
            with stamps.by(user_id, request.id):
                response = self._view(route, request, event, ids, standings)
        except errors.RateLimited as error:
            standings = [error.standing]
            response = problems.problem(error, request.id)
        except errors.TaskSyncError as error:
            response = problems.problem(error, request.id)
            if response.status >= 500:
                _log_failure(request, error)
        except Exception as error:  # The last line of defence: a defect is logged whole, and answered without detail.
            response = problems.internal_problem(request.id)
            _log_failure(request, error)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log_measured(
            "INFO",
            "request",
            (_OF_ROUTE, _BY_STATUS_AND_LATENCY),
            request_id=request.id,
            method=route.method,
            route=route.path,
            # A text: by numbers no metric is told apart.
            status=str(response.status),
            le=bucket(milliseconds),
            user_id=user_id,
            milliseconds=milliseconds,
            requests=1,
            errors=int(response.status >= 500),
            round_trips=done.round_trips,
            round_trips_in_sequence=done.in_sequence,
            capacity_units=done.capacity_units,
            throttles=done.throttles,
            cold_starts=int(self._cold),
        )
        self._cold = False
        further = {**fields(standings), **cors.fields(request.headers.get("origin"))}
        return _written(response, request, further)

    def _view(
        self,
        route: Route,
        request: Request,
        event: Mapping[str, Any],
        ids: dict[str, str],
        standings: list[Standing],
    ) -> Response:
        self._count([each for each in route.limits if not each.exact], request, standings)
        arguments = _arguments(route, request, event, ids)
        self._count([each for each in route.limits if each.exact], request, standings)
        key = request.headers.get("idempotency-key")
        if key is None or route.method == "GET" or self.keys is None or not request.context.get("authorizer"):
            return route.view(request, **arguments)
        identity = f"{route.method} {request.path}\n".encode() + _raw_body(event)
        once = self.keys.once(request.caller.user_id, key, identity)
        replayed = once.replay()
        if replayed is not None:
            return replayed
        try:
            return route.view(replace(request, once=once), **arguments)
        except errors.TaskSyncError:
            # The same request may have been carried out while this one was on its way, and be what it failed on; or
            # this one was, and only DynamoDB's answer was lost.
            replayed = once.replay()
            if replayed is None:
                raise
            return replayed

    def _count(self, policies: list[Policy], request: Request, standings: list[Standing]) -> None:
        if self.limits is not None:
            self.limits.spend(policies, request, standings)


def _request(event: Mapping[str, Any], count: Callable[[Policy], None]) -> Request:
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in (event["headers"] or {}).items()}
    path = context["resourcePath"].format_map(event["pathParameters"] or {})
    parameters = event["multiValueQueryStringParameters"] or {}
    root = _root(event["path"], path, context)
    return Request(context["requestId"], context["httpMethod"], path, root, parameters, headers, context, None, count)


def _root(called: str, path: str, context: Mapping[str, Any]) -> str:
    """What stands before the route's path in the address that was called.

    Under API Gateway's own domain that is the stage, which ``event["path"]`` leaves out; under a domain of one's own
    it is the base path, which ``event["path"]`` has.
    """
    if ".execute-api." in context.get("domainName", ""):
        return f"/{context['stage']}"
    called = called.rstrip("/")
    return called.removesuffix(path) if called.endswith(path) else ""


def _arguments(route: Route, request: Request, event: Mapping[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    if not all(is_id(value) for value in ids.values()):
        raise errors.NotFound
    arguments: dict[str, Any] = dict(ids)
    if route.query is not NoQuery:
        arguments["query"] = _query(route.query, request.parameters)
    elif request.parameters:
        _query(NoQuery, request.parameters)
    if route.body is not None:
        arguments["body"] = _body(route.body, request, event)
    return arguments


def _query(declared: type[msgspec.Struct], given: Mapping[str, list[str]]) -> msgspec.Struct:
    """A parameter may be repeated where the schema says list, and nowhere else."""
    single, lists = schema.parameters(declared)
    repeated = [name for name, values in given.items() if name in single and len(values) > 1]
    faults = [Fault(f"/{name}", "repeated", "This parameter may be given once.") for name in repeated]
    data = {name: values if name in lists else values[0] for name, values in given.items() if name not in repeated}
    try:
        read = schema.read(declared, data, texts=True)
    except schema.Faults as found:
        raise errors.BadQuery([*faults, *found.faults]) from found
    if faults:
        raise errors.BadQuery(faults)
    return read


def _body(declared: type[msgspec.Struct], request: Request, event: Mapping[str, Any]) -> msgspec.Struct:
    raw = _raw_body(event)
    if len(raw) > MAX_BODY_BYTES:
        raise errors.BodyTooLarge
    data: Any = {}
    # No body is read as an empty object: where all fields may be left out, so may the body.
    if raw:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise errors.UnsupportedMediaType
        try:
            data = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise errors.MalformedJson from error
    if not isinstance(data, dict):
        raise errors.Invalid([Fault("", "wrong_type", "The body must be a JSON object.")])
    try:
        return schema.read(declared, data)
    except schema.Faults as found:
        raise errors.Invalid(found.faults) from found


def _raw_body(event: Mapping[str, Any]) -> bytes:
    text = event["body"] or ""
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise errors.MalformedJson from error


def _written(response: Response, request: Request, further: Mapping[str, str]) -> ChaliceResponse:
    headers = {**SECURITY_HEADERS, "X-Request-Id": request.id, **further, **response.headers}
    if "Location" in headers:
        headers["Location"] = request.root + headers["Location"]
    body = ""
    if isinstance(response.body, str):
        body = response.body
    elif response.body is not None:
        headers.setdefault("Content-Type", JSON)
        body = msgspec.json.encode(response.body).decode()
    return ChaliceResponse(body=body, headers=dict(headers), status_code=response.status)


def _log_failure(request: Request, error: Exception) -> None:
    cause = error.__cause__ or error
    log(
        "ERROR",
        "request failed",
        request_id=request.id,
        error=type(error).__name__,
        cause=type(cause).__name__,
        trace=_trace(cause),
    )


def _trace(error: BaseException) -> list[str]:
    """Where it happened, without messages: those may quote what the client sent."""
    trace = []
    step = error.__traceback__
    while step is not None:
        trace.append(f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}")
        step = step.tb_next
    return trace

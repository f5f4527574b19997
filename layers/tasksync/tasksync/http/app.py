"""A Chalice application whose routes have schemas, and whose errors are problem documents.

    api = Api("rooms")
    app = api.chalice  # what Lambda calls

    @api.route("POST", "/rooms", body=NewRoom, status=201, answer=Room, fails=(CodeTaken, TooManyRooms))
    def create_room(request: Request, body: NewRoom) -> Response: ...

Order of checks: the limits of the route; the form of preconditions; path ids, query, media type, size, JSON, fields;
then the idempotency key is looked up, or the view runs, which checks rights before preconditions and read-only fields.
So every request counts, also one that is refused for its fields, as it may cost as much as a success, and a request
over the limit gets 429 whatever is in it. What only the body tells, a chosen room code or a changed name, is counted by
the view (``Request.count``).
"""

import base64
import binascii
import re
import time
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from tasksync.domain.rate_limits import POLICIES, Policy
from tasksync.http import problems
from tasksync.http.headers import Headers
from tasksync.http.middleware import cors
from tasksync.http.middleware.rate_limits import RateLimits, fields, of_method
from tasksync.http.request import IdempotentRequest, Request
from tasksync.http.responses import JSON, SECURITY_HEADERS, Response
from tasksync.http.schemas import binding, read_only
from tasksync.http.schemas.fields import NoQuery
from tasksync.http.schemas.read_only import SentBack
from tasksync.http.security_log import note_refusal
from tasksync.model import errors
from tasksync.model.errors import FieldError, LimitStatus
from tasksync.model.ids import is_id
from tasksync.observability.logs import Measure, bucket, log, log_measured
from tasksync.runtime import deadline, unit_of_work

_OF_ROUTE = Measure(
    {"milliseconds": "Milliseconds", "round_trips": "Count", "capacity_units": "Count"}, [["method", "route"]]
)
_RARE = tuple(Measure({name: "Count"}, [["method", "route"]], sparse=True) for name in ("throttles", "cold_starts"))
_BY_STATUS_AND_LATENCY = Measure({"requests": "Count"}, [["method", "route", "status"], ["method", "route", "le"]])

# Said instead of what ``OutcomeUnknown`` says where there was a key, and where none is taken.
_SAME_KEY = (
    "A part of the service did not answer. The request may have been carried out: send it again with the same "
    "Idempotency-Key, and it is carried out once."
)
_LOOK_FIRST = (
    "A part of the service did not answer. The request may have been carried out: see whether it was before you send "
    "it again."
)

# What is more than these allow are guesses of passwords and codes, or accounts in bulk.
_OF_GUESSING = {policy.name for policy in POLICIES if policy.exact}

MAX_BODY_BYTES = 160 * 1024

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing (RFC 9110 §9.2.1): no idempotency key, no precondition of a change is looked at."""

View = Callable[..., Response]


class Keys(Protocol):
    """``http/middleware/idempotency.py``."""

    def of(self, user_id: str, key: str, request: bytes) -> IdempotentRequest: ...


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
    public: bool
    """Whether it is read without an access token."""
    restored: Callable[[Response], Response] | None
    """Completes an answer that was stored under an idempotency key without the secret in it."""


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
        public: bool = False,
        restored: Callable[[Response], Response] | None = None,
    ) -> Callable[[View], View]:
        """Register a view. It gets the request, the path's ids by name, and ``body`` and ``query`` where declared.

        The view's docstring says what the route does to those who use the API. The other arguments are ``Route``'s; a
        route without ``answer`` answers 204, and one without ``limits`` counts as a user's reading (GET) or writing.
        ``public``, of a GET: HEAD is answered, too, and query parameters that are not known are ignored, since
        monitors ask by HEAD and others add to links what they like (``?utm_source=``).
        """

        def register(view: View) -> View:
            success = status if answer is not None else 204
            policies = of_method(method) if limits is None else limits
            route = Route(
                *(method, path, body, query, view, success, answer, media_types, fails, tagged, failed_answer),
                *(policies, token, public, restored),
            )
            self._register(route)
            if public:
                self._register(replace(route, method="HEAD"))
            return view

        return register

    def _register(self, route: Route) -> None:
        self.routes.append(route)
        # Any: media types are checked by us, so that the refusal is a problem document like any other.
        self.chalice.route(route.path, methods=[route.method], content_types=[], name=f"{route.method} {route.path}")(
            lambda **ids: self._answer(route, ids)
        )

    def _answer(self, route: Route, ids: dict[str, str]) -> ChaliceResponse:
        started = time.perf_counter()
        # Chalice sets it before it calls a view, and types it as if it might not.
        event = cast("ChaliceRequest", self.chalice.current_request).to_original_event()
        deadline.begin(self.chalice.lambda_context.get_remaining_time_in_millis)
        limit_statuses: list[LimitStatus] = []
        request = _request(event, lambda policies: self._count(policies, request, limit_statuses))
        user_id = (request.context.get("authorizer") or {}).get("user_id")
        with unit_of_work.begin(user_id, request.id) as unit:
            response = self._response(route, request, event, ids, limit_statuses, unit.usage)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log_measured(
            "INFO",
            "request",
            (_OF_ROUTE, _BY_STATUS_AND_LATENCY, *_RARE),
            request_id=request.id,
            method=route.method,
            route=route.path,
            # A text: by numbers no metric is told apart.
            status=str(response.status),
            le=bucket(milliseconds),
            user_id=user_id,
            milliseconds=milliseconds,
            requests=1,
            round_trips=unit.usage.round_trips,
            round_trips_in_sequence=unit.usage.in_sequence,
            capacity_units=unit.usage.capacity_units,
            throttles=unit.usage.throttles,
            cold_starts=int(self._cold),
        )
        self._cold = False
        further = {**fields(limit_statuses), **cors.fields(request.headers.get("origin"))}
        return _written(response, request, further)

    def _response(
        self,
        route: Route,
        request: Request,
        event: Mapping[str, Any],
        ids: dict[str, str],
        limit_statuses: list[LimitStatus],
        done: unit_of_work.UsageCounters,
    ) -> Response:
        try:
            return self._view(route, request, event, ids)
        except errors.RateLimited as error:
            limit_statuses[:] = [error.limit_status]
            if error.limit_status.policy in _OF_GUESSING:
                note_refusal(request, "rate_limited", unit_of_work.current().actor_id, policy=error.limit_status.policy)
            return problems.problem(error, request.id)
        except errors.PreconditionFailed as error:
            return problems.problem(request.explained(error), request.id)
        except errors.TaskSyncError as error:
            response = problems.problem(_outcome(error, done, self._takes_key(route, request), request), request.id)
            if response.status >= 500:
                _log_failure(request, error)
            return response
        except Exception as error:  # The last line of defence: a defect is logged whole, and answered without detail.
            _log_failure(request, error)
            return problems.internal_problem(request.id)

    def _view(
        self,
        route: Route,
        request: Request,
        event: Mapping[str, Any],
        ids: dict[str, str],
    ) -> Response:
        request.count(route.limits)
        for header in ("If-None-Match",) if route.method in SAFE else ("If-Match", "If-None-Match"):
            request.entity_tags(header)
        arguments, sent_back = _arguments(route, request, event, ids)
        if sent_back is not None:
            request = replace(request, sent_back=sent_back)
        if route.method in SAFE:
            return route.view(request, **arguments)
        if self.keys is None or not request.context.get("authorizer"):
            # What changes without a token has no version. Elsewhere ``carry_out`` says so when it is known whether the
            # caller may do it at all.
            request.require_match()
            return route.view(request, **arguments)
        key = request.headers.get("idempotency-key")
        if key is None:
            return route.view(request, **arguments)
        identity = f"{route.method} {request.path}\n".encode() + _raw_body(event)
        idempotent = self.keys.of(request.caller.user_id, key, identity)
        replayed = _replayed(route, idempotent)
        if replayed is not None:
            return replayed
        try:
            return route.view(replace(request, idempotent=idempotent), **arguments)
        except errors.TaskSyncError:
            # The same request may have been carried out while this one was on its way, and be what it failed on; or
            # this one was, and only DynamoDB's answer was lost.
            try:
                replayed = _replayed(route, idempotent)
            except errors.DependencyFailed as unseen:
                raise errors.OutcomeUnknown from unseen
            if replayed is None:
                raise
            return replayed

    def _takes_key(self, route: Route, request: Request) -> bool:
        """Whether an idempotency key is looked at."""
        by_itself = errors.BadIdempotencyKey in route.fails
        with_token = self.keys is not None and bool(request.context.get("authorizer"))
        return route.method not in SAFE and (by_itself or with_token)

    def _count(self, policies: Collection[Policy], request: Request, limit_statuses: list[LimitStatus]) -> None:
        if self.limits is not None:
            counted = {limit_status.policy for limit_status in limit_statuses}
            self.limits.spend([each for each in policies if each.name not in counted], request, limit_statuses)


def _replayed(route: Route, idempotent: IdempotentRequest) -> Response | None:
    """What the first request under this key was answered, if there has been one."""
    stored = idempotent.replay()
    return stored if stored is None or route.restored is None else route.restored(stored)


def _request(event: Mapping[str, Any], count: Callable[[Collection[Policy]], None]) -> Request:
    context = event["requestContext"]
    headers = Headers(event["multiValueHeaders"])
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


def _arguments(
    route: Route, request: Request, event: Mapping[str, Any], ids: dict[str, str]
) -> tuple[dict[str, Any], SentBack | None]:
    """What the view is called with, and the read-only fields that a change came with."""
    if not all(is_id(value) for value in ids.values()):
        raise errors.NotFound
    arguments: dict[str, Any] = _of_caller(request, {"user_id"}, ids)
    sent_back = None
    if route.query is not NoQuery:
        arguments["query"] = _query(route.query, request)
    elif request.parameters and not route.public:
        _query(NoQuery, request)
    if route.body is not None:
        arguments["body"], sent_back = _body(route, route.body, request, _json_object(request, event))
    return arguments, sent_back


def _body(
    route: Route, declared: type[msgspec.Struct], request: Request, sent: dict[str, Any]
) -> tuple[msgspec.Struct, SentBack | None]:
    names = read_only.read_only(declared, route.answer) if route.method in ("PUT", "PATCH") else frozenset()
    data = {name: value for name, value in sent.items() if name not in names}
    data = _of_caller(request, binding.user_fields(declared), data)
    back = {name: value for name, value in sent.items() if name in names}
    try:
        body = binding.read(declared, data)
    except binding.FieldErrors as found:
        if not back:
            raise errors.Invalid(found.faults) from found
        # Which of the others are wrong, too, is known when the resource has been read.
        wrong = {fault.pointer for fault in found.faults}
        try:
            body = binding.read(declared, {name: value for name, value in data.items() if f"/{name}" not in wrong})
        except binding.FieldErrors:
            raise errors.Invalid(found.faults) from found
        return body, SentBack(_of_caller(request, binding.user_fields(route.answer), back), tuple(found.faults))
    if not back:
        return body, None
    return body, SentBack(_of_caller(request, binding.user_fields(route.answer), back))


def _of_caller(request: Request, names: AbstractSet[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the caller's own id where those of these names, which are ids of users, say ``me``."""
    if not request.context.get("authorizer"):
        return dict(values)
    me = request.caller.user_id
    resolved = dict(values)
    for name in names & values.keys():
        value = values[name]
        if value == "me":
            resolved[name] = me
        elif isinstance(value, list):
            resolved[name] = [me if each == "me" else each for each in value]
    return resolved


def _query(declared: type[msgspec.Struct], request: Request) -> msgspec.Struct:
    """A parameter may be repeated where the schema says list, and nowhere else."""
    given = request.parameters
    single, lists = binding.parameters(declared)
    repeated = [name for name, values in given.items() if name in single and len(values) > 1]
    faults = [FieldError(f"/{name}", "repeated", "This parameter may be given once.") for name in repeated]
    data = {name: values if name in lists else values[0] for name, values in given.items() if name not in repeated}
    try:
        read = binding.read(declared, _of_caller(request, binding.user_fields(declared), data), texts=True)
    except binding.FieldErrors as found:
        raise errors.BadQuery([*faults, *found.faults]) from found
    if faults:
        raise errors.BadQuery(faults)
    return read


def _json_object(request: Request, event: Mapping[str, Any]) -> dict[str, Any]:
    raw = _raw_body(event)
    if len(raw) > MAX_BODY_BYTES:
        raise errors.BodyTooLarge
    data: Any = {}
    # No body is read as an empty object: where all fields may be left out, so may the body.
    if raw:
        media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
        media_type = media_type.strip()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise errors.UnsupportedMediaType
        if any(_is_other_charset(parameter) for parameter in parameters):
            raise errors.UnsupportedCharset
        try:
            data = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise errors.MalformedJson(_where(error)) from error
    if not isinstance(data, dict):
        raise errors.Invalid([FieldError("", "wrong_type", "The body must be a JSON object.")])
    return data


def _where(error: Exception) -> str | None:
    """What is said of a body that is no JSON, as far as msgspec says where."""
    place = re.search(r"\(byte (\d+)\)", str(error))
    return f"{errors.MalformedJson.detail} It goes wrong at byte {place[1]}, counted from 0." if place else None


def _is_other_charset(parameter: str) -> bool:
    """Of a media type (RFC 9110 §5.6.6): whether it names another charset than UTF-8."""
    name, _, value = parameter.partition("=")
    return name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8")


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
    if request.method == "HEAD":  # the headers of GET, and nothing else (RFC 9110 §9.3.2)
        body = ""
    return ChaliceResponse(body=body, headers=dict(headers), status_code=response.status)


def _outcome(
    error: errors.TaskSyncError, done: unit_of_work.UsageCounters, takes_key: bool, request: Request
) -> errors.TaskSyncError:
    """The error as the client is told of it: whether what it wanted may have been carried out, and what to do then.

    A dependency that failed behind the first write leaves something that was carried out, whatever it was asked for.
    """
    known = not isinstance(error, errors.OutcomeUnknown) and done.writes == 0
    if known or not isinstance(error, errors.DependencyFailed | errors.WriteConflict):
        return error
    if not takes_key:
        return errors.OutcomeUnknown(_LOOK_FIRST)
    return errors.OutcomeUnknown(_SAME_KEY if "idempotency-key" in request.headers else None)


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

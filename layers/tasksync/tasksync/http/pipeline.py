"""The pipeline of an ``Api``: what each request passes, from Lambda's event to the response and back.

A middleware gets the request, and what handles it further in. ``Pipeline`` lists them in order.
"""

import functools
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, cast

import msgspec
from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from tasksync.domain.rate_limits import Per, Policy, network
from tasksync.http import cors, failures
from tasksync.http.request import (
    Handle,
    IdempotencyRecords,
    IdempotentRequest,
    Middleware,
    Request,
    bind_arguments,
    request_of,
)
from tasksync.http.responses import JSON, SECURITY_HEADERS, Response
from tasksync.http.route import SAFE, Route
from tasksync.model.errors import (
    BadIdempotencyKey,
    DependencyFailed,
    LimitStatus,
    NotCounted,
    OutcomeUnknown,
    RateLimited,
    TasksClosed,
    TaskSyncError,
)
from tasksync.observability.logs import Measure, bucket, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.settings import settings

_ROUTE_MEASURE = Measure(
    {"milliseconds": "Milliseconds", "round_trips": "Count", "capacity_units": "Count"}, [["method", "route"]]
)
_SPARSE_MEASURES = tuple(
    Measure({name: "Count"}, [["method", "route"]], sparse=True) for name in ("throttles", "cold_starts")
)
_REQUEST_MEASURE = Measure({"requests": "Count"}, [["method", "route", "status"], ["method", "route", "le"]])

_MAX_LEASES = 5_000


class Pipeline:
    """Responds to the requests of one function."""

    def __init__(
        self,
        chalice: Chalice,
        keys: "Idempotency | None",
        limits: "RateLimits | None",
        is_open: Callable[[], bool] | None,
    ) -> None:
        """The arguments are those of ``Api``."""
        self._chalice = chalice
        self._limits = limits
        middlewares: tuple[Middleware, ...] = (
            add_cors_headers,
            add_limit_headers,
            Metrics(),
            Errors(takes_keys=keys is not None),
            *((limits,) if limits else ()),
            *((Gate(is_open),) if is_open else ()),
            bind_arguments,
            keys or without_keys,
        )
        self._handle = _composed(middlewares, _call_handler)

    def respond(self, route: Route, **ids: str) -> ChaliceResponse:
        """Respond to Chalice's current request. ``ids``: the ids in the path."""
        deadline.begin(self._chalice.lambda_context.get_remaining_time_in_millis)
        # Chalice sets it before it calls us, and types it as if it might not.
        event = cast("ChaliceRequest", self._chalice.current_request).to_original_event()
        request = request_of(event, route, ids, self._limits)
        return _written(self._handle(request), request)


def _composed(middlewares: tuple[Middleware, ...], handle: Handle) -> Handle:
    """Made once, when the function starts."""
    for middleware in reversed(middlewares):
        handle = functools.partial(middleware, handle=handle)
    return handle


def _call_handler(request: Request) -> Response:
    return request.route.handler(request, **request.arguments)


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


def add_cors_headers(request: Request, handle: Handle) -> Response:
    """Say which page of another origin may read the response."""
    response = handle(request)
    origin = request.headers.get("origin")
    headers = cors.VARY
    if origin in settings.cors_allowed_origins:
        headers = {**cors.READABLE, "Access-Control-Allow-Origin": origin}
    return replace(response, headers={**headers, **response.headers})


def add_limit_headers(request: Request, handle: Handle) -> Response:
    """Add ``RateLimit-Policy`` and ``RateLimit``, where the request was counted.

    The fields are those of draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy: "read";q=600;w=60`` names the
    policy, ``RateLimit: "read";r=599;t=30`` what is left of it and for how many seconds.
    """
    response = handle(request)
    statuses = request.limit_statuses
    if not statuses:
        return response
    limits = {
        "RateLimit-Policy": ", ".join([f'"{each.policy}";q={each.quota};w={each.window_seconds}' for each in statuses]),
        "RateLimit": ", ".join([f'"{each.policy}";r={each.remaining};t={each.seconds}' for each in statuses]),
    }
    return replace(response, headers={**limits, **response.headers})


class Metrics:
    """Opens the request's unit of work, and writes its log line with the metrics."""

    def __init__(self) -> None:
        self._cold = True

    def __call__(self, request: Request, handle: Handle) -> Response:
        started = time.perf_counter()
        with unit_of_work.begin(request.user_id, request.id) as unit:
            response = handle(request)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log_measured(
            "INFO",
            "request",
            (_ROUTE_MEASURE, _REQUEST_MEASURE, *_SPARSE_MEASURES),
            request_id=request.id,
            method=request.method,
            route=request.route.path,
            # A text: metrics are not distinguished by numbers.
            status=str(response.status),
            le=bucket(milliseconds),
            user_id=request.user_id,
            milliseconds=milliseconds,
            requests=1,
            round_trips=unit.usage.round_trips,
            round_trips_in_sequence=unit.usage.in_sequence,
            capacity_units=unit.usage.capacity_units,
            throttles=unit.usage.throttles,
            cold_starts=int(self._cold),
        )
        self._cold = False
        return response


class Errors:
    """Turns what a request raises into a problem document."""

    def __init__(self, takes_keys: bool) -> None:
        """``takes_keys``: whether routes with an access token take an idempotency key."""
        self._takes_keys = takes_keys

    def __call__(self, request: Request, handle: Handle) -> Response:
        try:
            return handle(request)
        except Exception as error:  # a defect, too: the last line of defence
            return failures.response_to(error, request, takes_keys=self._takes_keys)


class Counters(Protocol):
    """Where requests are counted; ``dynamodb/limits/repository.py``."""

    def consume(self, key: str, amount: int, ends: int) -> int: ...


class Quotas(Protocol):
    """How many requests there may be; ``runtime/settings.py``."""

    @property
    def rate_limits(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Window:
    """The current window of a policy for one user or network."""

    policy: Policy
    key: str
    """The key of the counter, different in each window."""
    ends: int
    """Seconds since 1970."""


@dataclass(slots=True)
class Lease:
    """A part of the quota of one window that this function consumes by itself."""

    window: Window
    left: int
    others: int
    """The rest of the quota, for all other function instances, when this lease was taken."""


class RateLimits:
    """Counts requests by the policies of their routes."""

    def __init__(self, counters: Counters, quotas: Quotas) -> None:
        self._counters = counters
        self._quotas = quotas
        self.leases: dict[str, Lease] = {}
        """What this container may consume without the table, by policy and whom it is for."""

    def __call__(self, request: Request, handle: Handle) -> Response:
        self.consume(request.route.limits, request)
        return handle(request)

    def consume(self, policies: Iterable[Policy], request: Request) -> None:
        """Count ``request`` for each policy, once at most. Raises ``RateLimited``.

        If the table responds with an error, a policy that is not exact lets the request pass: reading and writing
        must not end because it cannot be counted how often. Guessing must, so one that is exact does not.
        """
        counted = {limit_status.policy for limit_status in request.limit_statuses}
        now = time.time_ns() // 1_000_000_000
        for policy in policies:
            if policy.name in counted:
                continue
            who = network(request.ip) if policy.per is Per.IP else str(request.user_id)
            window = _window(policy, who, now)
            quota = self._quotas.rate_limits[policy.name]
            try:
                if policy.exact:
                    remaining = quota - self._counters.consume(window.key, 1, window.ends)
                else:
                    remaining = self._leased(window, quota, f"{policy.name}#{who}")
            except NotCounted as error:
                if policy.exact:
                    raise
                log("WARNING", "request not counted", request_id=request.id, policy=policy.name, error=repr(error))
                continue
            limit_status = LimitStatus(policy.name, quota, policy.seconds, max(0, remaining), window.ends - now)
            if remaining < 0:
                raise RateLimited(limit_status)
            request.limit_statuses.append(limit_status)

    def _leased(self, window: Window, quota: int, key: str) -> int:
        """What remains after this request; below 0 if there was nothing left for it."""
        lease = self.leases.get(key)
        if lease is None or lease.window != window:
            lease = Lease(window, 0, quota)
        if lease.left == 0 and lease.others > 0:
            lease = self._taken(window, quota, _lease_size(quota, lease.others))
        if len(self.leases) >= _MAX_LEASES:
            self.leases.clear()
        self.leases[key] = lease
        if lease.left == 0:
            return -1
        lease.left -= 1
        return lease.left + lease.others

    def _taken(self, window: Window, quota: int, wanted: int) -> Lease:
        remaining = quota - self._counters.consume(window.key, wanted, window.ends)
        return Lease(window, max(0, wanted + min(0, remaining)), max(0, remaining))


def _window(policy: Policy, who: str, now: int) -> Window:
    """The window at this time. Windows are fixed, and end at different times for each user and network."""
    counted = f"{policy.name}#{who}"
    shift = zlib.crc32(counted.encode()) % policy.seconds
    ends = ((now + shift) // policy.seconds + 1) * policy.seconds - shift
    return Window(policy, f"{counted}#{ends}", ends)


def _lease_size(quota: int, remaining: int) -> int:
    """How much of the remaining quota one container leases at once.

    The unused part of a lease is lost to the other containers. A lease is a fortieth of the quota at most, so four
    containers can leave a tenth of the quota unused.
    """
    return max(1, min(quota // 40, remaining // 20))


class Gate:
    """Refuses requests for tasks while an upgrade copies the tasks to their new table.

    No function reads the old table any more, and the new one is not complete. What is refused here was not written to
    either, so that the copy is of everything that was ever confirmed.
    """

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open

    def __call__(self, request: Request, handle: Handle) -> Response:
        if not self._is_open():
            raise TasksClosed
        return handle(request)


Redact = Callable[[str, Response], Response]
"""What of a first response this user may still see when it is given again."""


class Idempotency:
    """Carries out a write with an access token and an idempotency key once, however often it is sent.

    See draft-ietf-httpapi-idempotency-key-header. Any write with a token may have a key: a repeated POST makes no
    second thing, and a PATCH or DELETE with ``If-Match`` repeated after a lost response does not fail with a changed
    version that it changed itself.

    The response is stored in the same transaction as the effect, so there is no moment in which one is known without
    the other: after a lost response, a retry either finds the first response or carries the request out for the first
    time.
    """

    def __init__(self, records: IdempotencyRecords, redact: Redact | None = None) -> None:
        """``redact``: for responses that hold something that somebody may see no more."""
        self._records = records
        self._redact = redact

    def __call__(self, request: Request, handle: Handle) -> Response:
        if request.method in SAFE:
            return handle(request)
        if request.user_id is None:
            # What changes without a token has no version. Elsewhere ``carry_out`` says so when it is known whether the
            # caller may do it at all.
            request.require_match()
            return handle(request)
        key = request.headers.get("idempotency-key")
        if key is None:
            return handle(request)
        sent = f"{request.method} {request.path}\n".encode() + request.raw_body
        find = functools.partial(self._records.find, request.user_id, key_digest(key), sent)
        record = find()
        if record.response is not None:
            return self._replayed(request, record.response)
        request.idempotent = IdempotentRequest(self._records, record)
        try:
            return handle(request)
        except TaskSyncError:
            # The same request may have been carried out while this one was on its way, and be what it failed on; or
            # this one was, and only DynamoDB's response was lost.
            try:
                stored = find().response
            except DependencyFailed as unseen:
                raise OutcomeUnknown from unseen
            if stored is None:
                raise
            return self._replayed(request, stored)

    def _replayed(self, request: Request, stored: str) -> Response:
        """The response to the first request under this key."""
        members = json.loads(stored)
        first = Response(members["status"], members["body"], members["headers"])
        shown = replayed(self._redact(str(request.user_id), first) if self._redact else first)
        restored = request.route.restored
        return shown if restored is None else restored(shown)


def without_keys(request: Request, handle: Handle) -> Response:
    """Instead of ``Idempotency`` if no route takes a key: what such a route changes has no version."""
    if request.method not in SAFE:
        request.require_match()
    return handle(request)


def key_digest(key: str) -> str:
    """What of a key is stored. Raises ``BadIdempotencyKey``."""
    if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 255):
        raise BadIdempotencyKey
    return hashlib.sha256(key.encode()).hexdigest()


def replayed(response: Response) -> Response:
    """A response that was given before, marked as such."""
    return replace(response, headers={**response.headers, "Idempotency-Replayed": "true"})

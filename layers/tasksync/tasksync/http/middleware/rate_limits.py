"""Rate limits of routes: who is counted, in what order, and what the response says of it.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy: "read";q=600;w=60`` names the
policy, ``RateLimit: "read";r=599;t=30`` what is left of it and for how many seconds.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from tasksync.domain.rate_limits import READ, WRITE, Per, Policy, Window
from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
from tasksync.model.errors import NotCounted, RateLimited
from tasksync.observability.logs import log
from tasksync.runtime import clock

_MAX_LEASES = 5_000
_IPV6_PREFIX = 56


class Counters(Protocol):
    """Where requests are counted, and how many there may be; ``dynamodb/limits/repository.py``."""

    def quota(self, policy: str) -> int: ...
    def consume(self, key: str, amount: int, ends: int) -> int: ...


@dataclass(slots=True)
class Lease:
    """A part of the quota of one window that this function consumes by itself."""

    window: Window
    left: int
    others: int
    """The rest of the quota, for all other function instances, when this lease was taken."""


class RateLimits:
    """What an ``Api`` whose routes have limits is given."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
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
        now = clock.now()
        for policy in policies:
            if policy.name in counted:
                continue
            who = network(request.ip) if policy.per is Per.IP else request.caller.user_id
            window = Window.at(policy, who, now)
            quota = self._counters.quota(policy.name)
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
            limit_status = policy.limit_status(quota, remaining, window.ends - int(now.timestamp()))
            if remaining < 0:
                raise RateLimited(limit_status)
            request.limit_statuses.append(limit_status)

    def _leased(self, window: Window, quota: int, key: str) -> int:
        """What remains after this request; below 0 if there was nothing left for it."""
        lease = self.leases.get(key)
        if lease is None or lease.window != window:
            lease = Lease(window, 0, quota)
        if lease.left == 0 and lease.others > 0:
            lease = self._taken(window, quota, window.lease(quota, lease.others))
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


def of_method(method: str) -> tuple[Policy, ...]:
    """The policies of a route with a token that names none."""
    return (READ,) if method == "GET" else (WRITE,)


def network(ip: str) -> str:
    """Who is counted as one behind an address: an IPv4 address by itself, an IPv6 address with its /56.

    A /56 is what most providers give a customer. ``docs/security.md`` says what larger and smaller ones mean.
    """
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False))


def unlimited(request: Request, handle: Handle) -> Response:
    """Instead of ``RateLimits`` if no route is limited."""
    return handle(request)


def add_headers(request: Request, handle: Handle) -> Response:
    """Add ``RateLimit-Policy`` and ``RateLimit``, where the request was counted."""
    response = handle(request)
    statuses = request.limit_statuses
    if not statuses:
        return response
    limits = {
        "RateLimit-Policy": ", ".join(f'"{each.policy}";q={each.quota};w={each.window_seconds}' for each in statuses),
        "RateLimit": ", ".join(f'"{each.policy}";r={each.remaining};t={each.seconds}' for each in statuses),
    }
    return replace(response, headers={**limits, **response.headers})

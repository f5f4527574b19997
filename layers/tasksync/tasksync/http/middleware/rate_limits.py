"""Rate limits of routes: who is counted, in what order, and what the answer says of it.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy: "read";q=600;w=60`` names the
policy, ``RateLimit: "read";r=599;t=30`` what is left of it and for how many seconds.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasksync.domain.rate_limits import READ, WRITE, Per, Policy, Window
from tasksync.http.request import Request
from tasksync.model.errors import LimitStatus, NotCounted, RateLimited
from tasksync.observability.logs import log
from tasksync.runtime import clock

_MOST_SHARES = 5_000
_IPV6_PREFIX = 56


class Counters(Protocol):
    """Where requests are counted, and how many there may be; ``dynamodb/limits/repository.py``."""

    def quota(self, policy: str) -> int: ...
    def spend(self, key: str, amount: int, ends: int) -> int: ...


@dataclass(slots=True)
class Share:
    """A part of the quota of one window that this function took to spend by itself."""

    window: Window
    left: int
    others: int
    """What all others together could still take of the quota when this was taken."""


class RateLimits:
    """What an ``Api`` whose routes have limits is given."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.shares: dict[str, Share] = {}
        """What this container may spend without asking, by policy and whom it is for."""

    def spend(self, policies: Iterable[Policy], request: Request, limit_statuses: list[LimitStatus]) -> None:
        """Count ``request``, and add to ``limit_statuses`` what is left of each policy. Raises ``RateLimited``.

        Where the table answers with an error, a policy that is not exact lets the request pass: reading and writing
        must not end because it cannot be counted how often. Guessing must, so one that is exact does not.
        """
        now = clock.now()
        for policy in policies:
            who = network(request.ip) if policy.per is Per.IP else request.caller.user_id
            window = Window.at(policy, who, now)
            quota = self._counters.quota(policy.name)
            try:
                if policy.exact:
                    remaining = quota - self._counters.spend(window.key, 1, window.ends)
                else:
                    remaining = self._shared(window, quota, f"{policy.name}#{who}")
            except NotCounted as error:
                if policy.exact:
                    raise
                log("WARNING", "request not counted", request_id=request.id, policy=policy.name, error=repr(error))
                continue
            limit_status = policy.limit_status(quota, remaining, window.ends - int(now.timestamp()))
            if remaining < 0:
                raise RateLimited(limit_status)
            limit_statuses.append(limit_status)

    def _shared(self, window: Window, quota: int, key: str) -> int:
        """What remains after this request; below 0 if there was nothing left for it."""
        share = self.shares.get(key)
        if share is None or share.window != window:
            share = Share(window, 0, quota)
        if share.left == 0 and share.others > 0:
            share = self._taken(window, quota, window.share(quota, share.others))
        if len(self.shares) >= _MOST_SHARES:
            self.shares.clear()
        self.shares[key] = share
        if share.left == 0:
            return -1
        share.left -= 1
        return share.left + share.others

    def _taken(self, window: Window, quota: int, wanted: int) -> Share:
        remaining = quota - self._counters.spend(window.key, wanted, window.ends)
        return Share(window, max(0, wanted + min(0, remaining)), max(0, remaining))


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


def fields(limit_statuses: Iterable[LimitStatus]) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit``; none where nothing was counted."""
    listed = list(limit_statuses)
    if not listed:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{each.policy}";q={each.quota};w={each.window_seconds}' for each in listed),
        "RateLimit": ", ".join(f'"{each.policy}";r={each.remaining};t={each.seconds}' for each in listed),
    }

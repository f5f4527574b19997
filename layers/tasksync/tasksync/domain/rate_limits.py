"""Rate limit policies (OWASP ASVS 5.0.0 §6.3.1, OWASP API Security 2023 API2 and API4).

This module lists all policies; their quotas are parameters of the template. ``http/pipeline.py`` counts requests.
"""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

_IPV6_PREFIX = 56


class Per(StrEnum):
    """What a counter belongs to."""

    IP = "ip"
    USER = "user"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Policy:
    """A quota of requests in a window of ``seconds``.

    ``exact``: each request is counted in the table, so that concurrent requests cannot exceed the quota. Otherwise a
    container leases a part of the quota and counts in memory: never more than the quota is allowed, and at least nine
    tenths of it.
    """

    name: str
    per: Per
    seconds: int
    exact: bool = False


# Wrong passwords for one account from one network; see ``domain/users/login_throttle.py``.
SIGN_IN_FAILURES = Policy("sign-in-failures", Per.ACCOUNT, 900, exact=True)
SIGN_IN = Policy("sign-in", Per.IP, 900, exact=True)
# Registering, and changing a name or an address. The response shows whether somebody else has it.
REGISTRATION = Policy("registration", Per.IP, 3600, exact=True)
# Routes that check the caller's password: each check costs as much as a sign-in.
PASSWORD = Policy("password", Per.USER, 900, exact=True)
# Joining a room, and choosing the code of a new one. The response shows whether a room has the code.
JOIN = Policy("join", Per.USER, 60, exact=True)
JOIN_FROM = Policy("join-from", Per.IP, 60, exact=True)
# Adding users with whom the caller shares no room; counted by ``RoomService.add``.
ADD_STRANGERS = Policy("add-strangers", Per.USER, 3600, exact=True)
SESSION = Policy("session", Per.IP, 60)
PUBLIC = Policy("public", Per.IP, 60)
READ = Policy("read", Per.USER, 60)
WRITE = Policy("write", Per.USER, 60)

POLICIES = (
    SIGN_IN_FAILURES,
    SIGN_IN,
    REGISTRATION,
    PASSWORD,
    JOIN,
    JOIN_FROM,
    ADD_STRANGERS,
    SESSION,
    PUBLIC,
    READ,
    WRITE,
)


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

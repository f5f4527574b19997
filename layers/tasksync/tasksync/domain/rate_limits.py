"""Rate limit policies (OWASP ASVS 5.0.0 §6.3.1, OWASP API Security 2023 API2 and API4).

This module lists all policies; their quotas are parameters of the template. Windows are fixed, with a different offset
for each key, so that not all windows end at the same time.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasksync.model.errors import LimitStatus


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
    tenths of it (see ``Window.lease``).
    """

    name: str
    per: Per
    seconds: int
    exact: bool = False

    def limit_status(self, quota: int, remaining: int, seconds: int) -> LimitStatus:
        return LimitStatus(self.name, quota, self.seconds, max(0, remaining), max(1, seconds))


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


@dataclass(frozen=True, slots=True)
class Window:
    """The current window of a policy for one user, network or account."""

    policy: Policy
    key: str
    """The key of the counter, different in each window."""
    ends: int
    """Seconds since 1970."""

    @classmethod
    def at(cls, policy: Policy, who: str, now: datetime) -> "Window":
        counted = f"{policy.name}#{who}"
        shift = zlib.crc32(counted.encode()) % policy.seconds
        number = (int(now.timestamp()) + shift) // policy.seconds
        ends = (number + 1) * policy.seconds - shift
        return cls(policy, f"{counted}#{ends}", ends)

    def lease(self, quota: int, remaining: int) -> int:
        """How much of the remaining quota one container leases at once.

        The unused part of a lease is lost to the other containers. A lease is a fortieth of the quota at most, so four
        containers can leave a tenth of the quota unused.
        """
        return max(1, min(quota // 40, remaining // 20))

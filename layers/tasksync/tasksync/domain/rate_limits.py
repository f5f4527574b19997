"""How often what may be done (OWASP ASVS 5.0.0 §6.3.1, OWASP API Security 2023 API2 and API4).

All policies are in the table below; their quotas are parameters of the template. Windows are fixed: each key has its
own beginning in them, so that not everybody's end at the same moment.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasksync.model.errors import LimitStatus


class Per(StrEnum):
    """Whose requests are counted together."""

    IP = "ip"
    USER = "user"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests in so many seconds.

    ``exact``: each is counted in the table by itself, so that no concurrency gets past the quota.
    Otherwise a function takes a lease of the quota and consumes it by itself: never more than the quota, and at least
    nine tenths of it (see ``Window.lease``).
    """

    name: str
    per: Per
    seconds: int
    exact: bool = False

    def limit_status(self, quota: int, remaining: int, seconds: int) -> LimitStatus:
        return LimitStatus(self.name, quota, self.seconds, max(0, remaining), max(1, seconds))


# Wrong passwords of one account from one network; ``domain/users/login_throttle.py`` says what comes after them.
SIGN_IN_FAILURES = Policy("sign-in-failures", Per.ACCOUNT, 900, exact=True)
SIGN_IN = Policy("sign-in", Per.IP, 900, exact=True)
# Registering, and changing a name or an address: both say whether somebody else has it.
REGISTRATION = Policy("registration", Per.IP, 3600, exact=True)
# What looks at the caller's own password, right or wrong: each costs as much as signing in.
PASSWORD = Policy("password", Per.USER, 900, exact=True)
# Joining a room, and choosing the code of a new one: both say whether a room has it.
JOIN = Policy("join", Per.USER, 60, exact=True)
JOIN_FROM = Policy("join-from", Per.IP, 60, exact=True)
# Of people with whom the one who adds them shares no room; counted by ``RoomService.add``.
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
    """A policy's present window for one key."""

    policy: Policy
    key: str
    """Of the counter, different in each window."""
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
        """How much of what remains of the quota one function takes at once.

        What a function has taken and not spent is missing from the quota when others have spent theirs: a fortieth of
        it for each of four functions is a tenth.
        """
        return max(1, min(quota // 40, remaining // 20))

"""Guessing passwords, and how long it takes (OWASP ASVS 5.0.0 §6.3.1; NIST SP 800-63B-4 §3.2.2).

Attempts are counted for each account, whichever of its names was typed and wherever its password is asked for, and for
the network they come from. A name that nobody has is counted as if it were an account, so how one name is refused tells
nothing. An attempt is counted before the password is looked at, so that no concurrency gets more of them:

- the quota of failures from one network is free; then each attempt has to wait, twice as long each time, up to an hour;
- after 100 failures in a row, from wherever, a network from which nobody has signed in before waits an hour for each.
  A network from which somebody has keeps its own count. So an owner who is somewhere new gets a try within the hour,
  whatever others do from elsewhere; somebody in the owner's own network can use up the tries of both.

A right password forgets the failures.
"""

import hmac
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.conflicts import retry_on_conflict
from tasksync.domain.rate_limits import SIGN_IN_FAILURES
from tasksync.model.entities import LoginThrottle
from tasksync.model.errors import DependencyFailed, RateLimited, WriteConflict
from tasksync.runtime import clock

FAILURES_IN_A_ROW = 100

_FIRST_WAIT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 3600
_LONGEST_WAIT = 6  # 60 s doubled six times is more than an hour
_DAY_SECONDS = 24 * 3600


class LoginThrottles(Protocol):
    """``dynamodb/limits/repository.py`` says what each raises."""

    def quota(self, policy: str) -> int: ...
    def count_attempt(self, key: str, ends: int) -> LoginThrottle: ...
    def change_throttle(self, seen: LoginThrottle, changed: LoginThrottle) -> None: ...
    def count_failure(self, key: str) -> int: ...
    def is_known(self, key: str) -> bool: ...
    def forget_failures(self, throttle_key: str, failures_key: str, known_key: str) -> None: ...


class LoginThrottleService:
    """Says whether a password may be looked at."""

    def __init__(self, table: LoginThrottles, secret: Callable[[], bytes]) -> None:
        """``secret``: of the keys under which attempts are counted, so that no name or address is kept."""
        self._table = table
        self._secret = secret

    def reserve(self, account: str, network: str) -> "Attempt":
        """Count an attempt on ``account`` from ``network``. Raises ``RateLimited``; then it is not to be made.

        ``account``: the id of the user whose password is to be looked at, or the name typed if nobody has it.
        """
        attempt = Attempt(self._table, self._digest(account), self._digest(account, network))
        attempt.admit()
        return attempt

    def forgive(self, account: str, network: str) -> None:
        """Forget the failures of ``account`` from ``network``: who it is has been proved without a password."""
        Attempt(self._table, self._digest(account), self._digest(account, network)).succeeded()

    def _digest(self, *parts: str) -> str:
        return hmac.digest(self._secret(), "\n".join(("sign-in", *parts)).encode(), "sha256").hex()


class Attempt:
    """One look at a password."""

    def __init__(self, table: LoginThrottles, account: str, account_from_network: str) -> None:
        self._table = table
        self._tries_key = f"tries#{account_from_network}"
        self._failures_key = f"failures#{account}"
        self._known_key = f"known#{account_from_network}"

    def admit(self) -> None:
        """Raises ``RateLimited``."""
        now = int(clock.now().timestamp())
        tries = retry_on_conflict(lambda: self._counted(now))
        if tries.next_at is None:
            self._admit_free(tries, now)
        elif tries.next_at > now:
            raise self._too_early(tries.next_at - now)
        else:
            self._admit_waited(tries, now)

    def succeeded(self) -> None:
        """The password was right: forget the failures, and remember the network."""
        # Whoever is signed in is: what cannot be forgotten now is forgotten the next time.
        with suppress(DependencyFailed):
            self._table.forget_failures(self._tries_key, self._failures_key, self._known_key)

    def _counted(self, now: int) -> LoginThrottle:
        """The tries with this one. Raises ``WriteConflict`` if somebody else began to count anew at the same moment."""
        ends = now + SIGN_IN_FAILURES.seconds
        tries = self._table.count_attempt(self._tries_key, ends)
        if tries.ends > now:
            return tries
        anew = LoginThrottle(tries.key, 1, ends, version=tries.version + 1)
        self._table.change_throttle(tries, anew)
        return anew

    def _admit_free(self, tries: LoginThrottle, now: int) -> None:
        if tries.count > self._table.quota(SIGN_IN_FAILURES.name):
            # Came at the same moment as the last free one.
            self._make_wait(tries, now, 0)
        if self._is_stranger():
            self._make_wait(tries, now, _LONGEST_WAIT)
        if tries.count == self._table.quota(SIGN_IN_FAILURES.name):
            with suppress(RateLimited):
                self._make_wait(tries, now, 0)

    def _admit_waited(self, tries: LoginThrottle, now: int) -> None:
        stranger = self._is_stranger()
        if stranger and tries.waits < _LONGEST_WAIT:
            self._make_wait(tries, now, _LONGEST_WAIT)
        try:
            self._table.change_throttle(tries, _waiting(tries, now, tries.waits + 1))
        except WriteConflict as taken:
            raise self._too_early(_seconds(tries.waits + 1)) from taken

    def _is_stranger(self) -> bool:
        too_many = self._table.count_failure(self._failures_key) > FAILURES_IN_A_ROW
        return too_many and not self._table.is_known(self._known_key)

    def _make_wait(self, tries: LoginThrottle, now: int, waits: int) -> None:
        """Raises ``RateLimited``."""
        with suppress(WriteConflict):  # somebody else has just seen to it
            self._table.change_throttle(tries, _waiting(tries, now, waits))
        raise self._too_early(_seconds(waits))

    def _too_early(self, seconds: int) -> RateLimited:
        return RateLimited(SIGN_IN_FAILURES.limit_status(self._table.quota(SIGN_IN_FAILURES.name), 0, seconds))


def _waiting(tries: LoginThrottle, now: int, waits: int) -> LoginThrottle:
    next_at = now + _seconds(waits)
    return replace(tries, waits=waits, next_at=next_at, ends=next_at + _DAY_SECONDS, version=tries.version + 1)


def _seconds(waits: int) -> int:
    return int(min(_FIRST_WAIT_SECONDS * 2 ** min(waits, _LONGEST_WAIT), _LONGEST_WAIT_SECONDS))

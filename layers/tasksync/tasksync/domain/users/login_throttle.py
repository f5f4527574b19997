"""The login throttle: limits how fast passwords can be guessed (OWASP ASVS 5.0.0 §6.3.1; NIST SP 800-63B-4 §3.2.2).

Attempts are counted by account and by the network that they come from, on every route that takes a password. A username
or address that does not exist is counted like an account, so the throttle does not show which accounts exist. An
attempt is counted before the password is checked, so concurrent requests get no extra attempts:

- A quota of failures from one network is free. After that, each attempt has to wait: 60 s first, then twice as long
  each time, up to an hour.
- After 100 failures in a row from any networks, a network from which the account never signed in waits an hour before
  each attempt. Known networks have their own count. So the owner can sign in from a new network within an hour,
  whatever attackers do from other networks. An attacker in the owner's own network shares the owner's attempts.

A successful sign-in resets the failures.
"""

import hmac
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.rate_limits import SIGN_IN_FAILURES
from tasksync.model import times
from tasksync.model.entities import LoginThrottle
from tasksync.model.errors import DependencyFailed, LimitStatus, RateLimited, WriteConflict
from tasksync.runtime.unit_of_work import retry_on_conflict

FAILURES_IN_A_ROW = 100

_FIRST_WAIT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 3600
_LONGEST_WAIT = 6  # doublings: 60 s doubled six times is more than an hour
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
    """Decides whether a password may be checked."""

    def __init__(self, repository: LoginThrottles, secret: Callable[[], bytes]) -> None:
        """``secret``: the key of the digests under which attempts are counted, so that no name or address is stored."""
        self._repository = repository
        self._secret = secret

    def reserve(self, account: str, network: str) -> "Attempt":
        """Count an attempt on ``account`` from ``network``. Raises ``RateLimited`` if the password must not be checked.

        ``account``: the id of the user whose password is checked, or the name as typed if no user has it.
        """
        attempt = Attempt(self._repository, self._digest(account), self._digest(account, network))
        attempt.admit()
        return attempt

    def forgive(self, account: str, network: str) -> None:
        """Reset the failures of ``account`` from ``network``, after a proof of identity other than the password."""
        Attempt(self._repository, self._digest(account), self._digest(account, network)).succeeded()

    def _digest(self, *parts: str) -> str:
        return hmac.digest(self._secret(), "\n".join(("sign-in", *parts)).encode(), "sha256").hex()


class Attempt:
    """One check of a password."""

    def __init__(self, repository: LoginThrottles, account: str, account_from_network: str) -> None:
        self._repository = repository
        self._throttle_key = f"tries#{account_from_network}"
        self._failures_key = f"failures#{account}"
        self._known_key = f"known#{account_from_network}"

    def admit(self) -> None:
        """Count the attempt. Raises ``RateLimited``."""
        now = int(times.now().timestamp())
        throttle = self._counted(now)
        if throttle.next_at is None:
            self._admit_free(throttle, now)
        elif throttle.next_at > now:
            raise self._too_early(throttle.next_at - now)
        else:
            self._admit_waited(throttle, now)

    def succeeded(self) -> None:
        """The password was right: reset the failures, and remember the network."""
        # A failure here must not undo the sign-in; the next sign-in resets the failures.
        with suppress(DependencyFailed):
            self._repository.forget_failures(self._throttle_key, self._failures_key, self._known_key)

    @retry_on_conflict
    def _counted(self, now: int) -> LoginThrottle:
        """The throttle, with this attempt. Raises ``WriteConflict`` if another request started a new count
        meanwhile."""
        ends = now + SIGN_IN_FAILURES.seconds
        throttle = self._repository.count_attempt(self._throttle_key, ends)
        if throttle.ends > now:
            return throttle
        fresh = LoginThrottle(throttle.key, 1, ends, version=throttle.version + 1)
        self._repository.change_throttle(throttle, fresh)
        return fresh

    def _admit_free(self, throttle: LoginThrottle, now: int) -> None:
        if throttle.count > self._repository.quota(SIGN_IN_FAILURES.name):
            # It arrived at the same time as the last free attempt.
            self._make_wait(throttle, now, 0)
        if self._is_stranger():
            self._make_wait(throttle, now, _LONGEST_WAIT)
        if throttle.count == self._repository.quota(SIGN_IN_FAILURES.name):
            with suppress(RateLimited):
                self._make_wait(throttle, now, 0)

    def _admit_waited(self, throttle: LoginThrottle, now: int) -> None:
        stranger = self._is_stranger()
        if stranger and throttle.waits < _LONGEST_WAIT:
            self._make_wait(throttle, now, _LONGEST_WAIT)
        try:
            self._repository.change_throttle(throttle, _waiting(throttle, now, throttle.waits + 1))
        except WriteConflict as taken:
            raise self._too_early(_seconds(throttle.waits + 1)) from taken

    def _is_stranger(self) -> bool:
        too_many = self._repository.count_failure(self._failures_key) > FAILURES_IN_A_ROW
        return too_many and not self._repository.is_known(self._known_key)

    def _make_wait(self, throttle: LoginThrottle, now: int, waits: int) -> None:
        """Let further attempts wait. Raises ``RateLimited``."""
        with suppress(WriteConflict):  # another request has just done so
            self._repository.change_throttle(throttle, _waiting(throttle, now, waits))
        raise self._too_early(_seconds(waits))

    def _too_early(self, seconds: int) -> RateLimited:
        quota = self._repository.quota(SIGN_IN_FAILURES.name)
        return RateLimited(
            LimitStatus(SIGN_IN_FAILURES.name, quota, SIGN_IN_FAILURES.seconds, remaining=0, seconds=max(1, seconds))
        )


def _waiting(throttle: LoginThrottle, now: int, waits: int) -> LoginThrottle:
    next_at = now + _seconds(waits)
    return replace(throttle, waits=waits, next_at=next_at, ends=next_at + _DAY_SECONDS, version=throttle.version + 1)


def _seconds(waits: int) -> int:
    return int(min(_FIRST_WAIT_SECONDS * 2 ** min(waits, _LONGEST_WAIT), _LONGEST_WAIT_SECONDS))

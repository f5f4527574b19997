"""Whether every table and every secret answers in time: all are asked at once, and none is waited for any longer.

A table is asked for a key that nobody has. Of a secret the description is read, never the value: whoever may ask for
the health of the service need not be able to read its keys.

Anybody may ask for the health, as often as the gateway lets them, and what is asked here is paid. So what was found is
given again for some seconds. Asking one secret costs ten times as much as asking all tables: secrets take turns.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import DYNAMODB, SECRETS_MANAGER, Client, RetryPolicy
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

_NOBODY = {"S": "health"}

# An answer within 3 s is wanted, from a container that has to start first, too.
SECONDS = 1.5
RETRY_POLICY = RetryPolicy(connect_seconds=SECONDS, read_seconds=SECONDS, attempts=1)

AGE_SECONDS = 10
"""How old an answer may be."""

FAILED_AGE_SECONDS = 6
"""How old an answer may be in which something has failed: still no more than two looks in ten seconds."""

_SECRET_AGE_SECONDS = 60

_Probe = Callable[[], bool]


class Probes:
    """Asks tables and secrets by the names that the answer calls them by, and remembers what they said.

    May be used by several threads at once: those that come while others are asking wait, and get the same result.
    """

    def __init__(self) -> None:
        self._dynamodb = Client(DYNAMODB, RETRY_POLICY)
        self._secrets = Client(SECRETS_MANAGER, RETRY_POLICY)
        self._lock = threading.Lock()
        self._answering: dict[str, bool] = {}
        self._asked_at: dict[str, datetime] = {}
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    def answering(self) -> dict[str, bool]:
        """By table and secret, whether it answered when it was last asked. Takes 1.5 s at most.

        In the last 10 s were asked all tables, what did not answer before, and one secret in turn; in the last 70 s all
        secrets.
        """
        with self._lock:
            now = clock.now()
            seconds = AGE_SECONDS if all(self._answering.values()) else FAILED_AGE_SECONDS
            # A clock that was set back must not keep an answer for longer.
            if not timedelta() <= now - self._looked_at < timedelta(seconds=seconds):
                due = self._due(now)
                self._answering |= self._ask(due)
                self._asked_at |= dict.fromkeys(due, now)
                self._looked_at = now
            return dict(self._answering)

    def _due(self, now: datetime) -> dict[str, _Probe]:
        secrets = self._of_secrets()
        asked_at = {name: self._asked_at.get(name, self._looked_at) for name in secrets}
        in_turn = min(asked_at, key=lambda name: asked_at[name])
        return self._of_tables() | {
            name: probe
            for name, probe in secrets.items()
            if name == in_turn
            or not self._answering.get(name, False)
            or now - asked_at[name] >= timedelta(seconds=_SECRET_AGE_SECONDS)
        }

    def _ask(self, probes: Mapping[str, _Probe]) -> dict[str, bool]:
        # Not as a context manager: leaving that waits for the threads, and they may hang for as long again.
        threads = ThreadPoolExecutor(len(probes))
        asked = {name: threads.submit(_answers, probe) for name, probe in probes.items()}
        done, _ = wait(asked.values(), SECONDS)
        threads.shutdown(wait=False, cancel_futures=True)
        return {name: future in done and future.result() for name, future in asked.items()}

    def _of_tables(self) -> dict[str, _Probe]:
        return {
            "users": lambda: self._read(settings.users_table, "user_id"),
            "rooms": lambda: self._read(settings.rooms_table, "room_id", "item"),
            "tasks": lambda: self._read(settings.tasks_table, "owner_id", "task_id"),
            "sessions": lambda: self._read(settings.sessions_table, "session_id"),
            "activity": lambda: self._read(settings.activity_table, "room_id", "entry_id"),
            "rate_limits": lambda: self._read(settings.rate_limits_table, "limit_id"),
            "idempotency": lambda: self._read(settings.idempotency_table, "receipt_id"),
        }

    def _of_secrets(self) -> dict[str, _Probe]:
        return {
            "signing_secret": lambda: self._is_there(settings.signing_secret),
            "session_secret": lambda: self._is_there(settings.session_secret),
            "pepper_secret": lambda: self._is_there(settings.pepper_secret),
            "http_secret": lambda: self._is_there(settings.http_secret),
            "metrics_secret": lambda: self._is_there(settings.metrics_secret),
        }

    def _read(self, table: str, *key_names: str) -> bool:
        self._dynamodb.call("GetItem", {"TableName": table, "Key": dict.fromkeys(key_names, _NOBODY)})
        return True

    def _is_there(self, arn: str) -> bool:
        described: Mapping[str, Any] = self._secrets.call("DescribeSecret", {"SecretId": arn})
        # Scheduled for deletion: it is there for some days yet, and cannot be read any more.
        return "DeletedDate" not in described


def _answers(probe: _Probe) -> bool:
    try:
        return probe()
    except (BotoCoreError, ClientError):
        return False

"""Health probes: whether every table and every secret responds within 1.5 s. All probes run at the same time.

The probe of a table reads a key that does not exist. The probe of a secret reads its description, never its value: the
health function needs no permission to read keys.

The health route is public, and each probe costs money. So results are cached for some seconds. Probing one secret costs
ten times as much as probing all tables: secrets are probed in turn.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import DYNAMODB, SECRETS_MANAGER, Client, RetryPolicy
from tasksync.model import times
from tasksync.runtime.settings import settings

_NOBODY = {"S": "health"}

# The route must respond within 3 s, on a cold start too.
SECONDS = 1.5
RETRY_POLICY = RetryPolicy(connect_seconds=SECONDS, read_seconds=SECONDS, attempts=1)

AGE_SECONDS = 10
"""How long a result is cached."""

FAILED_AGE_SECONDS = 6
"""How long a result with a failure is cached: at most two runs in ten seconds."""

_SECRET_AGE_SECONDS = 60

_Probe = Callable[[], bool]


class Probes:
    """Probes tables and secrets, by the names that the response gives them, and caches the results.

    Safe for threads: a thread that calls while probes are running waits, and gets the same result.
    """

    def __init__(self) -> None:
        self._dynamodb = Client(DYNAMODB, RETRY_POLICY)
        self._secrets = Client(SECRETS_MANAGER, RETRY_POLICY)
        self._lock = threading.Lock()
        self._responding: dict[str, bool] = {}
        self._checked_at: dict[str, datetime] = {}
        self._refreshed_at = datetime.min.replace(tzinfo=UTC)

    def answering(self) -> dict[str, bool]:
        """Whether each table and secret responded to its last probe. Takes 1.5 s at most.

        Results of tables, of failed probes and of one secret in turn are at most 10 s old; those of all secrets at most
        70 s.
        """
        with self._lock:
            now = times.now()
            seconds = AGE_SECONDS if all(self._responding.values()) else FAILED_AGE_SECONDS
            # If the clock was set back, the cached result must not live longer.
            if not timedelta() <= now - self._refreshed_at < timedelta(seconds=seconds):
                due = self._due(now)
                self._responding |= self._run(due)
                self._checked_at |= dict.fromkeys(due, now)
                self._refreshed_at = now
            return dict(self._responding)

    def _due(self, now: datetime) -> dict[str, _Probe]:
        secrets = self._secret_probes()
        checked_at = {name: self._checked_at.get(name, self._refreshed_at) for name in secrets}
        in_turn = min(checked_at, key=lambda name: checked_at[name])
        return self._table_probes() | {
            name: probe
            for name, probe in secrets.items()
            if name == in_turn
            or not self._responding.get(name, False)
            or now - checked_at[name] >= timedelta(seconds=_SECRET_AGE_SECONDS)
        }

    def _run(self, probes: Mapping[str, _Probe]) -> dict[str, bool]:
        # Not as a context manager: its exit waits for the threads, which may hang for another 1.5 s.
        threads = ThreadPoolExecutor(len(probes))
        running = {name: threads.submit(_responds, probe) for name, probe in probes.items()}
        done, _ = wait(running.values(), SECONDS)
        threads.shutdown(wait=False, cancel_futures=True)
        return {name: future in done and future.result() for name, future in running.items()}

    def _table_probes(self) -> dict[str, _Probe]:
        return {
            "users": lambda: self._read(settings.users_table, "user_id"),
            "rooms": lambda: self._read(settings.rooms_table, "room_id", "item"),
            "tasks": lambda: self._read(settings.tasks_table, "owner_id", "item"),
            "sessions": lambda: self._read(settings.sessions_table, "session_id"),
            "live": lambda: self._read(settings.live_table, "live_id"),
            "log": lambda: self._read(settings.log_table, "owner_id", "item"),
            "webhooks": lambda: self._read(settings.webhooks_table, "room_id", "item"),
            "rate_limits": lambda: self._read(settings.rate_limits_table, "limit_id"),
            "idempotency": lambda: self._read(settings.idempotency_table, "receipt_id"),
        }

    def _secret_probes(self) -> dict[str, _Probe]:
        return {
            "signing_secret": lambda: self._exists(settings.signing_secret),
            "session_secret": lambda: self._exists(settings.session_secret),
            "pepper_secret": lambda: self._exists(settings.pepper_secret),
            "webhook_secret": lambda: self._exists(settings.webhook_secret),
            "http_secret": lambda: self._exists(settings.http_secret),
            "metrics_secret": lambda: self._exists(settings.metrics_secret),
        }

    def _read(self, table: str, *key_names: str) -> bool:
        self._dynamodb.call("GetItem", {"TableName": table, "Key": dict.fromkeys(key_names, _NOBODY)})
        return True

    def _exists(self, arn: str) -> bool:
        described: Mapping[str, Any] = self._secrets.call("DescribeSecret", {"SecretId": arn})
        # A secret scheduled for deletion still exists for some days, and cannot be read.
        return "DeletedDate" not in described


def _responds(probe: _Probe) -> bool:
    try:
        return probe()
    except (BotoCoreError, ClientError):
        return False

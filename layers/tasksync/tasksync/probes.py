"""Whether every table and every secret answers in time: all are asked at once, and none is waited for any longer.

A table is asked for a key that nobody has. Of a secret the description is read, never the value: whoever may ask for
the health of the service need not be able to read its keys.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import DYNAMODB, SECRETS_MANAGER, Client, Patience
from tasksync.settings import settings

_NOBODY = {"S": "health"}

# An answer within 3 s is wanted, from a container that has to start first, too.
SECONDS = 1.5
PATIENCE = Patience(connect_seconds=SECONDS, read_seconds=SECONDS, attempts=1)


class Probes:
    """Asks tables and secrets by the names that the answer calls them by."""

    def __init__(self) -> None:
        self._dynamodb = Client(DYNAMODB, PATIENCE)
        self._secrets = Client(SECRETS_MANAGER, PATIENCE)

    def answering(self) -> dict[str, bool]:
        """By table and secret, whether it answered. Takes 1.5 s at most."""
        probes = {**self._of_tables(), **self._of_secrets()}
        # Not as a context manager: leaving that waits for the threads, and they may hang for as long again.
        threads = ThreadPoolExecutor(len(probes))
        asked = {name: threads.submit(_answers, probe) for name, probe in probes.items()}
        done, _ = wait(asked.values(), SECONDS)
        threads.shutdown(wait=False, cancel_futures=True)
        return {name: future in done and future.result() for name, future in asked.items()}

    def _of_tables(self) -> dict[str, Callable[[], bool]]:
        return {
            "users": lambda: self._read(settings.users_table, "user_id"),
            "rooms": lambda: self._read(settings.rooms_table, "room_id", "item"),
            "tasks": lambda: self._read(settings.tasks_table, "owner_id", "task_id"),
            "sessions": lambda: self._read(settings.sessions_table, "session_id"),
            "activity": lambda: self._read(settings.activity_table, "room_id", "entry_id"),
            "rate_limits": lambda: self._read(settings.rate_limits_table, "limit_id"),
            "idempotency": lambda: self._read(settings.idempotency_table, "receipt_id"),
        }

    def _of_secrets(self) -> dict[str, Callable[[], bool]]:
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


def _answers(probe: Callable[[], bool]) -> bool:
    try:
        return probe()
    except (BotoCoreError, ClientError):
        return False

"""The settings of a function. Only this module reads environment variables.

Each property is one variable of ``template.yaml``. Reading a variable that the template does not set fails
with the variable's name; a contract test compares the two lists.
"""

import functools
import os
from collections.abc import Mapping


class Settings:
    """Reads each variable on access, so that a function needs only the variables that it uses."""

    @property
    def log_level(self) -> str:
        return os.environ["LOG_LEVEL"]

    @property
    def metrics_namespace(self) -> str:
        return os.environ["METRICS_NAMESPACE"]

    @property
    def latency_histogram(self) -> bool:
        """Whether requests are also counted by latency bucket."""
        return os.environ["LATENCY_HISTOGRAM"] == "true"

    @property
    def users_table(self) -> str:
        return os.environ["USERS_TABLE"]

    @property
    def rooms_table(self) -> str:
        return os.environ["ROOMS_TABLE"]

    @property
    def tasks_table(self) -> str:
        return os.environ["TASKS_TABLE"]

    @property
    def old_tasks_table(self) -> str:
        """Where tasks were before; only the migration that copies them reads it."""
        return os.environ["OLD_TASKS_TABLE"]

    @property
    def tasks_open(self) -> bool:
        """False while an upgrade copies the tasks to their new table."""
        return os.environ["TASKS_OPEN"] == "true"

    @property
    def sessions_table(self) -> str:
        return os.environ["SESSIONS_TABLE"]

    @property
    def idempotency_table(self) -> str:
        return os.environ["IDEMPOTENCY_TABLE"]

    @property
    def log_table(self) -> str:
        return os.environ["LOG_TABLE"]

    @property
    def activity_table(self) -> str:
        """Where audit trails were before; only what appends them to the change logs reads it."""
        return os.environ["ACTIVITY_TABLE"]

    @property
    def activity_retention_days(self) -> int:
        return int(os.environ["ACTIVITY_RETENTION_DAYS"])

    @property
    def trash_days(self) -> int:
        """How long deleted tasks can be restored."""
        return int(os.environ["TRASH_DAYS"])

    @property
    def rate_limits_table(self) -> str:
        return os.environ["RATE_LIMITS_TABLE"]

    @property
    def signing_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["SIGNING_SECRET"]

    @property
    def pepper_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["PEPPER_SECRET"]

    @property
    def session_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["SESSION_SECRET"]

    @property
    def http_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["HTTP_SECRET"]

    @property
    def metrics_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["METRICS_SECRET"]

    @property
    def metrics_cache_seconds(self) -> int:
        return int(os.environ["METRICS_CACHE_SECONDS"])

    @property
    def stream_functions(self) -> Mapping[str, str]:
        """The AWS name of each stream function, by its name in metrics."""
        return _pairs(os.environ["STREAM_FUNCTIONS"])

    @property
    def failure_queues(self) -> Mapping[str, str]:
        """The URL of each dead-letter queue, by the name of its function in metrics."""
        return _pairs(os.environ["FAILURE_QUEUES"])

    @property
    def token_issuer(self) -> str:
        return os.environ["TOKEN_ISSUER"]

    @property
    def access_token_seconds(self) -> int:
        return int(os.environ["ACCESS_TOKEN_SECONDS"])

    @property
    def refresh_token_seconds(self) -> int:
        return int(os.environ["REFRESH_TOKEN_SECONDS"])

    @property
    def refresh_idle_seconds(self) -> int:
        return int(os.environ["REFRESH_IDLE_SECONDS"])

    @property
    def recent_sign_in_seconds(self) -> int:
        return int(os.environ["RECENT_SIGN_IN_SECONDS"])

    @property
    def password_min_length(self) -> int:
        return int(os.environ["PASSWORD_MIN_LENGTH"])

    @property
    def bcrypt_cost(self) -> int:
        return int(os.environ["BCRYPT_COST"])

    @property
    def overview_cache_seconds(self) -> int:
        return int(os.environ["OVERVIEW_CACHE_SECONDS"])

    @property
    def concurrent_reads(self) -> int:
        """The maximum number of concurrent reads of one request."""
        return int(os.environ["CONCURRENT_READS"])

    @property
    def max_room_members(self) -> int:
        return int(os.environ["MAX_ROOM_MEMBERS"])

    @property
    def max_rooms_per_user(self) -> int:
        return int(os.environ["MAX_ROOMS_PER_USER"])

    @property
    def cors_allowed_origins(self) -> str:
        """Allowed origins, separated by commas; empty if there are none."""
        return os.environ["CORS_ALLOWED_ORIGINS"]

    @property
    def rate_limits(self) -> Mapping[str, int]:
        """The quota of each policy of ``domain/rate_limits.py``, by its name."""
        return _quotas(os.environ["RATE_LIMITS"])


@functools.cache
def _quotas(text: str) -> Mapping[str, int]:
    return {name: int(quota) for name, quota in _pairs(text).items()}


def _pairs(text: str) -> Mapping[str, str]:
    """Parse a text such as ``read=600 write=120``."""
    return {name: value for name, _, value in (each.partition("=") for each in text.split())}


settings = Settings()

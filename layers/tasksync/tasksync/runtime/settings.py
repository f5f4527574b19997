"""The settings of a function. Only this module reads environment variables.

Each property is one variable of ``template.yaml``. Reading a variable that the template does not set fails
with the variable's name; a contract test compares the two lists.

The variables of a container never change, so each is read once, at the first access.
"""

import os
from collections.abc import Mapping
from functools import cached_property


class Settings:
    """Reads each variable at the first access, so that a function needs only the variables that it uses."""

    @cached_property
    def log_level(self) -> str:
        return os.environ["LOG_LEVEL"]

    @cached_property
    def metrics_namespace(self) -> str:
        return os.environ["METRICS_NAMESPACE"]

    @cached_property
    def latency_histogram(self) -> bool:
        """Whether requests are also counted by latency bucket."""
        return os.environ["LATENCY_HISTOGRAM"] == "true"

    @cached_property
    def users_table(self) -> str:
        return os.environ["USERS_TABLE"]

    @cached_property
    def rooms_table(self) -> str:
        return os.environ["ROOMS_TABLE"]

    @cached_property
    def tasks_table(self) -> str:
        return os.environ["TASKS_TABLE"]

    @cached_property
    def old_tasks_table(self) -> str:
        """Where tasks were before; only the migration that copies them reads it."""
        return os.environ["OLD_TASKS_TABLE"]

    @cached_property
    def tasks_open(self) -> bool:
        """False while an upgrade copies the tasks to their new table."""
        return os.environ["TASKS_OPEN"] == "true"

    @cached_property
    def sessions_table(self) -> str:
        return os.environ["SESSIONS_TABLE"]

    @cached_property
    def idempotency_table(self) -> str:
        return os.environ["IDEMPOTENCY_TABLE"]

    @cached_property
    def log_table(self) -> str:
        return os.environ["LOG_TABLE"]

    @cached_property
    def activity_table(self) -> str:
        """Where audit trails were before; only what appends them to the change logs reads it."""
        return os.environ["ACTIVITY_TABLE"]

    @cached_property
    def activity_retention_days(self) -> int:
        return int(os.environ["ACTIVITY_RETENTION_DAYS"])

    @cached_property
    def trash_days(self) -> int:
        """How long deleted tasks can be restored."""
        return int(os.environ["TRASH_DAYS"])

    @cached_property
    def live_table(self) -> str:
        return os.environ["LIVE_TABLE"]

    @cached_property
    def live_url(self) -> str:
        """Where clients open WebSockets."""
        return os.environ["LIVE_URL"]

    @cached_property
    def live_endpoint(self) -> str:
        """Where messages to open WebSockets are sent: the URL of the WebSocket API's stage."""
        return os.environ["LIVE_ENDPOINT"]

    @cached_property
    def webhooks_table(self) -> str:
        return os.environ["WEBHOOKS_TABLE"]

    @cached_property
    def delivery_queue(self) -> str:
        """URL of the queue."""
        return os.environ["DELIVERY_QUEUE"]

    @cached_property
    def slow_delivery_queue(self) -> str:
        """URL of the queue of slow receivers."""
        return os.environ["SLOW_DELIVERY_QUEUE"]

    @cached_property
    def webhook_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["WEBHOOK_SECRET"]

    @cached_property
    def webhooks_to_loopback(self) -> bool:
        """Whether webhooks may be sent to this machine by http: on a machine of a developer alone.

        Never where Lambda runs the function, whatever the parameter says: there the machine itself has Lambda's runtime
        API, which hands out the events of the function.
        """
        return os.environ["WEBHOOKS_TO_LOOPBACK"] == "true" and "AWS_LAMBDA_RUNTIME_API" not in os.environ

    @cached_property
    def rate_limits_table(self) -> str:
        return os.environ["RATE_LIMITS_TABLE"]

    @cached_property
    def signing_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["SIGNING_SECRET"]

    @cached_property
    def pepper_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["PEPPER_SECRET"]

    @cached_property
    def session_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["SESSION_SECRET"]

    @cached_property
    def http_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["HTTP_SECRET"]

    @cached_property
    def metrics_secret(self) -> str:
        """ARN of the secret, not the secret."""
        return os.environ["METRICS_SECRET"]

    @cached_property
    def metrics_cache_seconds(self) -> int:
        return int(os.environ["METRICS_CACHE_SECONDS"])

    @cached_property
    def stream_functions(self) -> Mapping[str, str]:
        """The AWS name of each stream function, by its name in metrics."""
        return _pairs(os.environ["STREAM_FUNCTIONS"])

    @cached_property
    def failure_queues(self) -> Mapping[str, str]:
        """The URL of each dead-letter queue, by the name of its function in metrics."""
        return _pairs(os.environ["FAILURE_QUEUES"])

    @cached_property
    def token_issuer(self) -> str:
        return os.environ["TOKEN_ISSUER"]

    @cached_property
    def access_token_seconds(self) -> int:
        return int(os.environ["ACCESS_TOKEN_SECONDS"])

    @cached_property
    def refresh_token_seconds(self) -> int:
        return int(os.environ["REFRESH_TOKEN_SECONDS"])

    @cached_property
    def refresh_idle_seconds(self) -> int:
        return int(os.environ["REFRESH_IDLE_SECONDS"])

    @cached_property
    def recent_sign_in_seconds(self) -> int:
        return int(os.environ["RECENT_SIGN_IN_SECONDS"])

    @cached_property
    def password_min_length(self) -> int:
        return int(os.environ["PASSWORD_MIN_LENGTH"])

    @cached_property
    def bcrypt_cost(self) -> int:
        return int(os.environ["BCRYPT_COST"])

    @cached_property
    def overview_cache_seconds(self) -> int:
        return int(os.environ["OVERVIEW_CACHE_SECONDS"])

    @cached_property
    def concurrent_reads(self) -> int:
        """The maximum number of concurrent reads of one request."""
        return int(os.environ["CONCURRENT_READS"])

    @cached_property
    def max_room_members(self) -> int:
        return int(os.environ["MAX_ROOM_MEMBERS"])

    @cached_property
    def max_rooms_per_user(self) -> int:
        return int(os.environ["MAX_ROOMS_PER_USER"])

    @cached_property
    def cors_allowed_origins(self) -> frozenset[str]:
        """Allowed origins, which the variable separates by commas."""
        return frozenset(filter(None, (each.strip() for each in os.environ["CORS_ALLOWED_ORIGINS"].split(","))))

    @cached_property
    def rate_limits(self) -> Mapping[str, int]:
        """The quota of each policy of ``domain/rate_limits.py``, by its name."""
        return {name: int(quota) for name, quota in _pairs(os.environ["RATE_LIMITS"]).items()}


def _pairs(text: str) -> Mapping[str, str]:
    """Parse a text such as ``read=600 write=120``."""
    return {name: value for name, _, value in (each.partition("=") for each in text.split())}


settings = Settings()

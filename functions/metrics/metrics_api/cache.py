"""The answer that was given last, kept in the memory of the container for as long as the setting says."""

from datetime import datetime, timedelta

from metrics_api import exposition
from metrics_api.gathering import Gathering


class MetricsCache:
    """What is read from CloudWatch is paid by the metric: a second Prometheus server need not be a second reading."""

    def __init__(self) -> None:
        self._gathering = Gathering()
        self._kept: tuple[datetime, str] | None = None

    def at(self, now: datetime, seconds: int) -> str:
        """The text, no older than ``seconds``. Raises ``DependencyFailed``."""
        if self._kept is not None:
            made_at, answer = self._kept
            if now - made_at < timedelta(seconds=seconds):
                return answer
        answer = exposition.text(self._gathering.families(now))
        self._kept = now, answer
        return answer

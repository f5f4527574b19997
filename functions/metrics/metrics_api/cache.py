"""Caches the last exposition in the memory of the container, for as long as the setting says."""

from datetime import datetime, timedelta

from metrics_api import exposition
from metrics_api.gathering import MetricFamilies


class MetricsCache:
    """CloudWatch charges for each metric read, so scrapes of several Prometheus servers share one read."""

    def __init__(self) -> None:
        self._families = MetricFamilies()
        self._cached: tuple[datetime, str] | None = None

    def at(self, now: datetime, seconds: int) -> str:
        """The exposition, at most ``seconds`` old. Raises ``DependencyFailed``."""
        if self._cached is not None:
            built_at, text = self._cached
            if now - built_at < timedelta(seconds=seconds):
                return text
        text = exposition.text(self._families.families(now))
        self._cached = now, text
        return text

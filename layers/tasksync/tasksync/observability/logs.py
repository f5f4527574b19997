"""Structured logs: one JSON object per line on standard output, which Lambda sends to CloudWatch Logs.

Callers name each field. Whole objects are never logged, so that no body, token or header gets into a log.

A line can contain metrics: it names the fields that are numbers, and CloudWatch extracts them when it ingests the line.
This takes no API call. The format is CloudWatch's embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import functools
import json
import sys
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasksync.runtime.settings import settings

BUCKETS = ("0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")
_BOUNDS = [float(bound) for bound in BUCKETS[:-1]]

# Created once: json.dumps creates an encoder at each call with options.
# Without spaces: log volume costs money.
_JSON = json.JSONEncoder(default=str, separators=(",", ":"))

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def log(level: str, event: str, **fields: Any) -> None:
    """Write one line, if ``level`` is at least the configured level."""
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    _write(_JSON.encode({"level": level, "event": event, **fields}))


@dataclass(frozen=True, eq=False)
class Measure:
    """Which fields of a log line are metrics, and their dimensions.

    ``units``: the unit of each metric, by name. ``dimensions``: sets of text fields; each metric is aggregated for each
    combination of values of each set. ``sparse``: if all these metrics are 0, the line has none of them, because an
    hour with a value costs money, even if the value is 0.
    """

    units: Mapping[str, str]
    dimensions: Sequence[Sequence[str]]
    sparse: bool = False
    metrics: list[dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", [{"Name": name, "Unit": unit} for name, unit in self.units.items()])


def log_measured(level: str, event: str, measures: tuple[Measure, ...], **fields: Any) -> None:
    """Write one line as ``log`` does, with metrics among its ``fields``. A line below the level adds no metrics."""
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    line = _JSON.encode({"level": level, "event": event, **fields})
    reported = tuple(each for each in measures if not each.sparse or any(fields[name] for name in each.units))
    if reported:
        directives = _directives(reported, settings.metrics_namespace, settings.latency_histogram)
        metadata = f'{{"Timestamp":{time.time_ns() // 1_000_000},"CloudWatchMetrics":{directives}}}'
        line = f'{line[:-1]},"_aws":{metadata}}}'
    _write(line)


@functools.cache
def _directives(measures: tuple[Measure, ...], namespace: str, histogram: bool) -> str:
    """The metric directives as JSON. Cached: they are the same for each request, and most of the line."""
    return _JSON.encode(
        [
            {"Namespace": namespace, "Dimensions": _dimensions(measure, histogram), "Metrics": measure.metrics}
            for measure in measures
        ]
    )


def _dimensions(measure: Measure, histogram: bool) -> Sequence[Sequence[str]]:
    if histogram:
        return measure.dimensions
    return [names for names in measure.dimensions if "le" not in names]


def bucket(milliseconds: float) -> str:
    """The upper bound of the histogram bucket of this latency, in seconds, inclusive."""
    return BUCKETS[bisect_left(_BOUNDS, milliseconds / 1000)]


def _write(line: str) -> None:
    # JSON escapes line breaks and control characters, so a value cannot forge a second line.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

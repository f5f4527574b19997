"""Structured logs: one JSON object a line on standard output, which Lambda hands to CloudWatch Logs.

Callers name each field; nothing is logged whole, so that no body, token or header slips in.

A line can carry metrics: it then says which of its fields are numbers to be added up, and CloudWatch does that as it
takes the line in. No call is made for it. The form is CloudWatch's embedded metric format:
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

# Made once: json.dumps makes one at each call that does not take its defaults.
# Without blanks: a byte of log is paid.
_JSON = json.JSONEncoder(default=str, separators=(",", ":"))

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def log(level: str, event: str, **fields: Any) -> None:
    """Write one line, if ``level`` is at or above the level set."""
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    _write(_JSON.encode({"level": level, "event": event, **fields}))


@dataclass(frozen=True, eq=False)
class Measure:
    """Which fields of a line are metrics, and by which others they are told apart.

    ``units``: the unit of each metric, by its name. ``dimensions``: sets of fields whose values are texts; each metric
    is added up once for each combination of values of each set. ``sparse``: a line in which all of them are 0 carries
    none of them. A metric is paid for each hour in which it has a value, be that 0.
    """

    units: Mapping[str, str]
    dimensions: Sequence[Sequence[str]]
    sparse: bool = False
    metrics: list[dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", [{"Name": name, "Unit": unit} for name, unit in self.units.items()])


def log_measured(level: str, event: str, measures: tuple[Measure, ...], **fields: Any) -> None:
    """Write one line, as ``log`` does, some of whose ``fields`` are metrics. One that is not written adds nothing."""
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
    """In JSON. They are the same at each request, and longer than all else in its line."""
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
    """The bucket of the histogram of latencies that this one falls into: its upper bound in seconds, inclusive."""
    return BUCKETS[bisect_left(_BOUNDS, milliseconds / 1000)]


def _write(line: str) -> None:
    # json escapes line breaks and control characters: a value cannot forge a second line.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

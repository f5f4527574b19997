"""Extracts metrics from log lines in the embedded metric format, as CloudWatch Logs does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_DATA_AT_ONCE = 1000
_MINUTE_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True)
class _Series:
    """A metric in one minute, which is as fine as CloudWatch keeps it."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    minute: int


@dataclass(slots=True)
class _Statistics:
    count: int
    sum: float
    minimum: float
    maximum: float

    def add(self, value: float) -> None:
        self.count += 1
        self.sum += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)


def calls(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The arguments of the calls of PutMetricData that add up all metrics of these lines; times as numbers.

    A line that is no JSON object, or names no metrics, adds nothing.
    """
    added: dict[_Series, _Statistics] = {}
    for line in lines:
        for series, value in _metrics(line):
            statistics = added.get(series)
            if statistics is None:
                added[series] = _Statistics(1, value, value, value)
            else:
                statistics.add(value)
    for namespace in sorted({series.namespace for series in added}):
        data = [_datum(series, statistics) for series, statistics in added.items() if series.namespace == namespace]
        for first in range(0, len(data), _DATA_AT_ONCE):
            yield {"Namespace": namespace, "MetricData": data[first : first + _DATA_AT_ONCE]}


def _metrics(line: str) -> Iterator[tuple[_Series, float]]:
    if '"_aws"' not in line:
        return
    try:
        fields = json.loads(line)
    except ValueError:
        return
    minute = fields["_aws"]["Timestamp"] // _MINUTE_MILLISECONDS * _MINUTE_MILLISECONDS // 1000
    for directive in fields["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, fields[name]) for name in sorted(names))
            for metric in directive["Metrics"]:
                name = metric["Name"]
                yield _Series(directive["Namespace"], name, metric["Unit"], dimensions, minute), float(fields[name])


def _datum(series: _Series, statistics: _Statistics) -> dict[str, Any]:
    return {
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
        "Timestamp": series.minute,
        "Unit": series.unit,
        "StatisticValues": {
            "SampleCount": statistics.count,
            "Sum": statistics.sum,
            "Minimum": statistics.minimum,
            "Maximum": statistics.maximum,
        },
    }

"""Structured logs: one JSON object a line on standard output, which Lambda hands to CloudWatch Logs.

Callers name each field; nothing is logged whole, so that no body, token or header slips in.

A line can carry metrics: it then says which of its fields are numbers to be added up, and CloudWatch does that as it
takes the line in. No call is made for it. The form is CloudWatch's embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tasksync.settings import settings

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def log(level: str, event: str, **fields: Any) -> None:
    """Write one line, if ``level`` is at or above the level set."""
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    _write({"level": level, "event": event, **fields})


def log_measured(level: str, event: str, units: Mapping[str, str], dimensions: Sequence[str], **fields: Any) -> None:
    """Write one line, as ``log`` does, whose ``fields`` are metrics as far as ``units`` names them with their unit.

    ``dimensions``: the fields by whose values the metrics are told apart. A line that is not written adds nothing.
    """
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
    directive = {"Namespace": settings.metrics_namespace, "Dimensions": [list(dimensions)], "Metrics": metrics}
    metadata = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    _write({"level": level, "event": event, **fields, "_aws": metadata})


def _write(line: dict[str, Any]) -> None:
    # json escapes line breaks and control characters: a value cannot forge a second line.
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()

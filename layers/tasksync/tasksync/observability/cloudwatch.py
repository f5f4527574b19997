"""Reads metrics from CloudWatch, and the lengths of queues from SQS.

Limits of GetMetricData: 500 queries a call; a start more than 15 days ago needs periods of 5 minutes, one more than 63
days ago of an hour.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from tasksync.aws.client import OutOfTime, RetryPolicy, seconds_left
from tasksync.model.errors import DependencyFailed
from tasksync.runtime import deadline

# 2 x (1 s + 3 s) + 1 s of back-off = 9 s. One scrape makes several calls; none starts when time is nearly over.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=2)

# botocore's maximum pause before its second attempt.
_LONGEST_PAUSE_SECONDS = 1

Response = dict[str, Any]

_QUERIES_AT_ONCE = 500
_DAY = 86_400
_MINUTE = 60
_LATEST_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. ``dimensions``: names with values, sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A statistic of a metric: ``Sum``, ``SampleCount`` or ``Maximum``."""

    metric: Metric
    statistic: str


@contextmanager
def _translated() -> Iterator[None]:
    """Raises ``DependencyFailed`` if the service does not respond as its API describes.

    botocore reads any body: some end in errors of Python's own, others in a result without its members.
    """
    try:
        yield
    except (
        BotoCoreError,
        ClientError,
        ResponseParserError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise DependencyFailed from error


@_translated()
def metrics_of(namespace: str) -> list[Metric]:
    """The metrics that had a value in the last two weeks. A new metric is listed within 15 minutes.

    Raises ``DependencyFailed``, as all public functions of this module.
    """
    pages = _pages(client("cloudwatch").list_metrics, Namespace=namespace)
    # A metric that is added while pages are read may be on two of them.
    return list(dict.fromkeys(_metric(listed) for page in pages for listed in page["Metrics"]))


@_translated()
def totals(queries: Sequence[Query], since: datetime, now: datetime) -> dict[Query, float]:
    """The sum of each query from ``since`` until now; 0 without values.

    ``since``: a midnight in UTC, up to 14 days ago.

    The sums are of whole days, aligned as CloudWatch aligns them, so nothing is counted twice or left out. At this age,
    CloudWatch still stores each minute.
    """
    found = _values(queries, _DAY, since, _next_minute(now))
    return {query: sum((value for _, value in found.get(query, [])), 0.0) for query in queries}


@_translated()
def latest(queries: Sequence[Query], now: datetime, minutes: int = _LATEST_MINUTES) -> dict[Query, float]:
    """The latest value of each query in the last ten minutes, or so many. Queries without a value are left out."""
    until = _next_minute(now)
    found = _values(queries, _MINUTE, until - timedelta(minutes=minutes), until)
    return {query: max(values)[1] for query, values in found.items() if values}


@_translated()
def messages_in(queue_url: str) -> int:
    """The approximate number of visible messages in a queue."""
    attribute = "ApproximateNumberOfMessages"
    response = _call(client("sqs").get_queue_attributes, QueueUrl=queue_url, AttributeNames=[attribute])
    return int(response["Attributes"][attribute])


def _metric(listed: dict[str, Any]) -> Metric:
    dimensions = sorted((each["Name"], each["Value"]) for each in listed.get("Dimensions", []))
    return Metric(listed["Namespace"], listed["MetricName"], tuple(dimensions))


def _values(
    queries: Sequence[Query], period: int, start: datetime, end: datetime
) -> dict[Query, list[tuple[datetime, float]]]:
    """The values of each query, each with the start of its period."""
    found: dict[Query, list[tuple[datetime, float]]] = {}
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        by_id = {f"q{number}": query for number, query in enumerate(queries[first : first + _QUERIES_AT_ONCE])}
        wanted = [_wanted(name, query, period) for name, query in by_id.items()]
        get = client("cloudwatch").get_metric_data
        for page in _pages(get, MetricDataQueries=wanted, StartTime=start, EndTime=end):
            for result in page["MetricDataResults"]:
                if result["StatusCode"] not in ("Complete", "PartialData"):
                    raise DependencyFailed
                values = zip(result["Timestamps"], result["Values"], strict=True)
                found.setdefault(by_id[result["Id"]], []).extend(values)
    return found


def _wanted(name: str, query: Query, period: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.metric.dimensions]
    metric = {"Namespace": query.metric.namespace, "MetricName": query.metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": query.statistic}}


def _pages(operation: Callable[..., Response], **parameters: Any) -> Iterator[Response]:
    page = _call(operation, **parameters)
    yield page
    while token := page.get("NextToken"):
        page = _call(operation, **parameters, NextToken=token)
        yield page


def _call(operation: Callable[..., Response], **parameters: Any) -> Response:
    if not deadline.has_time():
        raise DependencyFailed
    return operation(**parameters)


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


@functools.cache
def client(service: str) -> Any:
    """boto3's client of a service. Created on first use, because it reads the description of the whole service."""
    config = Config(
        connect_timeout=RETRY_POLICY.connect_seconds,
        read_timeout=RETRY_POLICY.read_seconds,
        retries={"mode": "standard", "total_max_attempts": RETRY_POLICY.attempts},
        proxies={},  # as in our own client
    )
    created: Any = boto3.client(service, config=config)  # type: ignore[call-overload]  # any service
    created.meta.events.register_first(f"before-send.{service}", _limit_timeout)
    return created


def _limit_timeout(request: Any, **_: Any) -> None:
    """Limit the timeout of an attempt to the time that the function has left. Raises ``OutOfTime``."""
    seconds = seconds_left() - RETRY_POLICY.connect_seconds - _LONGEST_PAUSE_SECONDS
    if seconds <= 0:
        raise OutOfTime
    request.context = {"read_timeout": min(seconds, RETRY_POLICY.read_seconds)}

"""What CloudWatch has gathered, and how many messages queues hold.

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

from tasksync.aws.client import OutOfTime, RetryPolicy
from tasksync.model.errors import DependencyFailed
from tasksync.runtime import deadline

# 2 x (1 s + 3 s) + 1 s of back-off = 9 s. One scrape takes several calls; none is begun when time is nearly over.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=2)

# Of botocore, before its second attempt.
_LONGEST_PAUSE_SECONDS = 1

Response = dict[str, Any]

_QUERIES_AT_ONCE = 500
_DAY = 86_400
_MINUTE = 60
_LATEST_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Metric:
    """``dimensions``: names with values, sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """``statistic``: ``Sum``, ``SampleCount`` or ``Maximum``."""

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
    """Those that had a value in the last two weeks. A new one takes up to 15 minutes to be listed.

    Raises ``DependencyFailed``, as all functions here do.
    """
    pages = _pages(client("cloudwatch").list_metrics, Namespace=namespace)
    # Pages are read one after the other, and what is new in between may be in two of them.
    return list(dict.fromkeys(_metric(listed) for page in pages for listed in page["Metrics"]))


@_translated()
def totals(queries: Sequence[Query], since: datetime, now: datetime) -> dict[Query, float]:
    """What each adds up to from ``since``, a midnight in UTC of the last two weeks, until now; 0 for nothing.

    Whole days, aligned as CloudWatch aligns them: so nothing is counted twice or left out, and at that age each minute
    is still kept by itself.
    """
    found = _values(queries, _DAY, since, _next_minute(now))
    return {query: sum((value for _, value in found.get(query, [])), 0.0) for query in queries}


@_translated()
def latest(queries: Sequence[Query], now: datetime) -> dict[Query, float]:
    """The value of the latest minute that has one, of the last ten minutes; a query without one is left out."""
    until = _next_minute(now)
    found = _values(queries, _MINUTE, until - timedelta(minutes=_LATEST_MINUTES), until)
    return {query: max(values)[1] for query, values in found.items() if values}


@_translated()
def messages_in(queue_url: str) -> int:
    """How many messages can be taken from a queue, approximately, as SQS counts."""
    attribute = "ApproximateNumberOfMessages"
    response = _call(client("sqs").get_queue_attributes, QueueUrl=queue_url, AttributeNames=[attribute])
    return int(response["Attributes"][attribute])


def _metric(listed: dict[str, Any]) -> Metric:
    dimensions = sorted((each["Name"], each["Value"]) for each in listed.get("Dimensions", []))
    return Metric(listed["Namespace"], listed["MetricName"], tuple(dimensions))


def _values(
    queries: Sequence[Query], period: int, start: datetime, end: datetime
) -> dict[Query, list[tuple[datetime, float]]]:
    """The values of each query's periods, with the beginning of each."""
    found: dict[Query, list[tuple[datetime, float]]] = {}
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        asked = {f"q{number}": query for number, query in enumerate(queries[first : first + _QUERIES_AT_ONCE])}
        wanted = [_wanted(name, query, period) for name, query in asked.items()]
        get = client("cloudwatch").get_metric_data
        for page in _pages(get, MetricDataQueries=wanted, StartTime=start, EndTime=end):
            for result in page["MetricDataResults"]:
                if result["StatusCode"] not in ("Complete", "PartialData"):
                    raise DependencyFailed
                values = zip(result["Timestamps"], result["Values"], strict=True)
                found.setdefault(asked[result["Id"]], []).extend(values)
    return found


def _wanted(name: str, query: Query, period: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.metric.dimensions]
    metric = {"Namespace": query.metric.namespace, "MetricName": query.metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": query.statistic}}


def _pages(operation: Callable[..., Response], **question: Any) -> Iterator[Response]:
    page = _call(operation, **question)
    yield page
    while token := page.get("NextToken"):
        page = _call(operation, **question, NextToken=token)
        yield page


def _call(operation: Callable[..., Response], **question: Any) -> Response:
    if not deadline.has_time():
        raise DependencyFailed
    return operation(**question)


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


@functools.cache
def client(service: str) -> Any:
    """boto3's client of a service, made when it is first called: it reads the description of the whole service."""
    config = Config(
        connect_timeout=RETRY_POLICY.connect_seconds,
        read_timeout=RETRY_POLICY.read_seconds,
        retries={"mode": "standard", "total_max_attempts": RETRY_POLICY.attempts},
        proxies={},  # as of the client of our own
    )
    made: Any = boto3.client(service, config=config)  # type: ignore[call-overload]  # any service
    made.meta.events.register_first(f"before-send.{service}", _bounded)
    return made


def _bounded(request: Any, **_: Any) -> None:
    """Let no attempt, with the pause after it, take longer than the function has left. Raises ``OutOfTime``."""
    seconds = deadline.seconds_left() - RETRY_POLICY.connect_seconds - _LONGEST_PAUSE_SECONDS
    if seconds <= 0:
        raise OutOfTime
    request.context = {"read_timeout": min(seconds, RETRY_POLICY.read_seconds)}

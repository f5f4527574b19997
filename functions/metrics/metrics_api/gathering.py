"""Builds the metric families from CloudWatch, which extracts metrics from the functions' log lines.

Counters start on Monday, 0:00 UTC. CloudWatch stores each minute for 15 days, and lists metrics that had a value in the
last 14 days, so sums since Monday are exact and complete. Prometheus sees a new week as a counter reset.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics_api.exposition import Family, Sample
from tasksync.observability import cloudwatch
from tasksync.observability.cloudwatch import Metric, Query
from tasksync.observability.logs import BUCKETS
from tasksync.runtime.settings import settings

Labels = tuple[tuple[str, str], ...]

_ROUTE = ("method", "route")
_STATUS = ("method", "route", "status")
_BUCKET = ("le", "method", "route")

_REQUESTS = "tasksync_http_requests_total"
_LATENCY = "tasksync_http_request_duration_seconds"


@dataclass(frozen=True, slots=True)
class Counter:
    """A family of counters, or a summary: the totals of one metric, for each combination of dimension values."""

    metric: str
    dimensions: tuple[str, ...]
    name: str
    help: str


_COUNTERS = (
    Counter("requests", _STATUS, _REQUESTS, "Requests that a function handled."),
    Counter("cold_starts", _ROUTE, "tasksync_cold_starts_total", "Requests that were the first of a container."),
    Counter(
        "round_trips",
        _ROUTE,
        "tasksync_dynamodb_round_trips_total",
        "Attempts at calls to DynamoDB, including those without a response.",
    ),
    Counter("capacity_units", _ROUTE, "tasksync_dynamodb_capacity_units_total", "Capacity that DynamoDB charged."),
    Counter("throttles", _ROUTE, "tasksync_dynamodb_throttles_total", "Attempts that DynamoDB throttled."),
    Counter("storage_full", ("table",), "tasksync_storage_full_total", "Writes refused as a room has 10 GB."),
    Counter("records", ("function",), "tasksync_stream_records_total", "Stream records that were finished."),
    Counter("entries", ("function",), "tasksync_log_entries_total", "Entries that were appended to change logs."),
    Counter(
        "refetches",
        ("function",),
        "tasksync_log_refetches_total",
        "Entries of change logs that cover changes whose records were lost or unreadable; of migrations, repairs.",
    ),
    Counter("hints", ("function",), "tasksync_live_hints_total", "Connections that were sent hints of live updates."),
    Counter("hints_failed", ("function",), "tasksync_live_hints_failed_total", "Connections whose hints failed."),
    Counter("connections_opened", ("function",), "tasksync_live_connections_opened_total", "WebSockets opened."),
    Counter("connections_closed", ("function",), "tasksync_live_connections_closed_total", "WebSockets closed."),
    Counter("deliveries", ("outcome",), "tasksync_webhook_attempts_total", "Attempts to deliver events to webhooks."),
    Counter("stopped", ("state",), "tasksync_webhooks_stopped_total", "Webhooks that were suspended or disabled."),
    Counter("found", ("kind",), "tasksync_sweeper_found_total", "Unfinished removals that sweeps found."),
    Counter("finished", ("kind",), "tasksync_sweeper_finished_total", "Removals that sweeps finished."),
    Counter("failures", ("kind",), "tasksync_sweeper_failures_total", "Removals that sweeps could not finish."),
)


_SWEEP_MINUTES = 20
"""The sweeper counts every ten minutes. What is older than two sweeps is not known any more."""

_SUMMARIES = (
    Counter(
        "age_seconds",
        ("function",),
        "tasksync_stream_record_age_seconds",
        "Age of the oldest record whenever a function had finished some.",
    ),
    Counter(
        "hint_seconds",
        ("function",),
        "tasksync_live_hint_seconds",
        "Time from the oldest change of a batch until its hints were sent.",
    ),
)


class MetricFamilies:
    """Reads the families. It remembers the totals, so that no counter decreases if CloudWatch returns less than
    before."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._highest: dict[Query, float] = {}

    def families(self, now: datetime) -> list[Family]:
        """The current values of all families. Raises ``DependencyFailed``."""
        since = week_of(now)
        listed = cloudwatch.metrics_of(settings.metrics_namespace)
        totals = self._totals([query for metric in listed for query in _queries(metric)], since, now)
        return [
            Family(
                "tasksync_counters_start_timestamp_seconds",
                "gauge",
                "When the counters began to count, in seconds since 1970.",
                [Sample({}, since.timestamp())],
            ),
            *(_counted(counter, totals) for counter in _COUNTERS),
            _latency(totals),
            *(_summary(summary, totals) for summary in _SUMMARIES),
            *_stream_gauges(totals, now),
            _connections(listed, now),
        ]

    def _totals(self, queries: Sequence[Query], since: datetime, now: datetime) -> dict[Query, float]:
        if since != self._since:
            self._since, self._highest = since, {}
        for query, total in cloudwatch.totals(queries, since, now).items():
            self._highest[query] = max(total, self._highest.get(query, 0.0))
        return self._highest


def week_of(now: datetime) -> datetime:
    """Monday, 0:00 UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def _queries(metric: Metric) -> list[Query]:
    """The queries for a listed metric."""
    match metric.name, tuple(name for name, _ in metric.dimensions):
        case name, names if any((name, names) == (each.metric, each.dimensions) for each in _SUMMARIES):
            return [Query(metric, "Sum"), Query(metric, "SampleCount")]
        case ("milliseconds", names) if names == _ROUTE:
            return [Query(metric, "Sum")]
        case ("requests", names) if names == _BUCKET:
            return [Query(metric, "Sum")]
        case name, names if any((name, names) == (each.metric, each.dimensions) for each in _COUNTERS):
            return [Query(metric, "Sum")]
    return []


def _totals_of(
    totals: Mapping[Query, float], metric: str, dimensions: tuple[str, ...], statistic: str = "Sum"
) -> Iterable[tuple[Labels, float]]:
    """The totals of one metric, sorted by labels."""
    found = [
        (query.metric.dimensions, total)
        for query, total in totals.items()
        if query.metric.name == metric
        and query.statistic == statistic
        and tuple(name for name, _ in query.metric.dimensions) == dimensions
    ]
    return sorted(found)


def _counted(counter: Counter, totals: Mapping[Query, float]) -> Family:
    samples = [Sample(dict(labels), total) for labels, total in _totals_of(totals, counter.metric, counter.dimensions)]
    return Family(counter.name, "counter", counter.help, samples)


def _latency(totals: Mapping[Query, float]) -> Family:
    """A histogram for each route. If buckets are switched off, it has only the last bucket: all requests."""
    family = Family(_LATENCY, "histogram", "Time that functions took to handle requests.")
    all_requests: dict[Labels, float] = {}
    for labels, total in _totals_of(totals, "requests", _STATUS):
        route = tuple(each for each in labels if each[0] != "status")
        all_requests[route] = all_requests.get(route, 0.0) + total
    buckets: dict[Labels, dict[str, float]] = {}
    for labels, total in _totals_of(totals, "requests", _BUCKET):
        route = tuple(each for each in labels if each[0] != "le")
        buckets.setdefault(route, {})[dict(labels)["le"]] = total
    for route, milliseconds in _totals_of(totals, "milliseconds", _ROUTE):
        counts = buckets.get(route, {})
        # CloudWatch may not have processed all log lines yet, so one of the two may lag.
        count = max(all_requests.get(route, 0.0), sum(counts.values()))
        running = 0.0
        for bound in BUCKETS[:-1] if counts else ():
            running += counts.get(bound, 0.0)
            family.samples.append(Sample({**dict(route), "le": bound}, running, "_bucket"))
        family.samples += [
            Sample({**dict(route), "le": BUCKETS[-1]}, count, "_bucket"),
            Sample(dict(route), milliseconds / 1000, "_sum"),
            Sample(dict(route), count, "_count"),
        ]
    return family


def _summary(summary: Counter, totals: Mapping[Query, float]) -> Family:
    family = Family(summary.name, "summary", summary.help)
    counts = dict(_totals_of(totals, summary.metric, summary.dimensions, "SampleCount"))
    for labels, total in _totals_of(totals, summary.metric, summary.dimensions):
        family.samples += [
            Sample(dict(labels), total, "_sum"),
            Sample(dict(labels), counts.get(labels, 0.0), "_count"),
        ]
    return family


def _connections(listed: Sequence[Metric], now: datetime) -> Family:
    """Absent while there are none."""
    counted = [Query(metric, "Maximum") for metric in listed if metric.name == "connections_open"]
    values = cloudwatch.latest(counted, now, _SWEEP_MINUTES) if counted else {}
    return Family(
        "tasksync_live_connections_open",
        "gauge",
        "WebSockets of live updates that were open when the sweeper last counted them, within 20 minutes.",
        [Sample(dict(query.metric.dimensions), value) for query, value in sorted(values.items())],
    )


def _stream_gauges(totals: Mapping[Query, float], now: datetime) -> list[Family]:
    """Gauges of the stream functions. Gauges without a value are absent."""
    ages = {query.metric.dimensions[0][1]: query.metric for query in totals if query.metric.name == "age_seconds"}
    oldest = {name: Query(metric, "Maximum") for name, metric in ages.items()}
    behind = {
        name: Query(Metric("AWS/Lambda", "IteratorAge", (("FunctionName", function),)), "Maximum")
        for name, function in settings.stream_functions.items()
    }
    values = cloudwatch.latest([*oldest.values(), *behind.values()], now)
    return [
        Family(
            "tasksync_stream_record_age_max_seconds",
            "gauge",
            "Age of the oldest record in the latest minute, of the last ten, in which a function finished any.",
            [Sample({"function": name}, values[query]) for name, query in sorted(oldest.items()) if query in values],
        ),
        Family(
            "tasksync_stream_iterator_age_seconds",
            "gauge",
            "How far behind its streams Lambda reads for a function, as CloudWatch had it last in ten minutes.",
            [
                Sample({"function": name}, values[query] / 1000)
                for name, query in sorted(behind.items())
                if query in values
            ],
        ),
        Family(
            "tasksync_failure_queue_messages",
            "gauge",
            "Messages in the queue of what a function behind a stream gave up.",
            [
                Sample({"function": name}, float(cloudwatch.messages_in(queue)))
                for name, queue in sorted(settings.failure_queues.items())
            ],
        ),
    ]

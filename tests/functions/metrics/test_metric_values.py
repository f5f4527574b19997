"""What GET /metrics tells: what was logged, added up, and nothing else."""

from datetime import datetime, timedelta

import boto3
import pytest

from metrics_api.gathering import week_of
from tests.functions.metrics.scraping import Scraping, now
from tests.support.aws import LOCK
from tests.support.function_calls import call
from tests.support.problems import problem

REQUESTS = "tasksync_http_requests_total"
LATENCY = "tasksync_http_request_duration_seconds"


def test_requests_are_counted_by_route_and_status(scraping: Scraping) -> None:
    ann = scraping.product.register("ann")
    scraping.forget()
    room = ann.open_room()
    for _ in range(3):
        ann.get(f"/rooms/{room['id']}")
    ann.get("/rooms/nothing-here")
    scraping.gather()
    ann.get("/rooms/nothing-here")
    scraping.gather()

    numbers = scraping.numbers()

    assert {key: value for key, value in numbers.items() if key[0] == REQUESTS} == {
        (REQUESTS, frozenset({("method", "POST"), ("route", "/rooms"), ("status", "201")})): 1,
        (REQUESTS, frozenset({("method", "GET"), ("route", "/rooms/{room_id}"), ("status", "200")})): 3,
        (REQUESTS, frozenset({("method", "GET"), ("route", "/rooms/{room_id}"), ("status", "404")})): 2,
    }
    route = {"method": "GET", "route": "/rooms/{room_id}"}
    assert numbers["tasksync_dynamodb_round_trips_total", frozenset(route.items())] >= 5
    assert ("tasksync_dynamodb_throttles_total", frozenset(route.items())) not in numbers, "there were none"
    assert numbers["tasksync_dynamodb_capacity_units_total", frozenset(route.items())] > 0


def test_latencies_are_a_histogram_per_route(scraping: Scraping) -> None:
    route = {"method": "GET", "route": "/x"}
    for bound, count in (("0.05", 2), ("0.5", 3), ("+Inf", 1)):
        scraping.add("requests", count, now(), **route, le=bound)
    scraping.add("requests", 6, now(), **route, status="200")
    scraping.add("milliseconds", 4321, now(), **route)

    numbers = scraping.numbers()

    bounds = {dict(labels)["le"]: value for (name, labels), value in numbers.items() if name == f"{LATENCY}_bucket"}
    assert bounds == {"0.025": 0, "0.05": 2, "0.1": 2, "0.25": 2, "0.5": 5, "1": 5, "2.5": 5, "+Inf": 6}
    assert numbers[f"{LATENCY}_sum", frozenset(route.items())] == 4.321
    assert numbers[f"{LATENCY}_count", frozenset(route.items())] == 6


def test_without_the_histogram_only_the_last_bucket_remains(scraping: Scraping) -> None:
    scraping.product.aws.deploy(LatencyHistogram="false")
    scraping.product.anonymous.get("/health")
    scraping.gather()

    numbers = scraping.numbers()

    buckets = [(dict(labels)["le"], value) for (name, labels), value in numbers.items() if name == f"{LATENCY}_bucket"]
    assert buckets == [("+Inf", 1)]


def test_streams_and_sweeps_are_counted_per_function(scraping: Scraping) -> None:
    ann = scraping.product.register("ann")
    for room in (ann.open_room(), ann.open_room()):
        ann.delete(f"/rooms/{room['id']}")
    scraping.product.deliver()
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    call(scraping.product.aws, "SweeperFunction", {"older_than_seconds": 0})
    scraping.gather()

    cleanup = {"function": "room_cleanup"}
    assert scraping.number("tasksync_stream_records_total", **cleanup) == 2
    assert scraping.number("tasksync_stream_record_age_seconds_count", **cleanup) == 2
    age = scraping.number("tasksync_stream_record_age_seconds_sum", **cleanup)
    assert age is not None
    assert 0 <= age < 120
    most = scraping.number("tasksync_stream_record_age_max_seconds", **cleanup)
    assert most is not None
    assert age / 2 <= most <= age
    assert scraping.number("tasksync_sweeper_found_total", kind="rooms") == 1
    assert scraping.number("tasksync_sweeper_finished_total", kind="rooms") == 1
    assert scraping.number("tasksync_sweeper_failures_total", kind="rooms") == 0


def test_failure_queues_are_reported_with_their_current_length(scraping: Scraping) -> None:
    with LOCK:
        boto3.client("sqs").send_message(QueueUrl="ActivityFailures", MessageBody="given up")

    assert scraping.number("tasksync_failure_queue_messages", function="activity") == 1
    assert scraping.number("tasksync_failure_queue_messages", function="room_cleanup") == 0


def test_the_iterator_age_is_reported_while_lambda_reports_it(scraping: Scraping) -> None:
    named = [{"Name": "FunctionName", "Value": "ActivityFunction"}]
    values = ((9_000, 30), (4_000, 5), (2_000, 3))
    for value, minutes in values:
        at = now() - timedelta(minutes=minutes)
        datum = {"MetricName": "IteratorAge", "Value": value, "Timestamp": at, "Dimensions": named}
        scraping.put("AWS/Lambda", [datum])

    assert scraping.number("tasksync_stream_iterator_age_seconds", function="activity") == 2
    assert scraping.number("tasksync_stream_iterator_age_seconds", function="room_cleanup") is None


def test_counters_start_on_monday(scraping: Scraping) -> None:
    monday = week_of(now())
    route = {"method": "GET", "route": "/x", "status": "200"}
    scraping.add("requests", 5, monday - timedelta(minutes=1), **route)
    assert scraping.number(REQUESTS, **route) == 0

    scraping.add("requests", 7, monday, **route)
    scraping.add("requests", 1, now(), **route)

    assert scraping.number(REQUESTS, **route) == 8
    assert scraping.number("tasksync_counters_start_timestamp_seconds") == monday.timestamp()


@pytest.mark.parametrize(
    ("at", "monday"),
    [
        ("2026-11-16T00:00:00+00:00", "2026-11-16T00:00:00+00:00"),
        ("2026-11-22T23:59:59.999+00:00", "2026-11-16T00:00:00+00:00"),
        ("2027-01-01T12:00:00+00:00", "2026-12-28T00:00:00+00:00"),
    ],
)
def test_a_week_starts_on_monday_at_midnight(at: str, monday: str) -> None:
    assert week_of(datetime.fromisoformat(at)) == datetime.fromisoformat(monday)


def test_other_metrics_of_the_namespace_are_ignored(scraping: Scraping) -> None:
    scraping.add("UndecidedAccess", 1, now())
    scraping.add("requests", 1, now(), somewhere="else")

    assert {name for name, _ in scraping.numbers()} == {
        "tasksync_counters_start_timestamp_seconds",
        "tasksync_failure_queue_messages",
    }


def test_more_metrics_than_fit_in_one_call_are_all_reported(scraping: Scraping) -> None:
    for start in (0, 251):
        scraping.put(
            "tasksync",
            [
                {
                    "MetricName": "requests",
                    "Value": number + 1,
                    "Timestamp": now(),
                    "Dimensions": [
                        {"Name": "method", "Value": "GET"},
                        {"Name": "route", "Value": f"/{number}"},
                        {"Name": "status", "Value": "200"},
                    ],
                }
                for number in range(start, start + 251)
            ],
        )

    told = [value for (name, _), value in scraping.numbers().items() if name == REQUESTS]

    assert sorted(told) == [float(number + 1) for number in range(502)]


def test_label_values_are_escaped(scraping: Scraping) -> None:
    scraping.add("requests", 1, now(), method="GET", route='/"\\x', status="200")

    assert f'{REQUESTS}{{method="GET",route="/\\"\\\\x",status="200"}} 1' in scraping.scrape().text.splitlines()


def test_a_response_is_cached_for_the_configured_time(scraping: Scraping) -> None:
    scraping.product.aws.deploy(MetricsCacheSeconds="300")
    route = {"method": "GET", "route": "/x", "status": "200"}
    scraping.add("requests", 1, now(), **route)
    first = scraping.number(REQUESTS, **route)
    scraping.add("requests", 1, now(), **route)

    assert (first, scraping.number(REQUESTS, **route)) == (1, 1)

    scraping.product.aws.deploy(MetricsCacheSeconds="0")
    assert scraping.number(REQUESTS, **route) == 2


def test_no_counter_decreases_when_cloudwatch_drops_data(scraping: Scraping) -> None:
    route = {"method": "GET", "route": "/x", "status": "200"}
    scraping.add("requests", 3, now(), **route)
    assert scraping.number(REQUESTS, **route) == 3

    scraping.clear()
    scraping.add("requests", 1, now(), **route)

    assert scraping.number(REQUESTS, **route) == 3


def test_an_unreadable_queue_makes_the_response_a_problem(scraping: Scraping) -> None:
    with LOCK:
        boto3.client("sqs").delete_queue(QueueUrl="ActivityFailures")

    problem(scraping.scrape(), 503, "dependency_failed")

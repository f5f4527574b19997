"""Metrics: what a line says is to be added up, in CloudWatch's embedded metric format."""

import json
import time
from typing import Any

import pytest

from tasksync.observability.logs import bucket
from tests.support.function_calls import call
from tests.support.product import Product

Line = dict[str, Any]


@pytest.fixture
def told(product: Product, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that gives the lines with metrics that were written since it was last called."""
    product.aws.stack.parameters["LogLevel"] = "INFO"

    def lines() -> list[Line]:
        written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in written if "_aws" in line]

    return lines


def metrics(line: Line) -> dict[str, float]:
    """The metrics of a line, which follows the format's rules."""
    metadata = line["_aws"]
    assert abs(metadata["Timestamp"] - time.time() * 1000) < 60_000  # milliseconds
    values: dict[str, float] = {}
    for directive in metadata["CloudWatchMetrics"]:
        assert directive["Namespace"] == "tasksync"
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(line[name], str) and 1 <= len(line[name]) <= 1024 for name in dimensions)
        assert 1 <= len(directive["Metrics"]) <= 100
        assert {metric["Unit"] for metric in directive["Metrics"]} <= {"Count", "Milliseconds", "Seconds"}
        values |= {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    assert all(isinstance(value, int | float) for value in values.values())
    return values


def distinguished(line: Line) -> list[list[str]]:
    return [names for directive in line["_aws"]["CloudWatchMetrics"] for names in directive["Dimensions"]]


def of_requests(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["event"] == "request"]


def test_a_request_reports_its_route_its_time_and_its_cost(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.get("/rooms")  # takes a share of the limit on reading
    told()
    calls = product.aws.permissions.calls
    calls.clear()

    ann.get(f"/rooms/{room['id']}")

    [line] = of_requests(told())
    measured = metrics(line)
    assert distinguished(line) == [["method", "route"], ["method", "route", "status"], ["method", "route", "le"]]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/rooms/{room_id}", "200")
    assert measured.keys() == {"milliseconds", "round_trips", "capacity_units", "requests"}
    assert measured["milliseconds"] > 0
    assert (line["throttles"], line["cold_starts"]) == (0, 0), "what is 0 is in the line, and is no metric"
    # The authorizer's call is not the route's, which reads the room and the head of its log.
    assert measured["round_trips"] == len(calls) - 1 == 2
    assert measured["capacity_units"] > 0


def test_a_request_reports_only_its_own_usage(product: Product, told: Any) -> None:
    ann = product.register("ann")
    ann.get("/rooms/nothing-here")
    ann.open_room()
    told()

    ann.get("/rooms/nothing-here")
    ann.post("/rooms", json={"name": 1})

    assert [metrics(line)["round_trips"] for line in of_requests(told())] == [1, 0]


@pytest.mark.parametrize(
    ("milliseconds", "bound"),
    [
        (0.0, "0.025"),
        (25.0, "0.025"),
        (25.1, "0.05"),
        (1000.0, "1"),
        (2500.0, "2.5"),
        (2500.1, "+Inf"),
        (20_000.0, "+Inf"),
    ],
)
def test_a_latency_is_counted_in_the_first_bucket_that_is_not_below_it(milliseconds: float, bound: str) -> None:
    assert bucket(milliseconds) == bound


def test_requests_are_counted_by_latency_unless_disabled(product: Product, told: Any) -> None:
    product.aws.deploy(LatencyHistogram="false")
    told()

    product.anonymous.get("/health")

    [line] = of_requests(told())
    assert ["method", "route", "status"] in distinguished(line)
    assert ["method", "route", "le"] not in distinguished(line)


def test_a_container_reports_one_cold_start(product: Product, told: Any) -> None:
    told()

    for _ in range(2):
        product.anonymous.get("/health")

    # Whoever asked before in this process has had the cold start.
    assert "cold_starts" not in metrics(of_requests(told())[1])


def test_a_stream_function_reports_the_number_and_age_of_its_records(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    told()

    product.deliver()

    [line] = [line for line in told() if line["event"] == "record finished"]
    assert metrics(line)["records"] == 1
    assert 0 <= metrics(line)["age_seconds"] < 60
    assert distinguished(line) == [["function"]]
    assert line["function"] == "room_cleanup"


def test_each_stream_function_is_reported_by_its_name(product: Product, told: Any) -> None:
    ann = product.register("ann")
    ann.open_room()
    ann.delete("/users/me")
    told()

    product.deliver()

    finished = [line for line in told() if line["event"] in ("record finished", "records finished")]
    named = product.aws.stack.environment("MetricsFunction")["STREAM_FUNCTIONS"].split()
    assert {line["function"] for line in finished} == {each.partition("=")[0] for each in named}


def test_a_sweep_reports_what_it_found_and_finished(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    told()

    call(product.aws, "SweeperFunction", {"older_than_seconds": 0})

    swept = {line["kind"]: metrics(line) for line in told() if line["event"] == "swept"}
    # Of what was not found there is no metric: each would be paid for every hour.
    assert swept == {"rooms": {"found": 1, "finished": 1, "failures": 0}}


def test_above_the_log_level_there_are_no_metrics(product: Product, told: Any) -> None:
    product.aws.stack.parameters["LogLevel"] = "ERROR"

    product.anonymous.get("/health")

    assert told() == []

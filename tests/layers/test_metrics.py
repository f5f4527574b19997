"""Metrics: what a line says is to be added up, in CloudWatch's embedded metric format."""

import json
import time
from typing import Any

import pytest

from tests.support.lambdas import call
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
    [directive] = metadata["CloudWatchMetrics"]
    assert directive["Namespace"] == "tasksync"
    [dimensions] = directive["Dimensions"]
    assert all(isinstance(line[name], str) and 1 <= len(line[name]) <= 1024 for name in dimensions)
    assert 1 <= len(directive["Metrics"]) <= 100
    assert {metric["Unit"] for metric in directive["Metrics"]} <= {"Count", "Milliseconds", "Seconds"}
    values = {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    assert all(isinstance(value, int | float) for value in values.values())
    return values


def of_requests(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["event"] == "request"]


def test_a_request_tells_its_route_its_time_and_what_it_cost(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.get("/rooms")  # takes a share of the limit on reading
    told()
    calls = product.aws.permissions.calls
    calls.clear()

    ann.get(f"/rooms/{room['id']}")

    [line] = of_requests(told())
    measured = metrics(line)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["method", "route"]]
    assert (line["method"], line["route"]) == ("GET", "/rooms/{room_id}")
    assert measured.keys() == {*("milliseconds", "errors", "round_trips", "capacity_units", "throttles", "cold_starts")}
    assert measured["milliseconds"] > 0
    assert (measured["errors"], measured["throttles"]) == (0, 0)
    # The authorizer's call is not the route's.
    assert measured["round_trips"] == len(calls) - 1 == 1
    assert measured["capacity_units"] > 0


def test_a_request_is_charged_with_its_own_work_alone(product: Product, told: Any) -> None:
    ann = product.register("ann")
    ann.get("/rooms/nothing-here")
    ann.open_room()
    told()

    ann.get("/rooms/nothing-here")
    ann.post("/rooms", json={"name": 1})

    assert [metrics(line)["round_trips"] for line in of_requests(told())] == [1, 0]


def test_what_a_client_did_wrong_is_no_error_and_what_we_did_is(product: Product, told: Any) -> None:
    ann = product.register("ann")
    told()

    ann.get("/rooms/nothing-here")
    product.aws.dynamodb.update_table(TableName="RoomsTable", DeletionProtectionEnabled=False)
    product.aws.dynamodb.delete_table(TableName="RoomsTable")
    ann.get("/rooms")

    assert [(line["status"], metrics(line)["errors"]) for line in of_requests(told())] == [(404, 0), (503, 1)]


def test_a_container_starts_cold_once(product: Product, told: Any) -> None:
    told()
    for _ in range(2):
        product.anonymous.get("/health")

    # Whoever asked before in this process has had the cold start.
    assert [metrics(line)["cold_starts"] for line in of_requests(told())][1] == 0


def test_a_stream_tells_how_many_records_and_how_old(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    told()

    product.deliver()

    [cleaned] = [line for line in told() if line["event"] == "record finished"]
    assert metrics(cleaned)["records"] == 1
    assert 0 <= metrics(cleaned)["age_seconds"] < 60
    assert cleaned["key"] == "room_id"


def test_a_sweep_tells_what_it_found_and_finished(product: Product, told: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    told()

    call(product.aws, "SweeperFunction", {"older_than_seconds": 0})

    swept = {line["kind"]: metrics(line) for line in told() if line["event"] == "swept"}
    assert swept == {
        "users": {"found": 0, "finished": 0, "failures": 0},
        "rooms": {"found": 1, "finished": 1, "failures": 0},
    }


def test_above_the_level_of_the_lines_there_are_no_metrics(product: Product, told: Any) -> None:
    product.aws.stack.parameters["LogLevel"] = "ERROR"

    product.anonymous.get("/health")

    assert told() == []

"""Metrics are paid by the hour: each that is written is read, and each that is read is written."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from metrics_api import routes
from metrics_api.cache import MetricsCache
from tests.functions.metrics.scraping import Scraping, now
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver, status
from tests.support.faults import full, happening
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.stack import Stack
from tests.support.tables import change

STACK = Stack()
_SEARCH = re.compile(r"\{([^}]*)\} (.*)', '")
_NAME = re.compile(r'MetricName="(\w+)"')

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and its dimensions, in their order."""


def _without_values(series: Series) -> tuple[str, tuple[str, ...]]:
    name, dimensions = series
    return name, tuple(each for each, _ in dimensions)


@pytest.fixture
def written(scraping: Scraping, capsys: pytest.CaptureFixture[str]) -> set[Series]:
    """What the functions write once everything has happened: a request, a full room, a record, also a lost one, a sweep
    that finds, a webhook whose receiver wants no more."""
    _everything(scraping.product)
    found = set()
    for text in capsys.readouterr().out.splitlines():
        line: dict[str, Any] = json.loads(text)
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in directive["Dimensions"]:
                dimensions = tuple((name, line[name]) for name in names)
                found |= {(metric["Name"], dimensions) for metric in directive["Metrics"]}
    return found


def _everything(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    socket = product.connect(ann)
    with happening(full("TasksTableV2")):
        ann.post("/tasks", json={"title": "x", "room_id": room["id"]})
    task = ann.plan(room_id=room["id"])
    change(product.aws, "TasksTableV2", {"owner_id": room["id"], "item": task["id"]}, revision=7)
    ann.delete(f"/rooms/{room['id']}")
    call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
    product.deliver()
    socket.close()
    with Receiver(status(410)).listening() as receiver:
        hooked = HookedRoom(product, receiver)
        hooked.plan("first")
        hooked.queues.deliver()


def _on_the_dashboard() -> set[tuple[str, tuple[str, ...]]]:
    body = json.loads(STACK.resolve(STACK.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]))
    shown = set()
    for widget in body["widgets"]:
        for [part] in widget["properties"]["metrics"]:
            found = _SEARCH.search(part["expression"])
            assert found, part
            namespace, *names = found[1].replace('"', "").split(",")
            if not namespace.startswith("AWS/"):
                shown |= {(name, tuple(names)) for name in _NAME.findall(found[2])}
    return shown


def _with_alarms() -> set[Series]:
    alarms = STACK.of_type("AWS::CloudWatch::Alarm").values()
    parts = [
        part["MetricStat"]["Metric"] for alarm in alarms for part in alarm.get("Metrics", []) if "MetricStat" in part
    ]
    return {
        (
            metric["MetricName"],
            tuple((each["Name"], STACK.resolve(each["Value"])) for each in metric.get("Dimensions", [])),
        )
        for metric in [*(alarm for alarm in alarms if "MetricName" in alarm), *parts]
        if metric["Namespace"] == {"Ref": "AWS::StackName"}
    }


def _of_filters() -> set[Series]:
    filters = STACK.of_type("AWS::Logs::MetricFilter").values()
    return {(each["MetricName"], ()) for properties in filters for each in properties["MetricTransformations"]}


def _scraped(scraping: Scraping, every: Iterable[Series]) -> Any:
    """What a scrape says of these alone."""
    routes.cache = MetricsCache()
    scraping.clear()
    for name, dimensions in every:
        scraping.add(name, 1, now(), **dict(dimensions))
    return scraping.numbers()


# A throttle and a cold start come when they like.
RARE = {("throttles", ("method", "route")), ("cold_starts", ("method", "route"))}


def test_metrics_of_the_dashboard_and_the_alarms_are_written(written: set[Series]) -> None:
    assert _on_the_dashboard() <= {_without_values(series) for series in written} | RARE
    assert _with_alarms()
    assert _with_alarms() <= written | _of_filters()


def test_written_metrics_are_read_by_the_dashboard_or_by_a_scrape(written: set[Series], scraping: Scraping) -> None:
    # In order, so that all are of one route.
    of_each_kind = {_without_values(series): series for series in sorted(written, reverse=True)}
    whole = _scraped(scraping, of_each_kind.values())

    unread = [
        kind
        for kind in of_each_kind.keys() - _on_the_dashboard()
        if _scraped(scraping, [series for each, series in of_each_kind.items() if each != kind]) == whole
    ]

    assert unread == []

"""The dashboard for Grafana asks for what GET /metrics gives, by labels that it has."""

import json
import re
from typing import Any

from infrastructure.template import REPOSITORY
from tests.functions.metrics.scraping import Scraping, now

DASHBOARD: Any = json.loads((REPOSITORY / "infrastructure" / "grafana" / "tasksync.json").read_text(encoding="utf-8"))
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]

_METRIC = re.compile(r"tasksync_\w+")
_BY = re.compile(r"by \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


def _given(scraping: Scraping) -> dict[str, set[str]]:
    """Every name that GET /metrics gives once all has happened, with its labels."""
    route = {"method": "GET", "route": "/x"}
    for name in ("milliseconds", "cold_starts", "round_trips", "capacity_units", "throttles"):
        scraping.add(name, 1, now(), **route)
    scraping.add("requests", 1, now(), **route, status="200")
    scraping.add("requests", 1, now(), **route, le="0.5")
    for name in ("records", "age_seconds", "entries", "refetches"):
        scraping.add(name, 1, now(), function="activity")
    for name in (
        "hints",
        "hints_failed",
        "hint_seconds",
        "connections_open",
        "connections_opened",
        "connections_closed",
    ):
        scraping.add(name, 1, now(), function="live")
    for name in ("found", "finished", "failures"):
        scraping.add(name, 1, now(), kind="rooms")
    scraping.add("storage_full", 1, now(), table="TasksTableV2")
    dimensions = [{"Name": "FunctionName", "Value": "ActivityFunction"}]
    datum = {"MetricName": "IteratorAge", "Value": 1, "Timestamp": now(), "Dimensions": dimensions}
    scraping.put("AWS/Lambda", [datum])
    return {name: {label for label, _ in labels} for name, labels in scraping.numbers()}


def test_each_expression_uses_existing_metrics_and_labels(scraping: Scraping) -> None:
    given = _given(scraping)

    for expression in EXPRESSIONS:
        names = _METRIC.findall(expression)
        assert names
        assert set(names) <= given.keys(), expression
        asked = {label.strip() for labels in _BY.findall(expression) for label in labels.split(",")}
        assert all(asked <= given[name] for name in names), expression


def test_every_metric_has_a_panel(scraping: Scraping) -> None:
    shown = {name for expression in EXPRESSIONS for name in _METRIC.findall(expression)}

    # Of a histogram quantiles are shown, for which its buckets are enough.
    of_histogram = {f"tasksync_http_request_duration_seconds_{each}" for each in ("sum", "count")}
    assert _given(scraping).keys() - shown == of_histogram


def test_legends_use_labels_that_the_expression_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            kept = {label.strip() for labels in _BY.findall(target["expr"]) for label in labels.split(",")}
            assert set(_LEGEND.findall(target["legendFormat"])) <= kept, target


def test_panels_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)

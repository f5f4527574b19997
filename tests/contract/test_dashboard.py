"""The dashboard: it is read by CloudWatch, and shows metrics that there are."""

import ast
import json
import re
from typing import Any

from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
BODY: Any = json.loads(STACK.resolve(STACK.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]))
SEARCHES = [widget["properties"]["metrics"][0][0]["expression"] for widget in BODY["widgets"]]

# Those that AWS makes by itself.
OF_AWS = {"IteratorAge", "ApproximateNumberOfMessagesVisible"}


def _names_in(code: str) -> set[str]:
    """Every text in the code: a metric's name is one of them."""
    return {
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_widgets_do_not_overlap() -> None:
    places = [(widget["x"], widget["y"]) for widget in BODY["widgets"]]

    assert len(places) == len(set(places))
    assert all(widget["width"] == 12 and widget["height"] == 6 for widget in BODY["widgets"])
    assert all(widget["properties"]["region"] == "us-east-1" for widget in BODY["widgets"])


def test_the_dashboard_shows_only_metrics_that_the_code_writes() -> None:
    shown = {name for search in SEARCHES for name in re.findall(r'MetricName="(\w+)"', search)}
    roots = [REPOSITORY / "layers" / "tasksync" / "tasksync", REPOSITORY / "functions"]
    written = {name for root in roots for path in root.rglob("*.py") for name in _names_in(path.read_text("utf-8"))}

    assert shown - OF_AWS <= written
    assert all('"tasksync"' in search or "AWS/" in search for search in SEARCHES)

"""What each route asks of DynamoDB, against the table of docs/performance.md: neither may change without the other."""

import json
import re
from collections import Counter

import pytest

from infrastructure.openapi.document import document
from infrastructure.template import REPOSITORY
from tests.functions.costs.route_requests import Team
from tests.support.gateway import routes
from tests.support.product import Product
from tests.support.request_costs import measured_costs
from tests.support.stack import Stack

PAGE = REPOSITORY / "docs" / "performance.md"
Row = tuple[str, ...]

PROBES = {"GET /health", "HEAD /health"}
"""Ask every table for a key that nobody has, each by itself."""


def test_each_route_costs_what_the_page_states(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    team = Team(product)
    product.aws.deploy(LogLevel="INFO")
    for path in ("/", "/users/me", "/users/me/changes", "/health"):
        team.ann.get(path)  # the functions that opening a team has not started: a cold start is a metric more
    team.ann.post("/live/tickets")
    measured = []

    for name, request in team.requests().items():
        capsys.readouterr()
        with measured_costs(product.aws) as costs:
            response = request()
        assert response.status < 300, response
        written = capsys.readouterr().out
        lines = map(json.loads, written.splitlines())
        [line] = [line for line in lines if line["event"] == "request"]
        assert name.partition(", ")[0] == f"{line['method']} {line['route']}"
        calls = (line[name] - costs.leases for name in ("round_trips_in_sequence", "round_trips"))
        counts = (*calls, costs.items, f"{costs.units:g}", costs.writes, costs.write_units.total())
        assert sum(len(each["Metrics"]) for each in line["_aws"]["CloudWatchMetrics"]) == 4
        measured.append((f"`{name}`", *map(str, counts), str(len(written.encode()))))

    rows = "\n".join("| " + " | ".join(row) + " |" for row in measured)
    assert [row[:-1] for row in _written()] == [row[:-1] for row in measured], rows
    assert [int(row[-1]) for row in _written()] == pytest.approx([int(row[-1]) for row in measured], rel=0.05), rows


def test_reads_from_an_eventually_consistent_index_are_marked(product: Product) -> None:
    paths = document()["paths"]
    read, silent = set(), set()

    for name, request in Team(product).requests().items():
        with measured_costs(product.aws) as costs:
            request()
        method, path = name.partition(", ")[0].split()
        if costs.behind and not costs.writes:
            read.add(path)
            if "behind" not in paths[path][method.lower()].get("description", ""):
                silent.add((name, *costs.behind))

    assert {"/tasks", "/rooms", "/users", "/auth/sessions"} < read
    assert not silent


def test_every_route_is_on_the_page(product: Product) -> None:
    stack = product.aws.stack
    shown = {row[0].strip("`").partition(", ")[0] for row in _written()}
    # The page has one sentence for all preflights: they are answered before anything is read.
    served = [each for each in routes(product.aws) if each.method != "OPTIONS"]
    of_silent = {f"{each.method} {each.path}" for each in served if _asks_nothing(stack, each.function)}

    assert shown | of_silent | PROBES == {f"{each.method} {each.path}" for each in served}
    assert not shown & (of_silent | PROBES)


def test_the_health_check_reads_each_table_once(product: Product) -> None:
    assert product.anonymous.get("/health").status == 200

    asked = Counter(product.aws.permissions.calls)
    # What upgrades the data of the version before uses its tables, and no route.
    tables = product.aws.stack.of_type("AWS::DynamoDB::Table").keys() - {"TasksTable", "ActivityTable"}
    assert asked["GetItem"] == len(tables)
    assert asked.keys() == {"GetItem", "DescribeSecret"}


def _asks_nothing(stack: Stack, function: str) -> bool:
    """Whether its policies let it ask DynamoDB for nothing but a lease of a rate limit."""
    grants = [
        (action, resource.rpartition("/")[2])
        for statement in stack.statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith("dynamodb:")
    ]
    return set(grants) <= {("dynamodb:UpdateItem", "RateLimitsTable")}


def _written() -> list[Row]:
    text = PAGE.read_text(encoding="utf-8").partition("## Costs of each route")[2].partition("\n### ")[0]
    return [tuple(row.split(" | ")) for row in re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)]

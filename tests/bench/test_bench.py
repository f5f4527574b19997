"""The parts of ``make bench`` still run, and what they find has the form that the documents show. Never how fast."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import lists, report
from infrastructure.template import REPOSITORY

SIZES = (20, 60)
# The first request of each asks for more than the next one.
FUNCTIONS = ["AuthorizerFunction", "HealthFunction", "MetricsFunction"]


def run(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, cwd=REPOSITORY, env=os.environ, check=True, stdout=subprocess.DEVNULL)


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def in_order(spread: dict[str, float]) -> bool:
    return 0 < spread["low"] <= spread["median"] <= spread["high"]


@pytest.mark.usefixtures("_mocked_aws")
def test_lists_are_measured_at_each_size() -> None:
    found = lists.measure(SIZES, 2, 1)

    assert set(lists.CASES) < set(found)
    assert all(list(rows) == ["20", "60"] for rows in found.values())
    whole = found["all"]
    assert [whole[size]["returned"] for size in whole] == [20, 50]
    assert [whole[size]["items"] for size in whole] == [20, 51]
    assert all(in_order(row["cpu"]) for rows in found.values() for row in rows.values())
    [(page, table)] = report.tables("lists", found)
    assert page == "engineering-log.md"
    assert table.startswith("| list | 20 | 60 |\n|---|---|---|\n| all | 20/20 · ")


def test_recorded_requests_are_measured_warm_and_cold(tmp_path: Path) -> None:
    recording, warm, cold = (tmp_path / name for name in ("recording.json", "warm.json", "cold.json"))
    run("bench.recording", recording)
    run("bench.cpu", recording, warm, 2, 1)
    run("bench.cold", recording, cold, 2, *FUNCTIONS)

    plain = ["get a task", "list 50 tasks", "create a task", "open a room of 20"]
    assert list(read(warm)) == [*plain, "sync, nothing new", "sync, 50 changes"]
    assert all(in_order(row["to the floor"]) for row in read(warm).values())
    assert all(in_order(read(warm)[name]["to the plain way"]) for name in plain)
    assert list(read(cold)) == FUNCTIONS
    assert all(in_order(row) for row in read(cold).values())
    assert [lines(table) for part, file in (("cpu", warm), ("cold", cold)) for table in tables(part, file)] == [8, 8, 5]


def test_a_table_replaces_the_one_with_the_same_first_line(tmp_path: Path) -> None:
    spread = {"low": 0.8, "median": 0.9, "high": 1.0}
    page = tmp_path / "engineering-log.md"
    page.write_text("Before.\n\n| function | times the floor | wanted |\n|---|---|---|\n| x | y | z |\n\nAfter.\n")

    report.renew(tmp_path, "cold", {"RoomCleanupFunction": spread})

    assert re.findall(r"(?m)^.+$", page.read_text(encoding="utf-8")) == [
        "Before.",
        "| function | times the floor | wanted |",
        "|---|---|---|",
        "| room_cleanup | 0.90 (0.80-1.00) | ≤ 1.2 |",
        "After.",
    ]
    with pytest.raises(report.TableMissing):
        report.renew(tmp_path, "cpu", {})


def tables(part: str, file: Path) -> list[str]:
    return [table for _, table in report.tables(part, read(file))]


def lines(table: str) -> int:
    return len(table.splitlines())

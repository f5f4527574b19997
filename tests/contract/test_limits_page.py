"""The page of limits: each number is that of the constant, parameter or property that its row names."""

import importlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.openapi import file
from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

PAGE = (REPOSITORY / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| ([^|]+) \| ([^|]+) \| `([^`]+)` \|$", PAGE)
STACK = Stack({})
DESCRIPTION = file.read()

UNITS = {"KiB": 1024, "MB": 1_000_000, "s": 1, "min": 60, "h": 3600, "days": 86_400}
PACKAGES = ("_api", "authorizer", "sweeper", "auditor", "webhook_delivery")
# Settings that count in the unit that the page shows.
IN_DAYS = {"ActivityRetentionDays", "TrashDays"}


def _named(what: str) -> float:
    """The value that a row names. Fails if there is no such thing."""
    if what in STACK.template["Parameters"]:
        value = float(STACK.template["Parameters"][what]["Default"])
        return value * UNITS["days"] if what in IN_DAYS else value
    if what.startswith("GET "):
        path, _, name = what.removeprefix("GET ").partition("?")
        parameters = DESCRIPTION["paths"][path]["get"]["parameters"]
        return float(next(each["schema"]["maximum"] for each in parameters if each.get("name") == name))
    first, _, last = what.rpartition(".")
    if not first:
        headers = DESCRIPTION["components"]["parameters"].values()
        return float(next(each["schema"]["maxLength"] for each in headers if each["name"] == what))
    if first == "Globals":
        return float(STACK.template["Globals"]["Function"][last])
    if first in STACK.resources:
        [value] = set(_values(STACK.resources[first], last))
        return value
    if first in DESCRIPTION["components"]["schemas"]:
        return float(DESCRIPTION["components"]["schemas"][first]["properties"][last]["maxLength"])
    module = importlib.import_module(first if first.split(".")[0].endswith(PACKAGES) else f"tasksync.{first}")
    constant = getattr(module, last)
    return constant.total_seconds() if isinstance(constant, timedelta) else float(constant)


def _values(part: Any, key: str) -> Iterator[float]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == key:
                yield float(value)
            else:
                yield from _values(value, key)
    elif isinstance(part, list):
        for value in part:
            yield from _values(value, key)


@pytest.mark.parametrize(
    ("limit", "named"), [(limit, named) for _, limit, named in ROWS], ids=[each[2] for each in ROWS]
)
def test_a_limit_is_the_one_that_the_row_names(limit: str, named: str) -> None:
    number, unit = re.findall(r"^([\d,]+)(?: (\w+))?", limit)[0]

    assert float(number.replace(",", "")) * UNITS.get(unit, 1) == _named(named)


def test_every_row_of_the_page_names_what_sets_its_limit() -> None:
    tables = re.findall(r"(?m)^\| .+ \| set by \|\n\|---.*\n((?:\|.*\n)+)", PAGE)

    assert sum(table.count("\n") for table in tables) == len(ROWS)
    assert len(tables) == 7

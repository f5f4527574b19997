"""Documents: the tests that they name as proof are there."""

import ast
import functools
import json
import re

import pytest

from bench import report
from infrastructure.template import REPOSITORY

NAMED = sorted(
    {
        (document.name, file, test)
        for document in (REPOSITORY / "docs").glob("*.md")
        for file, test in re.findall(r"`([\w/]+\.py)::(\w+)`", document.read_text(encoding="utf-8"))
    }
)


@functools.cache
def _tests_in(file: str) -> set[str]:
    path = REPOSITORY / "tests" / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("document", "file", "test"), NAMED)
def test_a_test_that_a_document_names_exists(document: str, file: str, test: str) -> None:
    assert test in _tests_in(file), f"docs/{document} names tests/{file}::{test}"


def test_the_files_to_change_for_a_new_field_are_there() -> None:
    text = (REPOSITORY / "docs" / "development.md").read_text(encoding="utf-8")
    table = text.partition("## Adding a field to a task")[2].partition("\nThen:")[0]

    named = re.findall(r"`([\w/]+/\w+\.(?:py|json))`", table)

    assert len(named) == 15
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []


def test_the_table_of_requirements_names_a_test_in_every_line() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    requirements = text.partition("## Requirements and their tests")[2].partition("\n## ")[0]
    lines = [line for line in requirements.splitlines() if line.startswith("| ") and "| source |" not in line]

    assert len(lines) > 20
    assert [line for line in lines if "::test_" not in line] == []


@pytest.mark.parametrize("part", ["cpu", "cold", "memory", "lists", "load"])
def test_the_pages_show_what_was_measured_last(part: str) -> None:
    """``make bench PARTS=…`` renews both. What is counted, as the price, is held against what is counted anew."""
    found = json.loads((REPOSITORY / "docs" / "performance.json").read_text(encoding="utf-8"))[part]

    for page, table in report.tables(part, found):
        assert report.shown((REPOSITORY / "docs" / page).read_text(encoding="utf-8"), table) == table

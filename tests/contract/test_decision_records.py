"""Decisions: each record has the same four parts, and the index lists all of them in order."""

import re
from pathlib import Path

import pytest

from infrastructure.template import REPOSITORY

FOLDER = REPOSITORY / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_has_status_context_decision_and_consequences(record: Path) -> None:
    text = record.read_text(encoding="utf-8")

    assert re.match(rf"# {int(record.stem[:4])}\. .+\n\n\*Status: [a-z]+[^*]*\.\*\n", text)
    assert re.findall(r"(?m)^## (.+)$", text) == ["Context", "Decision", "Consequences"]


def test_records_are_numbered_without_a_gap() -> None:
    assert [int(record.stem[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_the_index_lists_every_record_with_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    titles = [record.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for record in RECORDS]

    rows = re.findall(r"(?m)^\| (\d+) \| \[(.+)\]\((.+)\) \|$", index)

    assert [(f"{number}. {title}", name) for number, title, name in rows] == [
        (title, record.name) for title, record in zip(titles, RECORDS, strict=True)
    ]

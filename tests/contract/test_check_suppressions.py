"""Where a check is told to look away, it is said why."""

import re
from pathlib import Path

import pytest

from infrastructure.template import REPOSITORY

# Ruff's and mypy's comments, to the end of the line, without a second comment behind them.
_UNEXPLAINED = re.compile(r"# (?:noqa|type: ignore)[^#\n]*$", re.MULTILINE)

FOLDERS = ("bench", "functions", "infrastructure", "layers", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_suppression_in_the_code_has_a_reason(folder: str) -> None:
    files: list[Path] = sorted((REPOSITORY / folder).rglob("*.py"))
    found = [
        f"{path.relative_to(REPOSITORY)}: {line}"
        for path in files
        for line in _UNEXPLAINED.findall(path.read_text(encoding="utf-8"))
    ]

    assert files
    assert found == []

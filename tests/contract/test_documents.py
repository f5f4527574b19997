"""Documents: the tests, places and commands that they name are there."""

import ast
import functools
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from bench import report
from infrastructure.template import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_place_that_a_page_links_to_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text)

    broken = [f"{path}#{anchor}" for path, anchor in links if not _leads_somewhere(page, path, anchor)]

    assert broken == []


def _leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """Those that GitHub gives to headings: in lower case, hyphens for blanks, no other punctuation."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@functools.cache
def _paths() -> tuple[str, ...]:
    """Every file, and every folder with a slash at its end, each after a slash."""
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # from the PATH
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    folders = {f"{folder}/" for name in tracked for folder in Path(name).parents}
    return tuple(f"/{path}" for path in {*tracked, *folders})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """Files by any end of their path, such as ``domain/tasks.py``: those of the code, and folders anywhere."""
    named = re.findall(
        r"`((?:[\w.-]+/)*\w+\.(?:py|md|sh|toml|css|js)|(?:[\w-]+/)+)(?:::\w+)?`", page.read_text(encoding="utf-8")
    )

    missing = {name for name in named if not any(path.endswith(f"/{name}") for path in _paths())}

    assert missing - {"dist/", "dist/arm64/"} == set()


def test_the_layers_are_those_of_the_import_rules() -> None:
    rules = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [layers] = [rule["layers"] for rule in rules if rule["type"] == "layers"]
    page = (REPOSITORY / "docs" / "development.md").read_text(encoding="utf-8")
    table = page.partition("## Layers")[2].partition("\n## ")[0]

    assert re.findall(r"(?m)^\| `(\w+)/` \|", table) == [name for layer in layers for name in layer.split(" : ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_there_is(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    code = re.findall(r"(?ms)^ *```sh\n.*?^ *```$|`[^`\n]+`", page.read_text(encoding="utf-8"))
    named = re.findall(r"(?m)(?:^ *|`)make ([a-z-]+(?: [a-z-]+)*)(?![\w-])", "\n".join(code))

    targets = {target for words in named for target in words.split()}
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("part", ["cpu", "cold", "memory", "lists", "load"])
def test_the_pages_show_what_was_measured_last(part: str) -> None:
    """``make bench PARTS=…`` renews both. What is counted, as the price, is held against what is counted anew."""
    found = json.loads((REPOSITORY / "docs" / "performance.json").read_text(encoding="utf-8"))[part]

    for page, table in report.tables(part, found):
        assert report.shown((REPOSITORY / "docs" / page).read_text(encoding="utf-8"), table) == table

"""Documents: the files, names, tests, links and commands in them exist."""

import ast
import functools
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import report
from infrastructure.template import REPOSITORY

DOCUMENTS = sorted((REPOSITORY / "docs").rglob("*.md"))
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCUMENTS])

NAMED = sorted(
    {
        (document.name, file, test)
        for document in DOCUMENTS
        for file, test in re.findall(r"`([\w/]+\.py)::(\w+)`", document.read_text(encoding="utf-8"))
    }
)

SHARED = REPOSITORY / "layers" / "tasksync" / "tasksync"

# Files that commands and users make, and files of other programs.
MADE = {
    "template.json",
    "template-at-once.json",
    "template-closed.json",
    "variables.json",
    "event.json",
    ".vscode/launch.json",
    ".js",
}

# Names of AWS, SAM and Python that our code does not use.
FOREIGN = {
    "AWSPREVIOUS",
    "AWS_PROFILE",
    "AllViewerExceptHostHeader",
    "CAPABILITY_NAMED_IAM",
    "CLOUDFRONT",
    "CachingDisabled",
    "CachingOptimized",
    "DisableExecuteApiEndpoint",
    "FORWARDED_IP",
    "NotStatement",
    "TextTransformation",
    "_construct_deployment",
    "api_with_request_parameters_openapi",
    "cProfile",
    "make_auto_deployable",
}


@functools.cache
def _files() -> list[Path]:
    """Those of the project, relative to its root: not what commands make or install."""
    found = []
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [
            name
            for name in folders
            if name in (".github", ".ci")
            or not (name.startswith(".") or name in ("dist", "node_modules", "__pycache__"))
        ]
        found += [(Path(folder) / name).relative_to(REPOSITORY) for name in files]
    return found


@functools.cache
def _ends_of_paths() -> set[str]:
    """Each file and folder by its path from the root, from any folder on the way, and by its name alone."""
    ends = set()
    for file in _files():
        for last in range(1, len(file.parts) + 1):
            ends |= {"/".join(file.parts[first:last]) for first in range(last)}
    return ends


@functools.cache
def _words_in_the_code() -> set[str]:
    kinds = {".py", ".yaml", ".toml", ".json", ".js", ".mk", ".yml", ".env", ""}
    sources = [file for file in _files() if file.suffix in kinds and REPOSITORY / file != Path(__file__)]
    return {
        word
        for source in sources
        for word in re.findall(r"\w+", (REPOSITORY / source).read_text(encoding="utf-8", errors="replace"))
    }


def _inline_code(page: Path) -> Iterator[str]:
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"))
    yield from re.findall(r"`([^`\n]+)`", prose)


FILE = re.compile(r"\.(?:py|js|css|json|yaml|yml|toml|md|txt|sh|svg)$")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_folder_that_a_page_names_is_there(page: Path) -> None:
    names = re.compile(r"(?<![\w/.{<*…~-])[\w.-]+(?:/[\w.-]+)*/?(?![\w/}>{<*…-])")
    folders = {file.parts[0] for file in _files() if len(file.parts) > 1}
    folders |= {path.name for path in SHARED.iterdir() if path.is_dir()}

    named = {name.rstrip(".") for code in _inline_code(page) for name in names.findall(code)}
    paths = {name for name in named if FILE.search(name) or (name.split("/")[0] in folders and "/" in name)}
    paths |= {name for name in named if name.endswith("/") and not name.startswith((".local/", ".venv", "dist/"))}

    assert sorted(path for path in paths - MADE if path.rstrip("/") not in _ends_of_paths()) == []


SOURCES = [file for file in _files() if file.suffix in (".py", ".yaml", ".toml", ".mk") or file.name == "Makefile"]


@pytest.mark.parametrize("part", sorted({file.parts[0] for file in SOURCES}))
def test_every_file_that_the_code_names_is_there(part: str) -> None:
    """In comments and docstrings: a name in backquotes, or a path that begins with a folder of the project."""
    folders = "|".join(sorted({file.parts[0] for file in SOURCES if len(file.parts) > 1} | {"docs"}))
    name = re.compile(
        rf"`((?:[\w-]+/)*[\w-]+\.(?:py|md|yaml|toml))(?:::\w+)?`|\b((?:{folders})/[\w./-]+\.(?:py|md|yaml|toml))\b"
    )

    missing = set()
    for source in SOURCES:
        if source.parts[0] == part:
            named = {own or path for own, path in name.findall((REPOSITORY / source).read_text(encoding="utf-8"))}
            missing |= {(str(source), path) for path in named - _ends_of_paths()}

    assert missing == set()


# Not the changelog: it names what earlier versions had.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_name_of_code_that_a_page_names_is_there(page: Path) -> None:
    names = re.compile(r"(?:[A-Za-z_]\w+\.)*[A-Za-z_]\w+(?:\(\))?")
    named = {code for code in _inline_code(page) if names.fullmatch(code) and not FILE.search(code)}

    words = {word: code for code in sorted(named) for word in re.findall(r"\w+", code)}
    assert {words[word] for word in words.keys() - FOREIGN - _words_in_the_code()} == set()


@functools.cache
def _tests_in(file: str) -> set[str]:
    path = REPOSITORY / "tests" / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("document", "file", "test"), NAMED)
def test_a_test_named_in_a_document_exists(document: str, file: str, test: str) -> None:
    assert test in _tests_in(file), f"docs/{document} names tests/{file}::{test}"


def test_the_files_to_change_for_a_new_field_exist() -> None:
    text = (REPOSITORY / "docs" / "guides" / "extend.md").read_text(encoding="utf-8")
    table = text.partition("## Add a field to a task")[2].partition("\nThen:")[0]

    named = re.findall(r"`([\w/]+/\w+\.(?:py|json))`", table)

    assert len(named) == 13
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []


def test_every_line_of_the_requirements_table_names_a_test() -> None:
    text = (REPOSITORY / "docs" / "security-requirements.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "| source |" not in line]

    assert len(lines) > 70
    assert [line for line in lines if "::test_" not in line] == []


def _first_paragraph(page: Path) -> str:
    _, _, text = page.read_text(encoding="utf-8").partition("\n\n")
    return text.partition("\n\n")[0]


GUIDES = [page for page in DOCUMENTS if page.parent.name == "guides" or page.name == "quick-start.md"]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_a_page_names_its_readers_first(page: Path) -> None:
    assert _first_paragraph(page).startswith("For ")


def test_every_page_is_in_the_contents() -> None:
    """Records of decisions are in the contents of their own folder."""
    contents = [REPOSITORY / "docs" / "README.md", REPOSITORY / "docs" / "decisions" / "README.md"]
    linked = {
        (page.parent / path).resolve()
        for page in contents
        for path in re.findall(r"\]\(([^)#\s]+\.md)\)", page.read_text(encoding="utf-8"))
    }

    assert [str(page.relative_to(REPOSITORY)) for page in PAGES if page not in linked | {contents[0]}] == []


READERS = r"everybody|anybody|authors|developers|engineers|operators|reviewers"


@pytest.mark.parametrize(
    "page", [page for page in DOCUMENTS if not re.match(r"\d", page.name)], ids=lambda page: page.name
)
def test_a_page_says_in_its_first_sentence_for_whom_it_is(page: Path) -> None:
    """Records of decisions share the sentence of their contents."""
    first = page.read_text(encoding="utf-8").split("\n\n")[1]

    assert re.match(rf"For (the )?({READERS})\b", first), first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_target_exists(page: Path) -> None:
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


def test_the_layers_are_those_of_the_import_rules() -> None:
    rules = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [layers] = [rule["layers"] for rule in rules if rule["type"] == "layers"]
    page = (REPOSITORY / "docs" / "guides" / "extend.md").read_text(encoding="utf-8")
    table = page.partition("## Layers")[2].partition("\n## ")[0]

    assert re.findall(r"(?m)^\| `(\w+)/` \|", table) == [name for layer in layers for name in layer.split(" : ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_named_in_a_page_exists(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    code = re.findall(r"(?ms)^ *```sh\n.*?^ *```$|`[^`\n]+`", page.read_text(encoding="utf-8"))
    named = re.findall(r"(?m)(?:^ *|`)make ([a-z-]+(?: [a-z-]+)*)(?![\w-])", "\n".join(code))

    targets = {target for words in named for target in words.split()}
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_test_file_that_a_command_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    modules = re.findall(r"python -m ((?:tests|infrastructure|bench)[\w.]*)", text)
    files = [f"{name.replace('.', '/')}.py" for name in modules] + re.findall(r"FILE=(tests/\S+\.py)", text)

    found = {
        file for file in files if (REPOSITORY / file).exists() or (REPOSITORY / file[:-3] / "__main__.py").exists()
    }

    assert set(files) == found


@pytest.mark.parametrize("part", ["cpu", "cold", "memory", "lists", "load"])
def test_the_pages_show_the_latest_measurements(part: str) -> None:
    """``make bench PARTS=…`` renews both. What is counted, as the price, is held against what is counted anew."""
    found = json.loads((REPOSITORY / "docs" / "performance.json").read_text(encoding="utf-8"))[part]

    for page, table in report.tables(part, found):
        assert report.shown((REPOSITORY / "docs" / page).read_text(encoding="utf-8"), table) == table

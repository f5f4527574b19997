"""The project's own settings: no function is forgotten by the install or by the rules of who imports whom."""

import configparser
import datetime as dt
import re
import subprocess
import tomllib

import yaml

import tasksync
from infrastructure.template import REPOSITORY
from tests.__main__ import PARTS
from tests.support.stack import Stack

STACK = Stack()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
FUNCTIONS = {properties["Handler"].partition(".")[0] for properties in STACK.functions.values()}


def test_the_editable_install_maps_every_function_and_the_shared_package() -> None:
    folders = {properties["CodeUri"].rstrip("/") for properties in STACK.functions.values()}

    assert set(PROJECT["hatch"]["build"]["dev-mode-dirs"]) == folders | {"layers/tasksync"}


def test_every_function_is_covered_by_the_import_rules() -> None:
    settings = PROJECT["importlinter"]
    independent = [set(rule["modules"]) for rule in settings["contracts"] if rule["type"] == "independence"]

    assert set(settings["root_packages"]) == FUNCTIONS | {"tasksync"}
    assert independent == [FUNCTIONS]


def test_every_folder_in_functions_is_a_function_of_the_template() -> None:
    # A folder that a version before had is left with compiled files alone.
    folders = {path.name for path in (REPOSITORY / "functions").iterdir() if any(path.rglob("*.py"))}

    assert folders == {properties["CodeUri"].strip("/").rpartition("/")[2] for properties in STACK.functions.values()}


def test_every_test_folder_is_a_make_target_and_documented() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    page = (REPOSITORY / "docs" / "guides" / "extend.md").read_text(encoding="utf-8")
    names = [part.name for part in PARTS]

    assert [name for name in names if f"\ntest-{name}:" not in makefile] == []
    assert re.findall(r"(?m)^\| `([a-z]+)` \| ", page) == names


# Of a release: its version and the day.
_RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")
_GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def _read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_the_newest_release_in_the_changelog_is_the_version_of_the_code() -> None:
    first, *releases = re.findall(r"(?m)^## (.+)$", _read("CHANGELOG.md"))
    found = [_RELEASE.fullmatch(heading) for heading in releases]

    assert first == "[Unreleased]"
    assert [heading for heading, match in zip(releases, found, strict=True) if not match] == []
    versions = [tuple(int(number) for number in match.groups()[:3]) for match in found if match]
    dates = [dt.date.fromisoformat(match[4]) for match in found if match]
    assert ".".join(map(str, versions[0])) == tasksync.__version__
    assert versions == sorted(set(versions), reverse=True)
    assert dates == sorted(dates, reverse=True)


def test_each_release_groups_its_changes_as_keep_a_changelog_does() -> None:
    for release in re.split(r"(?m)^## ", _read("CHANGELOG.md"))[1:]:
        groups = re.findall(r"(?m)^### (.+)$", release)

        assert groups == [group for group in _GROUPS if group in groups], release.partition("\n")[0]
        assert len(re.findall(r"(?m)^### .+\n\n- ", release)) == len(groups), release.partition("\n")[0]


def test_the_version_is_defined_in_one_place() -> None:
    metadata = tomllib.loads(_read("pyproject.toml"))

    assert "version" not in metadata["project"]
    assert metadata["project"]["dynamic"] == ["version"]
    assert metadata["tool"]["hatch"]["version"] == {"path": "layers/tasksync/tasksync/__init__.py"}


def test_the_pre_commit_hook_runs_only_commands_of_make_check() -> None:
    repositories = yaml.safe_load(_read(".pre-commit-config.yaml"))["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    commands = {command for hook in hooks for command in _commands(*hook["entry"].split()[1:])}

    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["entry"].split()[0] for hook in hooks} == {"make"}
    assert [hook["id"] for hook in hooks if hook["pass_filenames"] or not hook["always_run"]] == []
    assert {
        ".venv/bin/ruff check .",
        ".venv/bin/ruff format --check .",
        ".venv/bin/mypy",
        ".venv/bin/lint-imports",
    } <= commands
    assert commands <= _commands("check")


def _commands(*arguments: str) -> set[str]:
    """What make would do for these arguments."""
    printed = subprocess.run(  # noqa: S603  # our own Makefile
        ["make", "--dry-run", *arguments],  # noqa: S607  # from the PATH
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(printed.splitlines())


def test_editors_format_python_as_ruff_does() -> None:
    settings = _editor_settings()

    assert settings["*.py"]["max_line_length"] == str(PROJECT["ruff"]["line-length"])
    assert settings["*.{py,toml,sh}"]["indent_size"] == str(PROJECT["ruff"].get("indent-width", 4))


def test_every_file_follows_the_editor_settings() -> None:
    texts = {
        name: (REPOSITORY / name).read_bytes().decode("utf-8") for name in _tracked() if (REPOSITORY / name).is_file()
    }

    assert "Makefile" in texts
    assert [name for name, text in texts.items() if "\r" in text] == []
    assert [name for name, text in texts.items() if text and not text.endswith("\n")] == []
    assert _with_a_line_that(r"[ \t]$", texts, but=(".json", ".svg")) == []
    assert _with_a_line_that(r"^ *\t", texts, but=("Makefile", ".mk")) == []


def _with_a_line_that(pattern: str, texts: dict[str, str], *, but: tuple[str, ...]) -> list[str]:
    lines = re.compile(pattern, re.MULTILINE)
    return [name for name, text in texts.items() if not name.endswith(but) and lines.search(text)]


def _tracked() -> list[str]:
    return subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # from the PATH
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def _editor_settings() -> configparser.ConfigParser:
    settings = configparser.ConfigParser()
    settings.read_string("[preamble]\n" + _read(".editorconfig"))
    return settings

"""The project's own settings: no function is forgotten by the install or by the rules of who imports whom."""

import re
import tomllib

from infrastructure.template import REPOSITORY
from tests.__main__ import PARTS
from tests.support.stack import Stack

STACK = Stack()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
FUNCTIONS = {properties["Handler"].partition(".")[0] for properties in STACK.functions.values()}


def test_the_editable_install_maps_every_function_and_the_shared_package() -> None:
    folders = {properties["CodeUri"].rstrip("/") for properties in STACK.functions.values()}

    assert set(PROJECT["hatch"]["build"]["dev-mode-dirs"]) == folders | {"layers/tasksync"}


def test_every_function_is_under_the_rules_of_who_imports_whom() -> None:
    settings = PROJECT["importlinter"]
    independent = [set(rule["modules"]) for rule in settings["contracts"] if rule["type"] == "independence"]

    assert set(settings["root_packages"]) == FUNCTIONS | {"tasksync"}
    assert independent == [FUNCTIONS]


def test_every_folder_below_functions_is_a_function_of_the_template() -> None:
    folders = {path.name for path in (REPOSITORY / "functions").iterdir() if path.is_dir()}

    assert folders == {properties["CodeUri"].strip("/").rpartition("/")[2] for properties in STACK.functions.values()}


def test_every_part_of_the_tests_is_a_target_of_the_makefile_and_described() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    page = (REPOSITORY / "docs" / "development.md").read_text(encoding="utf-8")
    names = [part.name for part in PARTS]

    assert [name for name in names if f"\ntest-{name}:" not in makefile] == []
    assert re.findall(r"(?m)^\| `([a-z]+)` \| ", page) == names

"""Environment variables: a function is given those that its code reads, and no others.

What the code reads is taken from the code: ``runtime/settings.py`` of the shared package is the only module that reads
the environment, one variable for each property, and a function reads those properties that any module it imports,
directly or not, uses.
"""

import ast
import functools
from pathlib import Path

import grimp
import pytest

from infrastructure.settings_page import variables_of_properties
from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
FUNCTIONS = list(STACK.functions)
SETTINGS = "tasksync.runtime.settings"


def _package(function: str) -> str:
    handler: str = STACK.functions[function]["Handler"]
    return handler.partition(".")[0]


@functools.cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("tasksync", *map(_package, FUNCTIONS), cache_dir=None, exclude_type_checking_imports=True)


def _sources() -> dict[str, Path]:
    """Every module of the product, and its file."""
    roots = [REPOSITORY / "layers" / "tasksync"]
    roots += [REPOSITORY / properties["CodeUri"] for properties in STACK.functions.values()]
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for root in roots
        for path in root.rglob("*.py")
    }


@functools.cache
def _settings_used_in(module: str) -> frozenset[str]:
    tree = ast.parse(_sources()[module].read_text(encoding="utf-8"))
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings"
    )


def _modules_of(function: str) -> set[str]:
    """The handler's module, and all that it imports, directly or not."""
    handler = STACK.functions[function]["Handler"].rpartition(".")[0]
    return {handler, *_imports().find_upstream_modules(handler)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_exactly_the_variables_that_its_code_reads(function: str) -> None:
    used = {setting for module in _modules_of(function) for setting in _settings_used_in(module)}

    read = {variables_of_properties()[setting] for setting in used}

    assert read == STACK.variables(function).keys()


def test_every_module_of_a_function_is_used() -> None:
    used = {module for function in FUNCTIONS for module in _modules_of(function)}
    packages = {name for name, path in _sources().items() if path.name == "__init__.py"}

    assert _sources().keys() - packages - used == set()


def test_only_the_settings_module_reads_the_environment() -> None:
    readers = {
        module
        for module, path in _sources().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    }

    assert readers == {SETTINGS}


def test_each_setting_is_one_variable() -> None:
    variables = list(variables_of_properties().values())

    assert len(variables) == len(set(variables))
    assert set(variables) == {name for function in FUNCTIONS for name in STACK.variables(function)}


def test_a_variable_has_the_same_value_in_all_functions() -> None:
    everywhere = STACK.all_variables()

    for function in FUNCTIONS:
        assert STACK.environment(function).items() <= everywhere.items()


def test_every_parameter_of_the_template_is_used() -> None:
    template = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")

    unused = [name for name in STACK.parameters if f"!Ref {name}" not in template and f"${{{name}}}" not in template]

    assert unused == []

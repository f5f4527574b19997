"""Layers: what a function imports is in its layers, or in the Lambda runtime."""

import sys
from importlib.metadata import packages_distributions

import grimp
import pytest

from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
FUNCTIONS = list(STACK.functions)
IN_THE_RUNTIME = {"boto3", "botocore"}


def _distributions_in(layer: str) -> set[str]:
    folder = REPOSITORY / STACK.of_type("AWS::Serverless::LayerVersion")[layer]["ContentUri"]
    file = folder / "requirements.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {line.partition("==")[0].lower() for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_layers_of_a_function_contain_its_imports(function: str) -> None:
    module = STACK.functions[function]["Handler"].rpartition(".")[0]
    graph = grimp.build_graph("tasksync", module.partition(".")[0], include_external_packages=True, cache_dir=None)
    imported = {name.partition(".")[0] for name in graph.find_upstream_modules(module)}
    third_party = imported - set(sys.stdlib_module_names) - IN_THE_RUNTIME - {"tasksync", module.partition(".")[0]}

    carried = {name for layer in STACK.layers(function) for name in _distributions_in(layer)}

    installed = packages_distributions()
    assert {name for name in third_party if not carried & {each.lower() for each in installed[name]}} == set()
    assert "TasksyncLayer" in STACK.layers(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_layer_is_listed_twice(function: str) -> None:
    layers = STACK.layers(function)

    assert len(layers) == len(set(layers))

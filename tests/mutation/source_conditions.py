"""What conditions stand in the code of ``tasksync.dynamodb``, read from its source."""

import ast
import importlib
import itertools
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tasksync import domain, dynamodb

_VERBS = {"check": "ConditionCheck", "delete": "Delete", "put": "Put", "update": "Update"}
_SINGLE_VERBS = {"save": "Put", "update": "Update"}
_COMPARISONS = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_FUNCTIONS = {"exists": "attribute_exists", "does_not_exist": "attribute_not_exists"}

_CHANGED = "_changed"
"""What updates one item on the condition that it is given, in ``dynamodb/webhooks``: a part of what calls it."""

# What the services call the repositories that carry out requests.
_REPOSITORIES = {
    "_rooms": "RoomChanges",
    "_tasks": "TaskChanges",
    "_people": "UserChanges",
    "_sessions": "SessionChanges",
    "_webhooks": "SubscriptionsRepository",
    "_tickets": "TicketsRepository",
}

Atom = tuple[str, str]
"""An attribute, and with what it is compared or which function is asked of it."""


class _Function:
    """One function or method: what conditions stand in it, and what it calls."""

    def __init__(self, node: ast.FunctionDef) -> None:
        inside = list(ast.walk(node))
        calls = [each for each in inside if isinstance(each, ast.Call)]
        names = {each.id for each in inside if isinstance(each, ast.Name)}
        self.calls = names | {each.func.attr for each in calls if isinstance(each.func, ast.Attribute)}
        begun = {each.func.id for each in calls if isinstance(each.func, ast.Name)}
        self.begins = not begun.isdisjoint({"Transaction", "single_write", _CHANGED})
        self.verbs = {
            _VERBS[each.func.attr]
            for each in calls
            if isinstance(each.func, ast.Attribute)
            and each.func.attr in _VERBS
            and isinstance(each.func.value, ast.Name)
            and each.func.value.id == "transaction"
        }
        if _CHANGED in begun:
            self.verbs.add("Update")
        elif "single_write" in begun:
            self.verbs |= {_SINGLE_VERBS[name] for name in self.calls & _SINGLE_VERBS.keys()}
        self.atoms = set(_atoms(inside))


def written_atoms() -> dict[str, set[Atom]]:
    """For each operation (a method that begins a transaction, or writes one item), what its conditions look at, and
    which verbs it uses.

    A verb stands as an atom of its own, whose attribute is empty. An operation that carries out a request commits the
    request's idempotency record, so that record's condition is one of its own.
    """
    functions = _functions()
    record = functions["IdempotencyRepository.put_record"].atoms | {("", "Put")}
    keyed = _keyed()
    found = {}
    for qualified, function in functions.items():
        if function.begins and qualified != _CHANGED:
            others = {name.rpartition(".")[2]: each for name, each in functions.items()}
            reached = _reached(function, others)
            found[qualified] = {atom for each in reached for atom in each.atoms} | {
                ("", verb) for each in reached for verb in each.verbs
            }
            if qualified in keyed:
                found[qualified] |= record
    assert keyed <= found.keys(), keyed - found.keys()
    return found


def conditional_writes_elsewhere() -> list[str]:
    """Where a write is given a condition by name, so neither in a transaction nor by ``single_write``: nothing here
    would change such a condition."""
    return [
        f"{path.name}:{each.value.lineno}"
        for path, tree in _sources(dynamodb)
        if path.name != "connection.py"
        for each in ast.walk(tree)
        if isinstance(each, ast.keyword) and each.arg == "condition"
    ]


def _keyed() -> set[str]:
    """The operations that carry out a request: what a service calls after it has said the outcome."""
    keyed = {"IdempotencyRepository.store"}
    for _, tree in _sources(domain):
        for block in (getattr(each, "body", None) for each in ast.walk(tree)):
            for said, write in itertools.pairwise(block if isinstance(block, list) else []):
                if ast.unparse(said).startswith("unit_of_work.respond_with("):
                    called = write.value.func
                    keyed.add(f"{_REPOSITORIES[called.value.attr]}.{called.attr}")
    return keyed


def _functions() -> dict[str, _Function]:
    found = {}
    for _, tree in _sources(dynamodb):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = _Function(node)
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef):
                        found[f"{node.name}.{inner.name}"] = _Function(inner)
    return found


def _reached(function: _Function, others: dict[str, _Function]) -> list[_Function]:
    """The function, and all that handle its transaction for it."""
    reached: list[_Function] = []
    waiting = [function]
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.append(each)
            called = [others[name] for name in each.calls & others.keys()]
            waiting += [
                one for one in called if not one.begins and (one.verbs or one.atoms or one.calls & _VERBS.keys())
            ]
    return reached


def _atoms(nodes: list[ast.AST]) -> Iterator[Atom]:
    for node in nodes:
        if isinstance(node, ast.Compare) and _is_attribute(node.left):
            yield node.left.attr, _COMPARISONS[type(node.ops[0])]  # type: ignore[attr-defined]  # a class method has it
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _FUNCTIONS
            and isinstance(node.func.value, ast.Attribute)
        ):
            yield node.func.value.attr, _FUNCTIONS[node.func.attr]


def _is_attribute(node: ast.expr) -> bool:
    """Whether this is an attribute of one of our models."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id.endswith("Item")


def _sources(package: ModuleType) -> Iterator[tuple[Path, ast.Module]]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.startswith(f"{dynamodb.__name__}.migrations"):
            continue  # played in tests/functions/migrations, against items of earlier versions
        path = Path(str(importlib.import_module(module.name).__file__))
        yield path, ast.parse(path.read_text())

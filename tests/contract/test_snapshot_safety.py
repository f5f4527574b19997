"""Nothing that a snapshot of a started function (SnapStart) would repeat: no chance, time or id made at the start.

All containers of a version begin with what was in memory when the snapshot was made. Random numbers are drawn from the
operating system each time they are needed: by ``secrets``, ``uuid4`` or ``tasksync.runtime.randomness``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.template import REPOSITORY

FILES = sorted(path for folder in ("layers/tasksync", "functions") for path in (REPOSITORY / folder).rglob("*.py"))
CHANCE = REPOSITORY / "layers/tasksync/tasksync/runtime/randomness.py"

GENERATORS = {"random", "numpy"}
"""Modules whose functions share a generator in memory."""
FROM_THE_SYSTEM = {"SystemRandom"}
IDS_OF_A_CLOCK_OR_COUNTER = {"uuid1", "uuid6", "uuid7", "getnode"}

MADE_ANEW = {
    *("secrets", "uuid", "times", "time", "datetime", "date", "os.urandom", "os.getpid", "tempfile"),
    *("chance", "deadline", "secret", "current_secret", "signer", "gensalt", "urandom"),
}
"""What gives something else each time, and so is not asked for while a module is imported."""


def _name(node: ast.expr) -> str:
    """``a.b.c`` of a name or attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return ""


def _at_import(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that are made when the module is imported: those of functions' bodies are made later."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            defaults = [*child.args.defaults, *filter(None, child.args.kw_defaults)]
            decorators = [] if isinstance(child, ast.Lambda) else child.decorator_list
            for each in (*defaults, *decorators):
                yield from _at_import(ast.Expression(each))
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _at_import(child)


def faults_of(source: str, *, is_chance: bool = False) -> list[str]:
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name.partition(".")[0] in GENERATORS]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in GENERATORS:
            found += [each.name for each in node.names if not (is_chance and each.name in FROM_THE_SYSTEM)]
        if isinstance(node, ast.ImportFrom) and node.module == "uuid":
            found += [each.name for each in node.names if each.name in IDS_OF_A_CLOCK_OR_COUNTER]
        if isinstance(node, ast.Attribute) and node.attr in IDS_OF_A_CLOCK_OR_COUNTER:
            found.append(_name(node))
    from_modules = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    for call in _at_import(tree):
        called = _name(call.func)
        first, _, rest = called.partition(".")
        whole = f"{from_modules.get(first, first)}.{rest}".removesuffix(".")
        parts = {whole, *whole.split(".")}
        if parts & MADE_ANEW and whole not in ALLOWED:
            found.append(f"{whole}() at import")
    return found


# Lengths of time, and the form of a date: the same each time.
ALLOWED = {"datetime.timedelta", "datetime.datetime", "datetime.date", "datetime.timezone"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_nothing_created_at_start_is_unsafe_in_a_snapshot(path: Path) -> None:
    assert faults_of(path.read_text(encoding="utf-8"), is_chance=path == CHANCE) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import shuffle",
        "from random import SystemRandom",
        "import uuid\nSTARTED = uuid.uuid4()",
        "from uuid import uuid4\nclass A:\n    id = uuid4().hex",
        "from uuid import uuid1\ndef f(): return uuid1()",
        "import time\ndef f(at=time.time()): ...",
        "import secrets\n_salt = secrets.token_bytes(16)",
        "import os\n_salt = os.urandom(16)",
        "from tasksync.model import times\n_started = times.now()",
        "from datetime import datetime\n_started = datetime.now()",
        "from tasksync.aws.secret_values import secret\n_key = secret('arn')",
    ],
)
def test_state_that_a_snapshot_would_repeat_is_found(source: str) -> None:
    assert faults_of(source)


@pytest.mark.parametrize(
    "source",
    [
        "from uuid import uuid4\ndef f(): return uuid4()",
        "import secrets\nf = lambda: secrets.token_bytes(16)",
        "from datetime import timedelta\nDAY = timedelta(days=1)",
    ],
)
def test_lazily_created_state_is_allowed(source: str) -> None:
    assert not faults_of(source)

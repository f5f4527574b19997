"""Enumerations as schemas, with the names and meanings that their classes give to the values."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, get_args, get_type_hints, is_typeddict

import msgspec


def enums_in(types: Iterable[Any]) -> Iterator[type[StrEnum]]:
    """The enumerations that types are made of: structs, typed dictionaries, and whatever is annotated or listed."""
    seen: list[Any] = []
    todo = list(types)
    while todo:
        kind = todo.pop()
        if kind in seen:
            continue
        seen.append(kind)
        todo += get_args(kind)
        if is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            todo += get_type_hints(kind, include_extras=True).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            yield kind


def enum_schema(kind: type[StrEnum]) -> dict[str, Any]:
    """Values in the order of the class; code generators name them by ``x-enum-varnames``."""
    meanings = _docstrings(kind)
    return {
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "string",
        "enum": [member.value for member in kind],
        "x-enum-varnames": [member.name for member in kind],
        "x-enum-descriptions": [meanings[member.name] for member in kind],
    }


def _docstrings(kind: type[StrEnum]) -> dict[str, str]:
    """By member, the text below it, which Python does not keep."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    found = {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for member, text in itertools.pairwise(body):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(meaning))):
                found[name] = inspect.cleandoc(meaning)
    return found

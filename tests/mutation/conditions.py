"""Condition expressions as DynamoDB is sent them: what each is a condition of, and how it can be weakened."""

import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_SESSION = re.compile(r"ses_[0-9a-f]{32}")
"""The name of an attribute that holds the connections of a session."""

_TOKEN = re.compile(r"\s*(?:(?P<op><>|<=|>=|[=<>(),])|(?P<word>[#:]?[A-Za-z0-9_]+))")

REMOVED = "removed"

# By the comparison: the others that replace it, and the numbers beside its own that do. For ``>`` one less is ``>=``.
_BOUNDS = {
    "=": ((">=", "<="), ()),
    ">": ((">=",), ("one more",)),
    ">=": ((">",), ("one less",)),
    "<": (("<=",), ("one less",)),
    "<=": (("<",), ("one more",)),
}
_STEPS = {"one less": -1, "one more": 1}

_KINDS = {
    "ROOM": "room",
    "MEMBER": "membership",
    "CODE": "code",
    "FORMER": "former member",
    "UNASSIGNMENT": "unassignment",
    "NAME": "name",
    "EMAIL": "e-mail",
    "KEY": "key",
}
_WEBHOOK_KINDS = {"H": "state of webhooks", "H#": "webhook", "D#": "delivery", "R#": "replay"}
_TABLES = {
    "UsersTable": "user",
    "TasksTableV2": "task",
    "SessionsTable": "session",
    "IdempotencyTable": "idempotency record",
    "RateLimitsTable": "limit counter",
    "LiveTable": "connections",
}


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One condition of one operation: on which kind of item, with what kind of write, and what it says.

    Values that differ from request to request are written as a question mark.
    """

    operation: str
    verb: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.verb} {self.kind} if {self.text}"


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """A condition, and what is done to it."""

    condition: Condition
    change: str


@dataclass(frozen=True, slots=True)
class _Atom:
    text: str


@dataclass(frozen=True, slots=True)
class _Junction:
    word: str
    parts: tuple["_Node", ...]


_Node = _Atom | _Junction


def condition_of(operation: str, verb: str, part: Json) -> Condition:
    """The condition of one write (``part``, as in the request) that ``operation`` sends."""
    return Condition(operation, verb, _kind(part), _written(_parse(part["ConditionExpression"]), part))


def mutants(part: Json) -> dict[str, Json]:
    """The write with its condition changed, by what the change is."""
    node = _parse(part["ConditionExpression"])
    changed: dict[str, Json] = {REMOVED: {name: value for name, value in part.items() if name != "ConditionExpression"}}
    for change, mutant in _weaker(node, lambda each: _written(each, part)):
        # Alternatives that differ in a value alone are written alike.
        changed[f"{change}, the other" if change in changed else change] = {
            **part,
            "ConditionExpression": _text(mutant),
        }
    numbers = _numbers(part)
    for change, mutant in _moved(node, numbers.keys(), lambda each: _written(each, part)):
        values = {**part["ExpressionAttributeValues"], **_neighbours(numbers)}
        changed[change] = {**part, "ConditionExpression": _text(mutant), "ExpressionAttributeValues": values}
    return changed


def atoms(part: Json) -> set[tuple[str, str]]:
    """What the condition looks at, attribute by attribute, and with which comparison or function."""
    names: Mapping[str, str] = part["ExpressionAttributeNames"]
    found = set()
    for each in re.finditer(r"(attribute_\w+) ?\((#\w+)\)|(#\w+) (<>|<=|>=|=|<|>)", part["ConditionExpression"]):
        function, argument, attribute, comparison = each.groups()
        found.add((names[argument or attribute], function or comparison))
    return found


def _weaker(node: _Node, written: Callable[[_Node], str]) -> Iterator[tuple[str, _Node]]:
    """All ways to leave out one part of one conjunction or alternative."""
    if isinstance(node, _Atom):
        return
    for number, part in enumerate(node.parts):
        rest = node.parts[:number] + node.parts[number + 1 :]
        others: _Node = rest[0] if len(rest) == 1 else _Junction(node.word, rest)
        yield f"without {'' if node.word == 'AND' else 'the alternative '}{written(part)}", others
        for change, inner in _weaker(part, written):
            yield change, _Junction(node.word, (*node.parts[:number], inner, *node.parts[number + 1 :]))


def _moved(node: _Node, numbers: Collection[str], written: Callable[[_Node], str]) -> Iterator[tuple[str, _Node]]:
    """All ways to move the bound of one comparison with a number."""
    if isinstance(node, _Junction):
        for position, part in enumerate(node.parts):
            for change, inner in _moved(part, numbers, written):
                yield change, _Junction(node.word, (*node.parts[:position], inner, *node.parts[position + 1 :]))
        return
    attribute, comparison, value = (*node.text.split(), "", "")[:3]
    if value not in numbers:
        return
    comparisons, steps = _BOUNDS[comparison]
    for other in comparisons:
        yield f"{written(node)} with {other}", _Atom(f"{attribute} {other} {value}")
    for step in steps:
        yield f"{written(node)} with {step}", _Atom(f"{attribute} {comparison} {_neighbour(value, step)}")


def _numbers(part: Json) -> dict[str, int]:
    """The numbers among the values of the request, by their placeholders."""
    values: dict[str, Json] = part.get("ExpressionAttributeValues", {})
    return {placeholder: int(value["N"]) for placeholder, value in values.items() if "N" in value}


def _neighbours(numbers: Mapping[str, int]) -> dict[str, Json]:
    return {
        _neighbour(placeholder, step): {"N": str(number + difference)}
        for placeholder, number in numbers.items()
        for step, difference in _STEPS.items()
    }


def _neighbour(placeholder: str, step: str) -> str:
    return placeholder + step.replace(" ", "_")


def _kind(part: Json) -> str:
    """Of what kind the item is, by its key."""
    key = part.get("Item") or part["Key"]
    if part["TableName"] == "RoomsTable":
        return _KINDS[key["item"]["S"].partition("#")[0]]
    if part["TableName"] == "TasksTableV2" and key["item"]["S"].startswith("J#"):
        return "respread"
    if part["TableName"] == "LiveTable" and key["live_id"]["S"].startswith("ticket#"):
        return "ticket"
    if part["TableName"] == "LogTable":
        return {"h": "head", "c": "entry", "v": "marker"}[key["item"]["S"][0]]
    if part["TableName"] == "WebhooksTable":
        return _WEBHOOK_KINDS["".join(key["item"]["S"].partition("#")[:2])]
    (partition,) = [each["S"] for name, each in key.items() if name in ("user_id", "session_id")][:1] or [""]
    prefix, mark, _ = partition.partition("#")
    if mark and part["TableName"] in ("UsersTable", "SessionsTable"):
        return f"{_KINDS[prefix]} claim" if part["TableName"] == "UsersTable" else _KINDS[prefix]
    return _TABLES[part["TableName"]]


@functools.cache
def _parse(text: str) -> _Node:
    tokens = [found["op"] or found["word"] for found in _TOKEN.finditer(text)]
    node, end = _disjunction(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"not understood: {text!r}")
    return node


def _disjunction(tokens: list[str], start: int) -> tuple[_Node, int]:
    return _joined("OR", _conjunction, tokens, start)


def _conjunction(tokens: list[str], start: int) -> tuple[_Node, int]:
    return _joined("AND", _primary, tokens, start)


def _joined(
    word: str, operand: Callable[[list[str], int], tuple[_Node, int]], tokens: list[str], start: int
) -> tuple[_Node, int]:
    first, position = operand(tokens, start)
    parts = [first]
    while position < len(tokens) and tokens[position] == word:
        part, position = operand(tokens, position + 1)
        parts.append(part)
    flat = [
        each
        for part in parts
        for each in (part.parts if isinstance(part, _Junction) and part.word == word else (part,))
    ]
    return (flat[0] if len(flat) == 1 else _Junction(word, tuple(flat))), position


def _primary(tokens: list[str], start: int) -> tuple[_Node, int]:
    if tokens[start] == "(":
        node, end = _disjunction(tokens, start + 1)
        if tokens[end] != ")":
            raise ValueError(f"not understood: {tokens}")
        return node, end + 1
    if tokens[start] in ("attribute_exists", "attribute_not_exists"):
        return _Atom("".join(tokens[start : start + 4])), start + 4
    if tokens[start + 1] not in ("=", "<>", "<", "<=", ">", ">="):
        raise ValueError(f"not understood: {tokens}")
    return _Atom(" ".join(tokens[start : start + 3])), start + 3


def _text(node: _Node) -> str:
    if isinstance(node, _Atom):
        return node.text
    return "(" + f" {node.word} ".join(_text(part) for part in node.parts) + ")"


def _written(node: _Node, part: Json) -> str:
    """With names in the place of placeholders; of values, those that are always the same."""
    text = _text(node)
    for placeholder in sorted(part.get("ExpressionAttributeNames", {}), key=len, reverse=True):
        text = text.replace(placeholder, _SESSION.sub("connections", part["ExpressionAttributeNames"][placeholder]))
    for placeholder in sorted(part.get("ExpressionAttributeValues", {}), key=len, reverse=True):
        ((_, value),) = part["ExpressionAttributeValues"][placeholder].items()
        text = re.sub(rf"(status =|>=|>) {placeholder}\b", rf"\1 {value}", text)
        text = text.replace(placeholder, "?")
    return text.removeprefix("(").removesuffix(")") if isinstance(node, _Junction) else text

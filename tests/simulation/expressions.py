"""DynamoDB's expression language, as far as the product uses it; anything else is refused with ``ValueError``.

An item is a mapping from attribute names to values as DynamoDB spells them: ``{"version": {"N": "3"}}``. Paths are
names of attributes at the top of the item.

Condition, key condition and filter are one language (``ConditionExpression``). Expressions are parsed once.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
Item = Mapping[str, Value]

_TOKEN = re.compile(r"\s*(?:(?P<op><>|<=|>=|[=<>(),+\-])|(?P<word>[#:]?[A-Za-z0-9_]+))")
_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}
_CLAUSES = {"SET", "REMOVE", "ADD", "DELETE"}


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What ``#names`` and ``:values`` stand for in one request."""

    names: Mapping[str, str]
    values: Mapping[str, Value]


Operand = Callable[[Item, Placeholders], Value | None]
Condition = Callable[[Item, Placeholders], bool]
Update = Callable[[Item, Placeholders], dict[str, Value]]


class WrongType(Exception):
    """An update that DynamoDB refuses with a ``ValidationException``, as an ADD on a text."""


def condition(text: str) -> Condition:
    """The condition as a function of the item and the placeholders. A missing item is an empty one."""
    return _parse_condition(text)


def update(text: str) -> Update:
    """The update as a function that gives the new item. All operands are taken from the old item."""
    return _parse_update(text)


def projection(text: str, placeholders: Placeholders) -> list[str]:
    """The names of the attributes that a ``ProjectionExpression`` wants."""
    return [_name(part.strip(), placeholders) for part in text.split(",")]


def ordered(value: Value) -> tuple[str, Any]:
    """A form of a text, number or binary value that sorts as DynamoDB sorts it."""
    ((kind, plain),) = value.items()
    return kind, Decimal(plain) if kind == "N" else plain


@functools.cache
def _parse_condition(text: str) -> Condition:
    parser = _Parser(text)
    parsed = parser.disjunction()
    parser.end()
    return parsed


@functools.cache
def _parse_update(text: str) -> Update:
    parser = _Parser(text)
    parsed = parser.update()
    parser.end()
    return parsed


class _Parser:
    """Recursive descent. NOT binds tighter than AND, AND tighter than OR."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                raise ValueError(f"not understood: {text!r} at {position}")
            self._tokens.append(found["op"] or found["word"])
            position = found.end()
        self._next = 0

    def end(self) -> None:
        if self._next != len(self._tokens):
            raise self._error()

    def disjunction(self) -> Condition:
        parts = [self._conjunction()]
        while self._taken("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda item, given: any(part(item, given) for part in parts)

    def update(self) -> Update:
        changes: list[Callable[[Item, Placeholders], tuple[str, Value | None]]] = []
        while self._next < len(self._tokens):
            clause = self._take()
            if clause not in _CLAUSES:
                raise self._error()
            changes.append(self._change(clause))
            while self._taken(","):
                changes.append(self._change(clause))

        def updated(item: Item, given: Placeholders) -> dict[str, Value]:
            new = dict(item)
            for change in changes:
                name, value = change(item, given)
                if value is None:
                    new.pop(name, None)
                else:
                    new[name] = value
            return new

        return updated

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._taken("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda item, given: all(part(item, given) for part in parts)

    def _negation(self) -> Condition:
        if self._taken("NOT"):
            negated = self._negation()
            return lambda item, given: not negated(item, given)
        if self._taken("("):
            inner = self.disjunction()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        match self._peek():
            case "attribute_exists":
                path = self._argument()
                return lambda item, given: _name(path, given) in item
            case "attribute_not_exists":
                path = self._argument()
                return lambda item, given: _name(path, given) not in item
            case "begins_with":
                left, right = self._arguments()
                return lambda item, given: _starts(left(item, given), right(item, given))
        operand = self._operand()
        if self._taken("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            high = self._operand()
            return lambda item, given: (
                _compare(">=", operand(item, given), low(item, given))
                and _compare("<=", operand(item, given), high(item, given))
            )
        if self._taken("IN"):
            return self._membership(operand)
        comparator = self._take()
        other = self._operand()
        if comparator not in {"=", "<>", *_COMPARATORS}:
            raise self._error()
        return lambda item, given: _compare(comparator, operand(item, given), other(item, given))

    def _membership(self, operand: Operand) -> Condition:
        self._expect("(")
        allowed = [self._operand()]
        while self._taken(","):
            allowed.append(self._operand())
        self._expect(")")
        return lambda item, given: any(_compare("=", operand(item, given), each(item, given)) for each in allowed)

    def _change(self, clause: str) -> Callable[[Item, Placeholders], tuple[str, Value | None]]:
        path = self._take()
        if clause == "REMOVE":
            return lambda _, given: (_name(path, given), None)
        if clause == "ADD":
            amount = self._operand()
            return lambda item, given: (_name(path, given), _added(_of(item, path, given), amount(item, given)))
        if clause == "DELETE":
            elements = self._operand()
            return lambda item, given: (_name(path, given), _without(_of(item, path, given), elements(item, given)))
        self._expect("=")
        value = self._operand()
        for sign, factor in (("+", 1), ("-", -1)):
            if self._taken(sign):
                other = self._operand()
                return lambda item, given: (
                    _name(path, given),
                    _sum(_required(value(item, given)), other(item, given), factor),
                )
        return lambda item, given: (_name(path, given), _required(value(item, given)))

    def _operand(self) -> Operand:
        word = self._take()
        if word == "if_not_exists":
            self._expect("(")
            path = self._take()
            self._expect(",")
            otherwise = self._operand()
            self._expect(")")
            return lambda item, given: _of(item, path, given) or otherwise(item, given)
        if word.startswith(":"):
            return lambda _, given: given.values[word]
        if not re.fullmatch(r"#?\w+", word) or self._peek() == "(":
            raise self._error()
        return lambda item, given: _of(item, word, given)

    def _argument(self) -> str:
        self._take()
        self._expect("(")
        path = self._take()
        self._expect(")")
        return path

    def _arguments(self) -> tuple[Operand, Operand]:
        self._take()
        self._expect("(")
        left = self._operand()
        self._expect(",")
        right = self._operand()
        self._expect(")")
        return left, right

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> str:
        token = self._peek()
        if token is None:
            raise self._error()
        self._next += 1
        return token

    def _taken(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._next += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._taken(token):
            raise self._error()

    def _error(self) -> ValueError:
        return ValueError(f"not understood: {self._text!r} near {self._peek()!r}")


def _name(word: str, given: Placeholders) -> str:
    return given.names[word] if word.startswith("#") else word


def _of(item: Item, path: str, given: Placeholders) -> Value | None:
    return item.get(_name(path, given))


def _compare(comparator: str, left: Value | None, right: Value | None) -> bool:
    """Values of different types, and a missing one, are unequal and have no order."""
    if left is None or right is None:
        return comparator == "<>" and left is not right
    (left_kind, left_plain), (right_kind, right_plain) = ordered(left), ordered(right)
    if comparator in {"=", "<>"}:
        return ((left_kind, left_plain) == (right_kind, right_plain)) is (comparator == "=")
    return left_kind == right_kind and _COMPARATORS[comparator](left_plain, right_plain)


def _starts(value: Value | None, prefix: Value | None) -> bool:
    return value is not None and prefix is not None and "S" in value and str(value["S"]).startswith(prefix["S"])


def _required(value: Value | None) -> Value:
    if value is None:
        raise WrongType("The provided expression refers to an attribute that does not exist in the item")
    return value


def _added(old: Value | None, more: Value | None) -> Value:
    """ADD: to a number, or elements to a set."""
    if more is None or "SS" not in more:
        return _sum(old, more, 1)
    return {"SS": sorted({*_elements(old), *more["SS"]})}


def _without(old: Value | None, elements: Value | None) -> Value | None:
    """DELETE: elements from a set. There is no empty set: without its last element, the attribute is gone."""
    rest = sorted(set(_elements(old)) - set(_elements(_required(elements))))
    return {"SS": rest} if rest else None


def _elements(value: Value | None) -> list[str]:
    if value is not None and "SS" not in value:
        raise WrongType("An operand in the update expression has an incorrect data type")
    return [] if value is None else list(value["SS"])


def _sum(left: Value | None, right: Value | None, factor: int) -> Value:
    numbers = [left if left is not None else {"N": "0"}, _required(right)]
    if any("N" not in number for number in numbers):
        raise WrongType("An operand in the update expression has an incorrect data type")
    total = Decimal(numbers[0]["N"]) + factor * Decimal(numbers[1]["N"])
    return {"N": str(total)}

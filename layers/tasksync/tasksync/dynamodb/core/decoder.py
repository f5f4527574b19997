"""Decodes items in a response of DynamoDB, as PynamoDB does and in a tenth of the time.

PynamoDB sets each attribute through its descriptor, after it has looked for defaults and subclasses. These depend on
the class alone, and are looked for once here.
"""

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model

from tasksync.dynamodb.core.mapper import Raw

Item = TypeVar("Item", bound=Model)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What there is to read of one kind of item."""

    attributes: tuple[tuple[str, str, str], ...]
    """The name in Python, the name in DynamoDB, and the type."""
    readers: tuple[tuple[str, Callable[[Any], Any]], ...]
    """By the name in Python, what reads a value that is not taken as it is."""


def item_of(kind: type[Item], raw: Raw) -> Item:
    """``Model.from_raw_data``. Raises ``AttributeDeserializationError`` for a value of another type, ``ValueError``."""
    discriminator = _discriminator(kind)
    stored = kind if discriminator is None else _stored_kind(kind, discriminator, raw)
    plan = _plan(stored)
    try:
        values: dict[str, Any] = {name: raw[key][tag] for name, key, tag in plan.attributes if key in raw}
    except KeyError:
        values = dict(_values(plan, raw))
    for name, read in plan.readers:
        if name in values:
            values[name] = read(values[name])
    if discriminator is not None and discriminator.get_discriminator(stored) is not None:
        values[discriminator.attr_name] = stored
    item = stored.__new__(stored)
    item.attribute_values = values
    return item


def _values(plan: _Plan, raw: Raw) -> Iterator[tuple[str, Any]]:
    """Of an item in which something is null, or not what it should be."""
    for name, key, tag in plan.attributes:
        value = raw.get(key, {})
        if tag in value:
            yield name, value[tag]
        elif value and "NULL" not in value:
            raise AttributeDeserializationError(key, tag)


def _stored_kind(kind: type[Item], discriminator: DiscriminatorAttribute, raw: Raw) -> type[Item]:
    value = raw.get(discriminator.attr_name)
    if not value:
        return kind
    stored: type[Item] = discriminator.deserialize(discriminator.get_value(dict(value)))
    if not issubclass(stored, kind):
        raise ValueError(f"A {stored.__name__} is stored where a {kind.__name__} was looked for")
    return stored


@functools.cache
def _discriminator(kind: type[Model]) -> DiscriminatorAttribute | None:
    found = [each for each in kind.get_attributes().values() if isinstance(each, DiscriminatorAttribute)]
    return found[0] if found else None


@functools.cache
def _plan(kind: type[Model]) -> _Plan:
    attributes = {
        name: each for name, each in kind.get_attributes().items() if not isinstance(each, DiscriminatorAttribute)
    }
    if any(each.default is not None for each in attributes.values()):
        raise TypeError("an item whose attributes have defaults is not read by this")
    return _Plan(
        tuple((name, each.attr_name, each.attr_type) for name, each in attributes.items()),
        tuple((name, _reader(each)) for name, each in attributes.items() if type(each) is not UnicodeAttribute),
    )


def _reader(attribute: Attribute[Any]) -> Callable[[Any], Any]:
    return _number if type(attribute) is NumberAttribute else attribute.deserialize


def _number(text: str) -> Any:
    return int(text) if text.isdecimal() else json.loads(text)

"""How entities are stored: one mapper for each kind of item, with one line for each attribute.

A mapper decodes an item, wherever it was read, and encodes an entity. A query decodes JSON into rows at once, which is
several times faster than by way of PynamoDB's models: those are there for keys, conditions and updates.

This module imports no PynamoDB, so that stream functions start without it.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar, cast

import msgspec

from tasksync.model import times

Raw = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB spells it."""

_REQUIRED: Any = msgspec.UNSET


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An item as it was decoded: for each attribute that is read a field, which holds what DynamoDB spells."""


Entity = TypeVar("Entity", bound=msgspec.Struct)
AnyRow = TypeVar("AnyRow", bound=Row)


class Text(msgspec.Struct, frozen=True, gc=False):
    """An attribute as DynamoDB spells it: ``{"S": "text"}``."""

    S: str


def _as_it_is(text: str | None) -> str | None:
    return text


class Form(msgspec.Struct, frozen=True):
    """The stored form of a value."""

    spelled: type[msgspec.Struct]
    """What the attribute is decoded into."""
    member: str
    """Where ``spelled`` has the value: a field or a property."""
    write: Callable[[Any], Any] | None = None
    """From the value of an entity to that of a PynamoDB attribute, which is None for an attribute that is to be absent.

    None: they are the same."""
    show: Callable[[str | None], str | None] = _as_it_is
    """From the stored text to the text in an audit trail; of an absent attribute None."""
    absent: Any = _REQUIRED
    """What stands for an absent attribute."""
    nullable: bool = False
    """Whether None is stored as an absent attribute."""

    def or_none(self) -> "Form":
        """The same form for an attribute that may be absent: then the value is None."""
        return msgspec.structs.replace(self, absent=self.spelled(None), nullable=True)

    def default(self, value: Any) -> "Form":
        """The same form for an attribute that may be absent: then this is the value."""
        return msgspec.structs.replace(self, absent=self.spelled(value))


def stored_as(kind: Any, member: str = "S", write: Callable[[Any], Any] | None = None) -> Form:
    """``kind``: the type of the value. ``member``: the type in DynamoDB."""
    return Form(msgspec.defstruct("Attribute", [(member, kind)], frozen=True, gc=False), member, write)


def one_of(kind: type[Enum]) -> Form:
    return stored_as(kind, write=operator.attrgetter("value"))


TEXT = Form(Text, "S")
NUMBER = stored_as(int, "N")
MOMENT = stored_as(datetime, write=times.timestamp)
SECONDS = stored_as(datetime, "N", write=lambda at: int(at.timestamp()))
"""A time in seconds since 1970, which DynamoDB compares with its own clock to delete expired items."""


class Attribute(msgspec.Struct, frozen=True):
    """An attribute of an item, and the field of the entity that it holds."""

    name: str
    form: Form
    field: str | None = None
    """None: as the attribute is called."""
    audited: str | None = None
    """The name in the audit trail, which is that in the API; None where a change of it is not audited."""


class Mapper(Generic[Entity]):
    """Decodes and encodes one kind of item."""

    def __init__(self, entity: type[Entity], *attributes: Attribute, apart: Iterable[str] = ()) -> None:
        """``apart``: fields with defaults, which are not read or written here.

        Raises ``TypeError`` unless each other field of ``entity`` has its attribute.
        """
        self._entity = entity
        self._attributes = attributes
        by_field = {each.field or each.name: each for each in attributes}
        mapped = [field for field in entity.__struct_fields__ if field not in apart]
        if by_field.keys() != {*mapped}:
            raise TypeError(f"{by_field.keys() ^ {*mapped}} of {entity.__name__}")
        self._fields = [(each.name, field, each.form.write, each.form.nullable) for field, each in by_field.items()]
        # Made from names in our own code, as dataclasses make their methods: it takes half the time of an attrgetter,
        # whose look-ups the interpreter cannot specialise.
        values = ", ".join(f"row.{each.name}.{each.form.member}" for each in (by_field[field] for field in mapped))
        self.entity: Callable[[Row], Entity] = eval(f"lambda row: entity({values})", {"entity": entity})  # noqa: S307  # see above
        """Makes an entity of a row that has the attributes of this kind."""
        self._row = self.rows(Row)

    def rows(self, base: type[AnyRow], *texts: str) -> type[AnyRow]:
        """What a query decodes into. ``texts``: further attributes, such as sort keys."""
        named = {each.name: _field(each) for each in self._attributes}
        return _rows(base, f"{self._entity.__name__}Row", [*({text: (text, Text) for text in texts} | named).values()])

    def read(self, raw: Raw) -> Entity:
        """Raises ``TypeError`` for an item that is not of this kind. What is null counts as absent."""
        try:
            row = msgspec.convert(raw, self._row, strict=False)
        except msgspec.ValidationError:
            row = self._read_without_null(raw)
        return self.entity(row)

    def _read_without_null(self, raw: Raw) -> Row:
        try:
            return msgspec.convert(without_null(raw), self._row, strict=False)
        except msgspec.ValidationError as error:
            raise TypeError(f"An item is no {self._entity.__name__}: {error}") from error

    def attributes(self, entity: Entity) -> dict[str, Any]:
        """By attribute the value that is stored; None where there is none."""
        return {
            name: value if write is None or (value is None and nullable) else write(value)
            for name, field, write, nullable in self._fields
            for value in (getattr(entity, field),)
        }

    def changes(self, before: Entity, after: Entity) -> dict[str, Any]:
        """As ``attributes`` of ``after``, of those fields alone that differ."""
        return {
            name: value if write is None or (value is None and nullable) else write(value)
            for name, field, write, nullable in self._fields
            if (value := getattr(after, field)) != getattr(before, field)
        }

    def audited(self, raw: Raw) -> dict[str, str]:
        """What is audited, as texts by the names in the API; without what is absent.

        It is not validated: a stream record of a later version must not block those behind it.
        """
        texts = ((each.audited, each.form.show(text_of(raw, each.name))) for each in self._attributes if each.audited)
        return {name: text for name, text in texts if text is not None}

    @property
    def optional_fields(self) -> list[Any]:
        """The fields of a row, each of which may be absent."""
        return [
            (each.name, each.form.spelled | None, None if each.form.absent is _REQUIRED else each.form.absent)
            for each in self._attributes
        ]


def rows_of_any(base: type[AnyRow], *mappers: Mapper[Any]) -> type[AnyRow]:
    """What a query decodes into that finds items of several kinds. The fields of ``base`` are required of all."""
    fields = {each[0]: each for mapper in mappers for each in mapper.optional_fields}
    required = base.__struct_fields__
    return _rows(base, base.__name__, [each for name, each in fields.items() if name not in required])


def without_null(item: Raw) -> dict[str, Mapping[str, Any]]:
    return {name: value for name, value in item.items() if "NULL" not in value}


def text_of(raw: Raw | None, name: str) -> str | None:
    """The text or number that an attribute holds, as text, if it is there and holds one."""
    held = (raw or {}).get(name, {})
    value: str | None = held.get("S", held.get("N"))
    return value


def _field(attribute: Attribute) -> Any:
    form = attribute.form
    if form.absent is _REQUIRED:
        return (attribute.name, form.spelled)
    return (attribute.name, form.spelled | None, form.absent)


def _rows(base: type[AnyRow], name: str, fields: list[Any]) -> type[AnyRow]:
    made = msgspec.defstruct(name, fields, bases=(base,), frozen=True, kw_only=True, gc=False)
    return cast("type[AnyRow]", made)

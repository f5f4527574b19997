"""Reads what comes in against a schema, and reports every fault of it at once.

Schemas are msgspec structs, one level deep; a field takes one kind of value, and may take null. msgspec stops at the
first fault it meets, so each field is converted on its own.
"""

import functools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import inspect

from tasksync.errors import Fault
from tasksync.http.fields import USER

Schema = TypeVar("Schema", bound=msgspec.Struct)

_NONE = object()


class Checked(msgspec.Struct, frozen=True):
    """A schema with rules that go beyond the form of single fields."""

    FURTHER_SCHEMA: ClassVar[Mapping[str, Any]] = {}
    """Those of the rules that JSON Schema knows words for."""

    @classmethod
    def further_faults(
        cls,
        data: Mapping[str, Any],  # noqa: ARG003  # schemas override this
        values: Mapping[str, Any],  # noqa: ARG003  # schemas override this
    ) -> list[Fault]:
        """``data`` is what came in; ``values`` are those fields of it that have the right form."""
        return []


class Faults(Exception):
    """All that is wrong with the data. The caller decides which error it is."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Field:
    """What of a field is asked at each request."""

    name: str
    type: Any
    required: bool
    is_number: bool
    """Only numbers are read leniently: lenient msgspec would also take "null" for nothing and "17" for a time."""


@functools.cache
def _fields(schema: type[msgspec.Struct]) -> Mapping[str, _Field]:
    """By the name that clients use."""
    return {
        field.encode_name: _Field(
            field.name, field.type, field.required, isinstance(_kind(field.type)[0], inspect.IntType)
        )
        for field in msgspec.structs.fields(schema)
    }


@functools.cache
def parameters(schema: type[msgspec.Struct]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of fields that take one value, and of those that take several."""
    types = typing.get_type_hints(schema)
    lists = frozenset(name for name, kind in types.items() if typing.get_origin(kind) is tuple)
    return frozenset(types.keys() - lists), lists


@functools.cache
def user_fields(shape: Any) -> frozenset[str]:
    """The names of those fields of a struct or typed dictionary that hold ids of users."""
    return frozenset(
        name for name, kind in typing.get_type_hints(shape, include_extras=True).items() if _names_user(kind)
    )


def _names_user(annotation: Any) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return USER in metadata or any(map(_names_user, typing.get_args(annotation)))


def read(schema: type[Schema], data: Mapping[str, Any], *, texts: bool = False) -> Schema:
    """``data`` as an instance of ``schema``. Raises ``Faults``.

    ``texts``: the values are texts, as in a query string, and numbers are read from them.
    """
    fields = _fields(schema)
    faults = [_unknown(name, texts) for name in data if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        value = data.get(name, _NONE)
        if value is not _NONE:
            try:
                values[field.name] = msgspec.convert(value, field.type, strict=not (texts and field.is_number))
            except msgspec.ValidationError:
                faults.append(Fault(f"/{name}", *_explained(value, field.type, texts)))
        elif field.required:
            faults.append(Fault(f"/{name}", "missing", "This is required."))
    if issubclass(schema, Checked):
        faults += schema.further_faults(data, values)
    if faults:
        raise Faults(faults)
    return schema(**values)


def _unknown(name: str, texts: bool) -> Fault:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")  # RFC 6901 §3
    if texts:
        return Fault(pointer, "unknown_parameter", "There is no such parameter here.")
    return Fault(pointer, "unknown_field", "There is no such field here, or it cannot be set.")


def _explained(value: Any, annotation: Any, texts: bool) -> tuple[str, str]:
    """A stable word for what is wrong, and a sentence that says what would be right. msgspec says neither."""
    if not texts and isinstance(inspect.type_info(annotation), inspect.VarTupleType):
        return "wrong_type", "Must be a list of strings."
    kind, nullable = _kind(annotation)
    values = value if isinstance(value, list) else [value]
    match kind:
        case inspect.EnumType(cls=choices) if all(isinstance(each, str) for each in values):
            return "not_allowed", f"One of: {', '.join(choice.value for choice in choices)}."
        case inspect.StrType(min_length=least, max_length=most) if isinstance(value, str):
            if most is not None and len(value) > most:
                return "too_long", f"At most {most} characters."
            if least is not None and len(value) < least:
                return "too_short", f"At least {least} characters."
            return "bad_format", "This has not the form it must have."
        case inspect.DateTimeType() if isinstance(value, str):
            return "bad_format", "A date and time with an offset (RFC 3339), as 2027-01-31T12:00:00Z."
        case inspect.IntType(ge=least, le=most) if _is_integer(value, texts):
            return "out_of_range", f"From {least} to {most}."
    name = "a whole number" if isinstance(kind, inspect.IntType) else "a string"
    return "wrong_type", f"Must be {name}{' or null' if nullable else ''}."


def _kind(annotation: Any) -> tuple[inspect.Type, bool]:
    """The one kind of value that a field takes (of a list, its items), and whether null is one, too."""
    kind = inspect.type_info(annotation)
    alternatives = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    nullable = any(isinstance(each, inspect.NoneType) for each in alternatives)
    [one] = [each for each in alternatives if not isinstance(each, inspect.NoneType)]
    while isinstance(one, inspect.Metadata | inspect.VarTupleType):
        one = one.type if isinstance(one, inspect.Metadata) else one.item_type
    return one, nullable


def _is_integer(value: Any, texts: bool) -> bool:
    if texts:
        return isinstance(value, str) and value.lstrip("-").isdecimal()
    return isinstance(value, int) and not isinstance(value, bool)

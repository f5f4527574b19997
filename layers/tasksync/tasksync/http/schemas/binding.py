"""Validation: converts request data to a schema, and reports all field errors at once.

Schemas are msgspec structs without nesting. A field has one type, and may allow null. msgspec stops at the first error,
so each field is converted separately. Texts are first normalised to the form that the type names
(``Meta(extra={"form": …})``, ``tasksync.model.texts``). Times are cut to milliseconds and converted to UTC.
"""

import functools
import itertools
import re
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import UnsetType, inspect

from tasksync.http.schemas.fields import USER
from tasksync.model import times
from tasksync.model.errors import MAX_FIELD_ERRORS, FieldError, Invalid
from tasksync.model.texts import DAMAGE, LONGEST_SPELLING, Form, Refused

Schema = TypeVar("Schema", bound=msgspec.Struct)

_NONE = object()

# As JSON writes whole numbers. More digits are out of any range, and reading very many takes long.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_MOST_DIGITS = 18

# How much of an unknown name a field error repeats. A pointer that is cut ends in an ellipsis.
_NAME_CHARACTERS = 100

# What is longer than a date is a time.
_DATE_LENGTH = len("2027-01-31")
_TIME = Annotated[datetime, msgspec.Meta(tz=True)]
_NO_UTF_8 = "This holds U+FFFD, which stands for bytes that were not UTF-8. Send UTF-8."


class Checked(msgspec.Struct, frozen=True):
    """A schema with checks across several fields."""

    FURTHER_SCHEMA: ClassVar[Mapping[str, Any]] = {}
    """The checks that JSON Schema can express."""

    @classmethod
    def further_errors(
        cls,
        data: Mapping[str, Any],  # noqa: ARG003  # schemas override this
        values: Mapping[str, Any],  # noqa: ARG003  # schemas override this
    ) -> list[FieldError]:
        """The errors of further checks. ``data``: the request data; ``values``: the valid fields of it, converted."""
        return []


class FieldErrors(Exception):
    """All field errors of the data. The caller turns it into an error of the API."""

    def __init__(self, field_errors: list[FieldError]) -> None:
        self.field_errors = field_errors
        super().__init__()


class SentText(str):
    """A text of a change that was normalised, or that is invalid unless it equals the stored text."""

    __slots__ = ("error", "sent")

    sent: str
    error: FieldError | None


class Change(msgspec.Struct, frozen=True):
    """A schema of changes. A text that equals the stored text is always allowed."""

    LISTED: ClassVar[frozenset[str]] = frozenset()
    """The fields that the resource has in lists only. They can be sent back, and change nothing."""

    def given(self, current: object) -> dict[str, Any]:
        """The fields that were sent, by name. A text that equals the one in ``current`` stays as it is.

        Raises ``Invalid`` for other texts that are not valid.
        """
        given: dict[str, Any] = {}
        field_errors = []
        for name, value in msgspec.structs.asdict(self).items():
            if isinstance(value, UnsetType):
                continue
            given[name] = value
            if isinstance(value, SentText):
                unchanged = value.sent == getattr(current, name)
                given[name] = value.sent if unchanged else str(value)
                if value.error and not unchanged:
                    field_errors.append(value.error)
        if field_errors:
            raise Invalid(field_errors)
        return given


@dataclass(frozen=True, slots=True)
class _Field:
    """The properties of a schema field, collected once."""

    name: str
    annotation: Any
    required: bool
    kinds: tuple[inspect.Type, ...]
    """The types of its values (of a list: of its items), without null."""
    nullable: bool
    list: inspect.VarTupleType | None
    """Set if it takes a list."""
    form: Form | None
    """The form of a text that a user writes."""
    longest: int
    """The maximum length of such a text, in characters."""
    is_number: bool
    is_time: bool
    """Whether it takes a time or a date."""
    hint: str
    """A sentence about the right format; empty if only the length matters."""

    @classmethod
    def of(cls, field: msgspec.structs.FieldInfo) -> "_Field":
        found = list(_parts(inspect.type_info(field.type)))
        extra: dict[str, Any] = {}
        for part in found:
            if isinstance(part, inspect.Metadata):
                extra |= part.extra or {}
        return cls(
            name=field.name,
            annotation=field.type,
            required=field.required,
            kinds=tuple(part for part in found if not isinstance(part, _WRAPPERS)),
            nullable=any(isinstance(part, inspect.NoneType) for part in found),
            list=next((part for part in found if isinstance(part, inspect.VarTupleType)), None),
            form=extra.get("form"),
            longest=max((part.max_length or 0 for part in found if isinstance(part, inspect.StrType)), default=0),
            is_number=any(isinstance(part, inspect.IntType) for part in found),
            is_time=any(isinstance(part, inspect.DateType) for part in found),
            hint=extra.get("hint", ""),
        )


_WRAPPERS = (inspect.Metadata, inspect.UnionType, inspect.VarTupleType, inspect.NoneType)


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type and the types that it contains."""
    yield kind
    match kind:
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            yield from _parts(inner)
        case inspect.UnionType(types=alternatives):
            for each in alternatives:
                yield from _parts(each)


@functools.cache
def _fields(schema: type[msgspec.Struct]) -> Mapping[str, _Field]:
    """The fields of a schema, by the name that clients use."""
    return {field.encode_name: _Field.of(field) for field in msgspec.structs.fields(schema)}


@functools.cache
def parameters(schema: type[msgspec.Struct]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of fields that take one value, and of fields that take several."""
    types = typing.get_type_hints(schema)
    lists = frozenset(name for name, kind in types.items() if typing.get_origin(kind) is tuple)
    return frozenset(types.keys() - lists), lists


@functools.cache
def user_fields(shape: Any) -> frozenset[str]:
    """The names of the fields of a struct or typed dictionary that contain user ids."""
    return frozenset(
        name for name, kind in typing.get_type_hints(shape, include_extras=True).items() if _names_user(kind)
    )


def _names_user(annotation: Any) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return USER in metadata or any(map(_names_user, typing.get_args(annotation)))


def read(schema: type[Schema], data: Mapping[str, Any], *, texts: bool = False) -> Schema:
    """``data`` as an instance of ``schema``. Raises ``FieldErrors``.

    ``texts``: the values are texts, as in a query string, and numbers are parsed.
    """
    fields = _fields(schema)
    field_errors: list[FieldError] = []
    values: dict[str, Any] = {}
    tolerated = 0
    for name, field in fields.items():
        value = data.get(name, _NONE)
        if value is not _NONE:
            try:
                converted = _converted(field, value, texts)
                if field.form and issubclass(schema, Change) and converted != value:
                    converted = _sent(converted, value, None)
                values[field.name] = converted
            except Refused as refused:
                error = FieldError(f"/{name}", refused.code, refused.detail)
                field_errors.append(error)
                if field.form and issubclass(schema, Change) and isinstance(value, str):
                    values[field.name] = _sent(value, value, error)
                    tolerated += 1
        elif field.required:
            field_errors.append(FieldError(f"/{name}", "missing", "This is required."))
    field_errors += _unknown([name for name in data if name not in fields], fields, texts)
    if issubclass(schema, Checked):
        field_errors += schema.further_errors(data, values)
    if len(field_errors) > tolerated:
        raise FieldErrors(field_errors)
    return schema(**values)


def _sent(text: str, sent: str, error: FieldError | None) -> SentText:
    sent_text = SentText(text)
    sent_text.sent, sent_text.error = sent, error
    return sent_text


def _converted(field: _Field, value: Any, texts: bool) -> Any:
    """A value as the handler gets it. Raises ``Refused``."""
    form = field.form
    if isinstance(value, str):
        if DAMAGE in value and not (form and form.may_be_damaged):
            raise Refused("invalid_characters", _NO_UTF_8)
        value = _read(field, value, texts)
    elif isinstance(value, list) and any(DAMAGE in each for each in value if isinstance(each, str)):
        raise Refused("invalid_characters", _NO_UTF_8)
    annotation = field.annotation
    if field.is_time and isinstance(value, str) and len(value) > _DATE_LENGTH:
        annotation = _TIME
    try:
        converted = msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        raise Refused(*_explained(value, field, texts)) from error
    if form and isinstance(converted, str):
        form.check(converted)
    if isinstance(converted, datetime):
        try:
            return converted.astimezone(UTC)
        except OverflowError as error:
            raise Refused("out_of_range", "The year must be between 1 and 9999 in UTC.") from error
    return converted


def _read(field: _Field, text: str, texts: bool) -> str | int:
    """``text`` normalised or parsed, as far as msgspec does not do it."""
    if field.form:
        # A text that is too long in any form is not normalised: that may take long.
        return text if len(text) > LONGEST_SPELLING * field.longest else field.form.normal(text)
    if field.is_time:
        if len(text) > times.LONGEST_TIME:
            raise Refused("too_long", f"At most {_characters(times.LONGEST_TIME)}. {field.hint}")
        return times.cut(text)
    # msgspec's own lenient mode would accept 1e1 as a number, "null" as null and "17" as a time.
    if texts and field.is_number and len(text) <= _MOST_DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    return text


def _unknown(names: list[str], known: Collection[str], texts: bool) -> list[FieldError]:
    """One error for each unknown name, up to the maximum."""
    found = {}
    there_are = f"There are: {', '.join(known)}." if known else "There are none."
    for name in itertools.islice(names, MAX_FIELD_ERRORS + 1):
        shown = name if len(name) <= _NAME_CHARACTERS else f"{name[:_NAME_CHARACTERS]}…"
        pointer = "/" + shown.replace("~", "~0").replace("/", "~1")  # RFC 6901 §3
        if DAMAGE in name:
            found[pointer] = FieldError(pointer, "invalid_characters", _NO_UTF_8)
        elif texts:
            found[pointer] = FieldError(pointer, "unknown_parameter", f"There is no such parameter here. {there_are}")
        else:
            detail = f"There is no such field here, or it cannot be set. {there_are}"
            found[pointer] = FieldError(pointer, "unknown_field", detail)
    return list(found.values())


def _explained(value: Any, field: _Field, texts: bool) -> tuple[str, str]:
    """The code and the detail of an invalid value, which msgspec does not give."""
    if field.list is None:
        values = [value]
    elif isinstance(value, list):
        values = value
        if field.list.max_length is not None and len(values) > field.list.max_length:
            return "too_many", f"At most {field.list.max_length} entries."
    else:
        return "wrong_type", _expected(field)
    for kind in field.kinds:
        wrong = _wrong_text(kind, values, field) if all(isinstance(each, str) for each in values) else None
        if wrong is not None:
            return wrong
        if isinstance(kind, inspect.IntType) and all(_is_integer(each, texts) for each in values):
            return "out_of_range", f"Must be from {kind.ge} to {kind.le}."
    return "wrong_type", _expected(field)


def _wrong_text(kind: inspect.Type, values: list[str], field: _Field) -> tuple[str, str] | None:
    """The code and the detail of invalid texts, if a field takes texts of this type."""
    match kind:
        case inspect.EnumType() | inspect.LiteralType():
            return "not_allowed", f"Must be one of: {', '.join(_choices(field))}."
        case inspect.DateType():
            return "bad_format", field.hint
        case inspect.StrType(min_length=least, max_length=most):
            if most is not None and any(len(each) > most for each in values):
                return "too_long", f"At most {_characters(most)}. {field.hint}".rstrip()
            if least is not None and any(len(each) < least for each in values):
                return "too_short", f"At least {_characters(least)}. {field.hint}".rstrip()
            return "bad_format", field.hint
    return None


def _expected(field: _Field) -> str:
    if field.is_number:
        kind = "a whole number"
    elif choices := _choices(field):
        kind = f"one of: {', '.join(choices)}"
    else:
        kind = "a string"
    many = "a list, each " if field.list else ""
    return f"Must be {many}{kind}{'; or null' if field.nullable else ''}. {field.hint}".rstrip()


def _choices(field: _Field) -> list[str]:
    """The allowed values of a field, if they are enumerated."""
    choices: list[str] = []
    for kind in field.kinds:
        match kind:
            case inspect.EnumType(cls=members):
                choices += [member.value for member in members]
            case inspect.LiteralType(values=members):
                choices += [str(member) for member in members]
    return choices


def _characters(number: int) -> str:
    return "one character" if number == 1 else f"{number} characters"


def _is_integer(value: Any, texts: bool) -> bool:
    if texts and isinstance(value, str):
        return _INTEGER.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)

"""Queries whose items are read into structs at once, for what is asked most and has most items.

PynamoDB builds each query of a dozen objects; each item is a dictionary of dictionaries then, an item of PynamoDB and
an entity. Here the query is written as DynamoDB spells it, and msgspec makes a struct of each item as it reads the
JSON: of the attributes that the struct names, times, numbers and words in their own types; others are passed over.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, Required, TypedDict, TypeVar, cast

import msgspec

from tasksync.dynamodb.core.connection import shared_connection

Row = TypeVar("Row", bound=msgspec.Struct)
Key = dict[str, dict[str, Any]]


class Text(msgspec.Struct, frozen=True, gc=False):
    """An attribute as DynamoDB spells it: ``{"S": "text"}``; the others are likewise."""

    S: str


class Moment(msgspec.Struct, frozen=True, gc=False):
    S: datetime


class Number(msgspec.Struct, frozen=True, gc=False):
    N: int
    """Spelled as a text."""


class Texts(msgspec.Struct, frozen=True, gc=False):
    SS: frozenset[str]


class Read(NamedTuple, Generic[Row]):
    """What one query found. ``last``: the key it came to, or None where there is no more."""

    rows: list[Row]
    last: Key | None


class _Answer(TypedDict, Generic[Row], total=False):
    """What is used of DynamoDB's."""

    Items: Required[list[Row]]
    LastEvaluatedKey: Key | None
    ConsumedCapacity: Any


def query(rows: type[Row], question: Mapping[str, Any]) -> Read[Row]:
    """One round trip. ``question``: the members of a Query.

    Raises ``TypeError`` for an item that is not of the form of ``rows``. What is null counts as absent.
    """
    answer = shared_connection().read("Query", question, _reader(rows))
    return Read(answer["Items"], answer.get("LastEvaluatedKey"))


@functools.cache
def _reader(rows: type[Row]) -> Callable[[bytes], dict[str, Any]]:
    form: Any = _Answer[rows]  # type: ignore[valid-type]  # known at run time only
    # Not strict: numbers are read from texts.
    decode = msgspec.json.Decoder(form, strict=False).decode

    def read(content: bytes) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", decode(content))
        except msgspec.ValidationError:
            pass
        answer = msgspec.json.decode(content)
        answer["Items"] = [_without_null(item) for item in answer["Items"]]
        try:
            return cast("dict[str, Any]", msgspec.convert(answer, form, strict=False))
        except msgspec.ValidationError as error:
            raise TypeError(f"An item is no {rows.__name__}: {error}") from error

    return read


def _without_null(item: Key) -> Key:
    return {name: value for name, value in item.items() if "NULL" not in value}

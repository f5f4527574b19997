"""Queries whose items are read into structs at once, for the most frequent and largest reads.

PynamoDB builds each query of a dozen objects; each item is a dictionary of dictionaries then, an item of PynamoDB and
an entity. Here the query is written as DynamoDB spells it, and msgspec makes a struct of each item as it reads the
JSON: of the attributes that the struct names, times, numbers and words in their own types; others are passed over.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Required, TypedDict, TypeVar, cast

import msgspec
from pynamodb.pagination import ResultIterator

from tasksync.dynamodb.core.connection import shared_connection
from tasksync.dynamodb.core.mapper import Raw, without_null

Row = TypeVar("Row", bound=msgspec.Struct)
Key = dict[str, dict[str, Any]]


class Read(NamedTuple, Generic[Row]):
    """What one query found. ``last``: the key it came to, or None where there is no more."""

    rows: list[Row]
    last: Key | None


class _Response(TypedDict, Generic[Row], total=False):
    """What is used of DynamoDB's."""

    Items: Required[list[Row]]
    LastEvaluatedKey: Key | None
    ConsumedCapacity: Any


def query(rows: type[Row], request: Mapping[str, Any]) -> Read[Row]:
    """One round trip. ``request``: the members of a Query.

    Raises ``TypeError`` for an item that is not of the form of ``rows``. What is null counts as absent.
    """
    response = shared_connection().read("Query", request, _reader(rows))
    return Read(response["Items"], response.get("LastEvaluatedKey"))


def raws(found: ResultIterator[Any]) -> Iterator[Raw]:
    """The items that a query of PynamoDB finds, page by page, as DynamoDB spells them."""
    for page in found.page_iter:
        yield from page["Items"]


@functools.cache
def _reader(rows: type[Row]) -> Callable[[bytes], dict[str, Any]]:
    form: Any = _Response[rows]  # type: ignore[valid-type]  # known at run time only
    # Not strict: numbers are read from texts.
    decode = msgspec.json.Decoder(form, strict=False).decode

    def read(content: bytes) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", decode(content))
        except msgspec.ValidationError:
            pass
        response = msgspec.json.decode(content)
        response["Items"] = [without_null(item) for item in response["Items"]]
        try:
            return cast("dict[str, Any]", msgspec.convert(response, form, strict=False))
        except msgspec.ValidationError as error:
            raise TypeError(f"An item is no {rows.__name__}: {error}") from error

    return read

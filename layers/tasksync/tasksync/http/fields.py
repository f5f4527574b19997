"""Types of fields that several schemas share."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from tasksync.ids import CODE_SEPARATORS

# Printable, and no white space at either end: a name that looks like another's would serve only to deceive.
_NAME = r"\A[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?\Z"
_EMAIL = r"\A[^@\s\x00-\x1f\x7f]+@[^@\s.\x00-\x1f\x7f]+(?:\.[^@\s.\x00-\x1f\x7f]+)+\Z"

Username = Annotated[str, Meta(min_length=1, max_length=80, pattern=_NAME, examples=["ann"])]
Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=_EMAIL, examples=["ann@example.org"])]
Password = Annotated[str, Meta(min_length=1, max_length=1024, examples=["violet kettle drum 17"])]
Token = Annotated[str, Meta(min_length=1, max_length=4096)]
RoomName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S", examples=["Office move"])]
RoomCode = Annotated[str, Meta(min_length=6, max_length=9, pattern=r"\A[A-Za-z0-9]*\Z", examples=["K7QX2MZ9A"])]
PastedRoomCode = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=rf"\A[{CODE_SEPARATORS}]*(?:[A-Za-z0-9][{CODE_SEPARATORS}]*){{6,9}}\Z",
        description="6 to 9 letters (A to Z, in any case) and digits. Blanks, hyphens and line breaks are ignored.",
        examples=["K7QX2MZ9A"],
    ),
]
Id = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\A[A-Za-z0-9._~-]*\Z")]
Title = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S", examples=["Order the desks"])]
Description = Annotated[str, Meta(max_length=10_000, examples=["Twelve, adjustable in height."])]
Moment = Annotated[
    datetime, Meta(tz=True, description="RFC 3339, with any offset.", examples=["2027-01-31T12:00:00+01:00"])
]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many items to answer at most.")]
Cursor = Annotated[str, Meta(min_length=1, max_length=2048, description="The `next_cursor` of the page before.")]


_NO_NAME = {"properties": {"username": {"type": "null"}, "email": {"type": "null"}}}
_BOTH_NAMES = {
    "properties": {"username": {"type": "string"}, "email": {"type": "string"}},
    "required": ["username", "email"],
}

# By what must not be, in words of JSON Schema: generators of clients make several models of alternatives.
SOME_NAME = {"not": _NO_NAME}
ONE_NAME = {"not": {"anyOf": [_NO_NAME, _BOTH_NAMES]}}


class NoQuery(msgspec.Struct, frozen=True):
    """A route without query parameters."""


class From(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer is to go on."""

    cursor: Cursor | None = None


class Paging(From, frozen=True, kw_only=True):
    """Which part of a list is asked for."""

    limit: Limit = 50


def in_utc(moment: datetime) -> datetime | None:
    """The same moment in UTC; None if it falls outside the years 1 to 9999 there."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None

"""Field types that several request schemas share.

Lengths count code points in NFC. The ``form`` of a text (``model/texts.py``) decides what it may contain; the pattern
describes that to users of the API, as far as a pattern can.
"""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from tasksync.model import texts
from tasksync.model.codes import CODE_SEPARATORS
from tasksync.model.times import LONGEST_TIME

# Code points of the basic plane that no text may contain; and those that no name may contain, as they are invisible or
# change how others are shown.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffd-\uffff"
_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff"
)
_TYPED_NAME = r"\A[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?\Z"
_TYPED_EMAIL = r"\A[^@\s\x00-\x1f\x7f]+@[^@\s.\x00-\x1f\x7f]+(?:\.[^@\s.\x00-\x1f\x7f]+)+\Z"

Username = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=texts.USERNAME_LENGTH,
        description=(
            "The name to sign in with, which others see: visible characters, without white space at either end or two "
            "spaces in a row. It is unique, regardless of case."
        ),
        examples=["ann"],
        extra={"form": texts.USERNAME},
        extra_json_schema={"pattern": rf"\A[^\s{_HIDDEN}](?:[^{_HIDDEN}]*[^\s{_HIDDEN}])?\Z"},
    ),
]
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=texts.EMAIL_LENGTH,
        description=(
            "The e-mail address to sign in with. It is not verified. Other users do not see it, except "
            "admins of the installation."
        ),
        examples=["ann@example.org"],
        extra={"form": texts.EMAIL},
        extra_json_schema={"pattern": rf"\A[^@\s{_HIDDEN}]+@[^@\s.{_HIDDEN}]+(?:\.[^@\s.{_HIDDEN}]+)+\Z"},
    ),
]
Password = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        description="The password of the account.",
        examples=["violet kettle drum 17"],
        extra={"form": texts.PASSWORD},
        extra_json_schema={"pattern": r"\A[^\ufffd]*\Z"},
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        max_length=1024,
        description=(
            "At least 15 characters, unless the installation is set to another length. It must not be guessable: no "
            "common password or phrase, no repetition, no keyboard walk, and not made of the username or address."
        ),
        examples=["violet kettle drum 17"],
        extra={"form": texts.PASSWORD},
        # ``password_policy`` checks the length. This is the default of ``PasswordMinLength``; a test compares them.
        extra_json_schema={"minLength": 15, "pattern": r"\A[^\ufffd]*\Z"},
    ),
]
# For signing in: names that were registered before the current checks are still valid.
TypedUsername = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=texts.USERNAME_LENGTH,
        pattern=_TYPED_NAME,
        description="The username. Give either this or `email`.",
        examples=["ann"],
        extra={"form": texts.TYPED_NAME, "hint": "Must have no white space at either end, and no control characters."},
    ),
]
TypedEmail = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=texts.EMAIL_LENGTH,
        pattern=_TYPED_EMAIL,
        description="The e-mail address. Give either this or `username`.",
        examples=["ann@example.org"],
        extra={"form": texts.TYPED_NAME, "hint": "Must be an e-mail address, such as ann@example.org."},
    ),
]
TypedPassword = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        description="The password of the account.",
        examples=["violet kettle drum 17"],
        extra={"form": texts.TYPED_PASSWORD},
    ),
]
CurrentPassword = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        description="The password that is to be replaced.",
        examples=["violet kettle drum 17"],
        extra={"form": texts.CURRENT_PASSWORD},
        extra_json_schema={"pattern": r"\A[^\ufffd]*\Z"},
    ),
]
Token = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="The latest `refresh_token` of the session.",
        examples=["ses_01a1fc4c951c7ae3…"],
    ),
]
RoomName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="The name of the room: visible characters and spaces. Rooms may have the same name.",
        examples=["Office move"],
        extra={"form": texts.NAME},
        extra_json_schema={"pattern": rf"\A[^{_HIDDEN}]*[^\s{_HIDDEN}][^{_HIDDEN}]*\Z"},
    ),
]
RoomCode = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=9,
        pattern=r"\A[A-Za-z0-9]*\Z",
        description="6 to 9 letters (A to Z, in any case) and digits, which no other room has.",
        examples=["K7QX2MZ9A"],
        extra={"hint": "Must be 6 to 9 letters from A to Z and digits, such as K7QX2MZ9A."},
    ),
]
PastedRoomCode = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=rf"\A[{CODE_SEPARATORS}]*(?:[A-Za-z0-9][{CODE_SEPARATORS}]*){{6,9}}\Z",
        description=(
            "The code of the room: 6 to 9 letters (A to Z, in any case) and digits. Blanks, hyphens and line breaks "
            "are ignored."
        ),
        examples=["K7QX2MZ9A"],
        extra={
            "hint": "Must be 6 to 9 letters from A to Z and digits, such as K7QX2MZ9A; blanks, hyphens and line breaks "
            "are ignored."
        },
    ),
]
Id = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"\A[A-Za-z0-9._~-]*\Z",
        extra={"hint": "Must be an id from a response of the API: letters from A to Z, digits and . _ ~ -"},
    ),
]
# Marks a type as a user id.
USER = Meta(extra={"names": "user"})
UserId = Annotated[Id, Meta(description="A user; `me` is the caller."), USER]
Title = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description=(
            "What is to be done: at least one visible character, and no control characters but line feed and tab."
        ),
        examples=["Order the desks"],
        extra={"form": texts.TITLE},
        extra_json_schema={"pattern": rf"\A[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*\Z"},
    ),
]
Description = Annotated[
    str,
    Meta(
        max_length=10_000,
        description="More about the task, without control characters but line feed and tab. CR LF is stored as LF.",
        examples=["Twelve, adjustable in height."],
        extra={"form": texts.DESCRIPTION},
        extra_json_schema={"pattern": rf"\A[^{_CONTROLS}]*\Z"},
    ),
]
# A date or a time: ``datetime`` is a subclass of ``date``. msgspec converts to one of the two, and ``binding`` says to
# which.
Deadline = Annotated[
    date,
    Meta(
        description=(
            "A time (RFC 3339, with any offset; fractions of a millisecond are cut off), or a date, which means "
            "the whole day in UTC."
        ),
        examples=["2027-01-31T12:00:00+01:00", "2027-01-31"],
        extra={
            "hint": "Must be a date and time with an offset (RFC 3339), such as 2027-01-31T12:00:00Z, or a date, such "
            "as 2027-01-31."
        },
        extra_json_schema={
            "anyOf": [
                {"type": "string", "format": "date", "maxLength": 10},
                {"type": "string", "format": "date-time", "maxLength": LONGEST_TIME},
            ]
        },
    ),
]
Limit = Annotated[
    int,
    Meta(ge=1, le=100, description="The maximum number of items. The page has fewer if they exceed 4 MB in total."),
]
Cursor = Annotated[str, Meta(min_length=1, max_length=2048, description="The `next_cursor` of the previous page.")]


# Of username, e-mail address and password, the password and one more are required. Alternatives or a `not` with null
# would break client generators, and conditions some linters.
SOME_NAME = {"minProperties": 2}


class NoQuery(msgspec.Struct, frozen=True):
    """A route without query parameters."""


class CursorQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor of a list."""

    cursor: Cursor | None = None


class Paging(CursorQuery, frozen=True, kw_only=True):
    """The cursor and the page size of a list."""

    limit: Limit = 50


class EmptyBody(msgspec.Struct, frozen=True):
    """An optional body without fields."""

"""Text forms: how texts of users are normalised and validated before they are stored.

Texts are stored in NFC (Unicode UAX 15) with line feeds as line ends, and lengths count code points of this form. A
code point has at most four bytes in UTF-8, so a title (255 code points) has at most 1 KiB, and a description (10,000)
at most 40 KB. ASCII texts skip the expensive checks.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tasksync.model import names

DAMAGE = "\N{REPLACEMENT CHARACTER}"
"""The character by which the gateway replaces bytes that are not UTF-8."""

USERNAME_LENGTH = 80
EMAIL_LENGTH = 254

LONGEST_SPELLING = 4
"""How many code points can compose to one in NFC (UAX 15 §9: at most four)."""

# A DynamoDB key has at most 2,048 bytes, including our prefix.
_KEY_BYTES = 2_000
# No language needs more marks on one letter (UAX 15 §13, stream-safe text), and sorting them takes quadratic time.
_MOST_MARKS = 30
# C0 except tab and line feed, DEL, C1, and non-characters: all but the "Unicode Assignables" of RFC 9839 §4.3.
_LAST_OF_PLANES = "".join(chr(plane | last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_CONTROLS = f"[\0-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef{_LAST_OF_PLANES}]"


class Refused(Exception):
    """A text that is not valid. ``code``: the code of the field error; ``detail``: a sentence for the user."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of text is normalised and checked."""

    check: Callable[[str], None]
    """Raises ``Refused`` if the normalised text is not valid, apart from its length and pattern."""
    normal: Callable[[str], str]
    """Normalises a text. Raises ``Refused`` if that is not possible."""
    may_be_damaged: bool = False
    """Whether the caller handles texts that contain ``DAMAGE``."""


def nfc(text: str) -> str:
    """``text`` in NFC. Raises ``Refused`` for a text whose normalisation would take long."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            raise Refused("invalid_characters", f"At most {_MOST_MARKS} combining marks may follow each other.")
    return unicodedata.normalize("NFC", text)


def comparable(name: str) -> str:
    """The form in which names are compared, ignoring case and composition (Unicode UAX 15 and 21)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _with_line_feeds(text: str) -> str:
    return nfc(text.replace("\r\n", "\n"))


def _as_typed(text: str) -> str:
    """The shorter of the text and its NFC: names that were stored before normalisation must be found too."""
    return min(text, nfc(text), key=len)


def _check_text(text: str) -> None:
    if not text.isprintable() and re.search(_CONTROLS, text):
        raise Refused(
            "invalid_characters",
            "A text has no control characters but line feed and tab, and no code points that are not characters.",
        )


def _check_title(text: str) -> None:
    _check_text(text)
    _check_seen(text)


def _check_seen(text: str) -> None:
    if not names.is_seen(text):
        raise Refused("bad_format", "At least one character must be visible.")


def _check_name(text: str) -> None:
    if not names.is_honest(text):
        raise Refused(
            "invalid_characters",
            "A name has no characters that are invisible, unassigned or private, or that change how others are shown.",
        )
    _check_seen(text)


def _check_username(text: str) -> None:
    _check_name(text)
    key = text if text.isascii() else comparable(text)
    if text != text.strip() or "  " in key:
        raise Refused("bad_format", "A name has no white space at either end, and no two spaces in a row.")
    _check_length(key, USERNAME_LENGTH)


def _check_email(text: str) -> None:
    _check_name(text)
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+", text):
        raise Refused("bad_format", "Must be an e-mail address, such as ann@example.org.")
    if not text.isascii():
        _check_length(comparable(text), EMAIL_LENGTH)


def _check_length(key: str, most: int) -> None:
    if len(key) > most:
        raise Refused("too_long", f"At most {most} characters, also in the form in which names are compared (NFKC).")


def _check_typed(text: str) -> None:
    if not text.isascii() and len(comparable(text).encode()) > _KEY_BYTES:
        raise Refused("too_long", "Nobody has a name as long as this.")


def _check_nothing(_: str) -> None:
    pass


NAME = Form(_check_name, nfc)
USERNAME = Form(_check_username, nfc)
EMAIL = Form(_check_email, nfc)
TITLE = Form(_check_title, _with_line_feeds)
DESCRIPTION = Form(_check_text, _with_line_feeds)
PASSWORD = Form(_check_nothing, nfc)

TYPED_NAME = Form(_check_typed, _as_typed, may_be_damaged=True)
"""A username or an e-mail address at sign-in, with weak checks: older versions accepted other names."""
TYPED_PASSWORD = Form(_check_nothing, _as_typed, may_be_damaged=True)
"""A password at sign-in."""
CURRENT_PASSWORD = Form(_check_nothing, _as_typed)
"""The current password of a signed-in user."""

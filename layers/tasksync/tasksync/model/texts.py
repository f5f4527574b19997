"""Text forms: how texts of users are normalised and validated before they are stored.

Texts are stored in NFC (Unicode UAX 15) with line feeds as line ends, and lengths count code points of this form. A
code point has at most four bytes in UTF-8, so a title (255 code points) has at most 1 KiB, and a description (10,000)
at most 40 KB. ASCII texts skip the expensive checks.

A name must not look like another name, or like no name. Users decide by names whom to trust. So a name must not contain
code points that are invisible or change how others are shown: control, format, private-use and unassigned code points
and non-characters, as in the profiles of PRECIS (RFC 8264 §9, RFC 8265 §3, RFC 8266 §2), letters that look blank, and
stacked marks (UTS 39 §5.4). Joiners and emoji selectors are allowed where they change what is shown (RFC 5892 §A.1 and
§A.2, UAX 31 §2.3, UTS 51 §2).

Which code points are unassigned depends on the Unicode version of the running Python: 15.1 on Lambda's 3.13, 14.0 on
3.11. An older version refuses more names. That is safe: names are compared in a normal form, which is stable only for
assigned code points.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

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

_MOST_MARKS_OF_NAMES = 4

# Letters, marks and symbols that are shown as nothing or as a gap.
_BLANK = frozenset(
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b\u180c\u180d\u180f"  # Mongolian variation selectors
    "\u2800"  # braille pattern without dots
    "\ufffc"  # stands for an object that is not there
    "\U00013441\U00013442\U00016fe4\U0001d159"  # Egyptian blanks, Khitan filler, null notehead
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))  # variation selectors
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})
_TAGS_AND_SELECTORS = range(0xE0000, 0xE1000)

# Spaces that normalise to a plain space. Ogham's space, which may be drawn as a stroke, does not.
_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")

# Of Arabic, Syriac and N'Ko: letters that join to the next one, marks between the two, letters that are joined to.
_JOINING = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687\u069a-\u06bf"
    "\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff\u0712-\u0714\u071a-\u071d\u071f-\u0727\u0729\u072b\u072d"
    "\u072e\u074e-\u0758\u075c-\u076a\u076d-\u0770\u0772\u0775-\u0777\u077a-\u077f\u07ca-\u07ea\u08a0-\u08a9"
)
_MARKS = "\u064b-\u065f\u0670\u0711\u0730-\u074a"
_JOINED = (
    "\u0620\u0622-\u064a\u066e\u066f\u0671-\u06d5\u06ee-\u06ff\u0710\u0712-\u072f\u074d-\u077f\u07ca-\u07ea"
    "\u08a0-\u08c7"
)
_PICTOGRAPHS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934"
    "\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_MEANT = (
    rf"[{_JOINING}][{_MARKS}]*\u200c(?=[{_MARKS}]*[{_JOINED}])"
    r"|[\u09b0\u0cb0]\u200d(?=[\u09cd\u0ccd])"  # Bengali and Kannada ra, which keeps its form before a virama
    rf"|[{_PICTOGRAPHS}](?:\ufe0f?\u200d(?=[{_PICTOGRAPHS}])|[\ufe0e\ufe0f])"
    r"|[0-9#*]\ufe0f\u20e3"  # keycaps
    # The flags of England, Scotland and Wales, the only emoji that are spelt with tags.
    r"|\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    r"|\U000e0077\U000e006c\U000e0073)\U000e007f"
    r"|(?P<virama>[^\x00-\u08ff])[\u200c\u200d]"
)
_VIRAMA = 9  # the canonical combining class


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
    if not _has_visible(text):
        raise Refused("bad_format", "At least one character must be visible.")


def _check_name(text: str) -> None:
    if not _is_honest(text):
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


def _has_visible(text: str) -> bool:
    """Whether ``text`` has a visible character."""
    return any(map(_is_seen, text))


def _is_honest(name: str) -> bool:
    """Whether ``name``, which is in NFC, has visible code points only."""
    if not name.isascii():
        name = re.sub(_MEANT, _shown, name).translate(_SPACES)
    # Printable, in Python: assigned, and neither control, format, private use nor white space other than a plain space.
    return name.isprintable() and (name.isascii() or not (_BLANK.intersection(name) or _is_piled_up(name)))


def _is_seen(character: str) -> bool:
    if character.isascii():
        return "!" <= character <= "~"
    if character in _BLANK or ord(character) in _TAGS_AND_SELECTORS:
        return False
    return unicodedata.category(character) not in _UNSEEN


def _shown(meant: "re.Match[str]") -> str:
    """A valid sequence without its joiners and selectors."""
    virama = meant["virama"]
    if virama and unicodedata.combining(virama) != _VIRAMA:
        return meant[0]
    return "".join(each for each in meant[0] if each.isprintable() and each not in _BLANK)


def _is_piled_up(name: str) -> bool:
    """Whether it starts with a mark, repeats a mark, or has more consecutive marks than any script needs."""
    if unicodedata.category(name[0]).startswith("M"):
        return True
    marks = ""
    for character in unicodedata.normalize("NFD", name):
        if unicodedata.category(character) not in ("Mn", "Me"):
            marks = ""
        elif marks.endswith(character) or len(marks) == _MOST_MARKS_OF_NAMES:
            return True
        else:
            marks += character
    return False


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

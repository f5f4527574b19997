"""Checks of names: a name must not look like another name, or like no name.

Users decide by names whom to trust. So a name must not contain code points that are invisible or change how others are
shown: control, format, private-use and unassigned code points and non-characters, as in the profiles of PRECIS (RFC
8264 §9, RFC 8265 §3, RFC 8266 §2), letters that look blank, and stacked marks (UTS 39 §5.4). Joiners and emoji
selectors are allowed where they change what is shown (RFC 5892 §A.1 and §A.2, UAX 31 §2.3, UTS 51 §2).

Which code points are unassigned depends on the Unicode version of the running Python: 15.1 on Lambda's 3.13, 14.0 on
3.11. An older version refuses more names. That is safe: names are compared in a normal form, which is stable only for
assigned code points.
"""

import re
import unicodedata

_MOST_MARKS = 4

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


def is_seen(text: str) -> bool:
    """Whether ``text`` has a visible character."""
    return any(map(_is_seen, text))


def is_honest(name: str) -> bool:
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
        elif marks.endswith(character) or len(marks) == _MOST_MARKS:
            return True
        else:
            marks += character
    return False

"""What may be a password (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0.0 §6.2.1 to §6.2.12).

Length and guesses decide, and no rule of composition. The guesses are zxcvbn's estimate (Wheeler, USENIX Security
2016) of how many tries somebody would need who knows the common passwords, words, names, dates and keyboard patterns.
"""

import math
import re
import unicodedata
from collections.abc import Iterable

from tasksync.errors import Fault
from tasksync.settings import settings

PRODUCT = "tasksync"

# zxcvbn's highest score begins here: beyond it, it holds a password safe even where its hash has been stolen.
_ENOUGH_GUESSES = 10**10
# It takes more than linear time. What makes the first so many characters hard to guess makes the rest harder only.
_JUDGED_CHARACTERS = 72
# It tries every reading of look-alikes (@ for a, 1 for i or l), and 72 chosen characters cost it 6 s. Where there are
# more readings than this, symbols are read as letters beforehand, and it takes 120 ms at the most.
_READINGS = 16
# It knows nothing of other scripts, and takes each of their characters for one of ten. So many are 128 bytes at least.
_BEYOND_JUDGEMENT = 64
# Shorter parts of a name stand in too many words by chance.
_SHORTEST_NAME = 3


def normal(password: str) -> str:
    """The form in which a password counts, however a keyboard composed it."""
    return unicodedata.normalize("NFC", password)


def length_faults(password: str, pointer: str) -> list[Fault]:
    """Whether ``password`` is too short, in characters: all that can be said of it without work."""
    least = settings.password_min_length
    if len(normal(password)) < least:
        return [Fault(pointer, "too_short", f"A password has at least {least} characters.")]
    return []


def faults_of(password: str, pointer: str, names: Iterable[str | None] = ()) -> list[Fault]:
    """What keeps ``password`` from being set as one by somebody with these names and addresses.

    At most one fault: the reason to be given. It takes up to a quarter of a second: count the request before.
    """
    faults = length_faults(password, pointer)
    if faults:
        return faults
    password = normal(password)
    if sum(not character.isascii() for character in password) >= _BEYOND_JUDGEMENT:
        return []
    words = _words_of([PRODUCT, *(name for name in names if name)])
    enough, reason = _judged(password, words)
    if not enough:
        return [Fault(pointer, "password_too_common", f"This password would soon be guessed. {reason}")]
    without = _without(password, words)
    if without != password and not _judged(without, words)[0]:
        detail = f"Apart from your name, your address or {PRODUCT}, there is too little in this password."
        return [Fault(pointer, "password_contains_name", detail)]
    return []


def _judged(password: str, words: list[str]) -> tuple[bool, str]:
    """Whether it takes enough guesses, and if not, what makes it easy."""
    # Imported where a password is set and nowhere else: with its word lists it takes 22 ms and 14 MB.
    from zxcvbn import zxcvbn  # noqa: PLC0415  # see above
    from zxcvbn.matching import L33T_TABLE  # noqa: PLC0415  # see above

    if not password:
        return False, ""
    judged = password[:_JUDGED_CHARACTERS]
    if math.prod(max(1, sum(each in judged for each in alike)) for alike in L33T_TABLE.values()) > _READINGS:
        letters = {ord(each): letter for letter, alike in L33T_TABLE.items() for each in alike if not each.isdigit()}
        judged = judged.translate(letters)
    found = zxcvbn(judged, user_inputs=words)
    reason = found["feedback"]["warning"] or "It is made of common words, names, dates or patterns."
    return found["guesses"] >= _ENOUGH_GUESSES, reason


def _words_of(names: Iterable[str]) -> list[str]:
    """The names and what they are made of, the longest first."""
    words = {part for name in names for part in [name, *re.split(r"[\W_]+", name)]}
    return sorted((word for word in words if len(word) >= _SHORTEST_NAME), key=lambda word: (-len(word), word))


def _without(password: str, words: list[str]) -> str:
    return re.sub("|".join(map(re.escape, words)), "", password, flags=re.IGNORECASE)

"""Password strength: zxcvbn's estimate (Wheeler, USENIX Security 2016), and patterns that zxcvbn does not know.

The estimate is the number of guesses of an attacker who knows common passwords, words, names, dates and walks on an
American keyboard. zxcvbn treats a pattern of several walks as independent walks, and a well-known phrase as random
words. So a password is also judged without its keyboard walks, without well-known phrases, and as typed on a Latin
keyboard.
"""

import math
import re
from collections.abc import Iterable

from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

from tasksync.security.password_phrases import without_phrases
from tasksync.security.password_walks import as_latin_keys, without_walks

# zxcvbn's highest score begins here: it considers such a password safe even if its hash is stolen.
_ENOUGH_GUESSES = 10**10
# zxcvbn takes more than linear time. If the first characters are hard to guess, the whole password is too.
_JUDGED_CHARACTERS = 72
# zxcvbn tries every reading of look-alikes (@ for a, 1 for i or l), and 72 chosen characters take 6 s. If there are
# more readings than this, symbols are replaced by letters first, and it takes 120 ms at most.
_MAX_LEET_READINGS = 16
# zxcvbn does not know other scripts, and rates their characters too low. This many are at least 128 bytes.
_BEYOND_JUDGEMENT = 64
# Shorter parts of a name appear in too many words by chance.
_SHORTEST_NAME = 3


def weakness(password: str, words: list[str]) -> str:
    """Why the password is easy to guess for somebody who knows these words; empty if it is not."""
    latin = as_latin_keys(password)
    if sum(not character.isascii() for character in latin) >= _BEYOND_JUDGEMENT:
        return ""
    reason = _estimated(password, words)
    judged = password[:_JUDGED_CHARACTERS]
    looks = (
        (latin, "It is a common password on another keyboard."),
        (without_walks(judged), "It is made of keys that lie beside each other."),
        (without_phrases(password), "It is made of a well-known phrase."),
    )
    for look, why in looks:
        if not reason and look not in (password, judged) and _estimated(look, words):
            reason = why
    return reason


def words_of(names: Iterable[str]) -> list[str]:
    """The names and their parts, the longest first."""
    words = {part for name in names for part in [name, *re.split(r"[\W_]+", name)]}
    return sorted((word for word in words if len(word) >= _SHORTEST_NAME), key=lambda word: (-len(word), word))


def apart_from(password: str, words: list[str]) -> str:
    """The password without these words."""
    return re.sub("|".join(map(re.escape, words)), "", password, flags=re.IGNORECASE)


def _estimated(password: str, words: list[str]) -> str:
    """zxcvbn's reason why the password is easy to guess; empty if it takes enough guesses."""
    if not password:
        return "There is nothing in it."
    judged = password[:_JUDGED_CHARACTERS]
    if math.prod(max(1, sum(each in judged for each in alike)) for alike in L33T_TABLE.values()) > _MAX_LEET_READINGS:
        letters = {ord(each): letter for letter, alike in L33T_TABLE.items() for each in alike if not each.isdigit()}
        judged = judged.translate(letters)
    found = zxcvbn(judged, user_inputs=words)
    if found["guesses"] >= _ENOUGH_GUESSES:
        return ""
    return found["feedback"]["warning"] or "It is made of common words, names, dates or patterns."

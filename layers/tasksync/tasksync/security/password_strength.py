"""How hard a password is to guess: zxcvbn's estimate (Wheeler, USENIX Security 2016), and what that does not know.

The estimate is how many tries somebody would need who knows the common passwords, words, names, dates and the walks on
an American keyboard. It takes a pattern of several walks for independent ones, and a well-known phrase for words chosen
at random. So a password has to be hard to guess also without its walks, without such phrases, and as what its keys
would write on a Latin keyboard.
"""

import math
import re
from collections.abc import Iterable

from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

from tasksync.security.password_phrases import without_phrases
from tasksync.security.password_walks import as_latin_keys, without_walks

# zxcvbn's highest score begins here: beyond it, it holds a password safe even where its hash has been stolen.
_ENOUGH_GUESSES = 10**10
# It takes more than linear time. What makes the first so many characters hard to guess makes the rest harder only.
_JUDGED_CHARACTERS = 72
# It tries every reading of look-alikes (@ for a, 1 for i or l), and 72 chosen characters cost it 6 s. Where there are
# more readings than this, symbols are read as letters beforehand, and it takes 120 ms at the most.
_MAX_LEET_READINGS = 16
# It knows nothing of other scripts, and takes each of their characters for one of ten. So many are 128 bytes at least.
_BEYOND_JUDGEMENT = 64
# Shorter parts of a name stand in too many words by chance.
_SHORTEST_NAME = 3


def weakness(password: str, words: list[str]) -> str:
    """What makes it easy to guess for somebody who knows these words; empty if nothing does."""
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
    """The names and what they are made of, the longest first."""
    words = {part for name in names for part in [name, *re.split(r"[\W_]+", name)]}
    return sorted((word for word in words if len(word) >= _SHORTEST_NAME), key=lambda word: (-len(word), word))


def apart_from(password: str, words: list[str]) -> str:
    return re.sub("|".join(map(re.escape, words)), "", password, flags=re.IGNORECASE)


def _estimated(password: str, words: list[str]) -> str:
    """What zxcvbn holds to make it easy; empty if it takes enough guesses."""
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

"""Keyboard walks: detects passwords made of adjacent keys or a pattern of keys, on common keyboard layouts.

Each walk is replaced by its first key, and the result is reduced again: `!QAZ2wsx#EDC4rfv` is four walks, whose first
keys are a walk. The result is about as hard to guess as the password.
"""

from collections.abc import Mapping, Sequence

_Place = tuple[int, int]
"""Row and column of a key."""

_SHORTEST_WALK = 3
_MOST_LEFT = 1 / 3
# Two interleaved walks (qpwoeiru) must be longer: words look like them more often.
_SHORTEST_DOUBLE_WALK = 6

_Layout = tuple[list[str], list[str]]
"""The rows of keys from the top, without and with the shift key."""


def _layout(plain: str, shifted: str) -> _Layout:
    return plain.split(), shifted.split()


_QWERTY = _layout(
    r"1234567890-= qwertyuiop[]\ asdfghjkl;' zxcvbnm,./", '!@#$%^&*()_+ QWERTYUIOP{}| ASDFGHJKL:" ZXCVBNM<>?'
)
_RUSSIAN = _layout(
    r"1234567890-= йцукенгшщзхъ\ фывапролджэ ячсмитьбю.", '!"№;%:?*()_+ ЙЦУКЕНГШЩЗХЪ/ ФЫВАПРОЛДЖЭ ЯЧСМИТЬБЮ,'
)
_UKRAINIAN = _layout(
    "1234567890-= йцукенгшщзхїґ фівапролджє ячсмитьбю.", '!"№;%:?*()_+ ЙЦУКЕНГШЩЗХЇҐ ФІВАПРОЛДЖЄ ЯЧСМИТЬБЮ,'
)
_GREEK = _layout(
    r"1234567890-= ;ςερτυθιοπ[]\ ασδφγηξκλ΄' ζχψωβνμ,./",  # noqa: RUF001  # Greek, not Latin
    '!@#$%^&*()_+ :΅ΕΡΤΥΘΙΟΠ{}| ΑΣΔΦΓΗΞΚΛ¨" ΖΧΨΩΒΝΜ<>?',
)
_BRITISH = _layout(
    "1234567890-= qwertyuiop[] asdfghjkl;'# zxcvbnm,./", '!"£$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:@~ ZXCVBNM<>?'
)
_QWERTZ = _layout(
    "1234567890ß´ qwertzuiopü+ asdfghjklöä# yxcvbnm,.-",  # noqa: RUF001  # the key beside it
    "!\"§$%&/()=?` QWERTZUIOPÜ* ASDFGHJKLÖÄ' YXCVBNM;:_",
)
_AZERTY = _layout(
    "&é\"'(-è_çà)= azertyuiop^$ qsdfghjklmù* wxcvbn,;:!", "1234567890°+ AZERTYUIOP¨£ QSDFGHJKLM%µ WXCVBN?./§"
)
_DVORAK = _layout(
    r"1234567890[] ',.pyfgcrl/=\ aoeuidhtns- ;qjkxbmwvz", '!@#$%^&*(){} "<>PYFGCRL?+| AOEUIDHTNS_ :QJKXBMWVZ'
)
_COLEMAK = _layout(
    r"1234567890-= qwfpgjluy;[]\ arstdhneio' zxcvbkm,./", '!@#$%^&*()_+ QWFPGJLUY:{}| ARSTDHNEIO" ZXCVBKM<>?'
)


def without_walks(password: str) -> str:
    """``password`` with its walks reduced, on the layout that gives the shortest result.

    A password that is not mostly walks stays as it is: words and random characters contain short walks too.
    """
    reduced = min((_reduced(password, places) for places in _PLACES), key=len)
    return reduced if len(reduced) <= _MOST_LEFT * len(password) else password


def as_latin_keys(password: str) -> str:
    """What the same keys write on a Latin keyboard: `пароль` is `gfhjkm` in password lists."""
    return password.translate(_LATIN)


def as_cyrillic_keys(password: str) -> tuple[str, str]:
    """What the same keys write on a Russian and on a Ukrainian keyboard."""
    return password.translate(_CYRILLIC[0]), password.translate(_CYRILLIC[1])


def _reduced(password: str, places: Mapping[str, _Place]) -> str:
    text = password
    while True:
        # A character without a key in this layout is adjacent to none, and may be repeated.
        keys = [places.get(character, (9, 3 * ord(character))) for character in text]
        remaining = _remaining(keys, 1, _SHORTEST_WALK)
        if len(remaining) == len(keys):
            remaining = _remaining(keys, 2, _SHORTEST_DOUBLE_WALK)
        if len(remaining) == len(keys):
            return text
        text = "".join(text[number] for number in remaining)


def _remaining(keys: Sequence[_Place], walks: int, shortest: int) -> list[int]:
    """The indexes of keys in no walk, and of each walk's first key. ``walks``: how many walks are interleaved."""
    steps = [(key[0] - before[0], key[1] - before[1]) for before, key in zip(keys, keys[walks:], strict=False)]
    regular = [_is_regular(steps, number, walks) for number in range(len(steps))]
    remaining: list[int] = []
    number = 0
    while number < len(keys):
        end = number
        while end < len(regular) and regular[end]:
            end += 1
        end += walks
        if end - number >= shortest:
            remaining += range(number, number + walks)
            number = end
        else:
            remaining.append(number)
            number += 1
    return remaining


def _is_regular(steps: Sequence[_Place], number: int, walks: int) -> bool:
    """Whether a step goes to an adjacent key, or equals the previous or next step of its walk."""
    step = steps[number]
    if max(map(abs, step)) <= 1 or steps[number + walks : number + walks + 1] == [step]:
        return True
    return number >= walks and steps[number - walks] == step


def _places_of(layout: _Layout) -> dict[str, _Place]:
    return {
        character: (row, column)
        for rows in layout
        for row, characters in enumerate(rows)
        for column, character in enumerate(characters)
    }


def _keys_of(layout: _Layout, other: _Layout) -> dict[int, str]:
    """What each key of ``layout`` writes in ``other``, by code point; without pairs of two ASCII characters."""
    pairs = [
        pair
        for rows, others in zip(layout, other, strict=True)
        for row, other_row in zip(rows, others, strict=True)
        for pair in zip(row, other_row, strict=False)
    ]
    return {ord(key): written for key, written in pairs if not (key.isascii() and written.isascii())}


_PLACES = [
    _places_of(layout)
    for layout in (
        *(_QWERTY, _RUSSIAN, _UKRAINIAN, _GREEK, _BRITISH),
        *(_QWERTZ, _AZERTY, _DVORAK, _COLEMAK),
    )
]
_LATIN = _keys_of(_GREEK, _QWERTY) | _keys_of(_RUSSIAN, _QWERTY) | _keys_of(_UKRAINIAN, _QWERTY)
_CYRILLIC = (_keys_of(_QWERTY, _RUSSIAN), _keys_of(_QWERTY, _UKRAINIAN))

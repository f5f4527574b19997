"""How far a client has read all its logs, as compact bytes: a cursor has 200 rooms in 5 kB."""

from collections.abc import Iterator

from tasksync.model.following import NO_JOIN, START, Following, Place

_FORM = 1
_ROOM = "room_"
_ID_BYTES = 16

# What stands in the lowest bits of a place's first number.
_LISTED, _TO_START, _IN_LIST = 0, 1, 2


def encoded(following: Following, user_id: str) -> bytes:
    """``user_id``: whose cursor it is, which is not in it."""
    text = bytearray([_FORM])
    text += _number(following.epoch)
    mine = following.places[user_id]
    text += _place(mine)
    for room_id, place in following.places.items():
        if room_id != user_id:
            text += bytes.fromhex(room_id.removeprefix(_ROOM)) + place.join + _place(place)
    return bytes(text)


def decoded(text: bytes, user_id: str) -> Following | None:
    """None: another version made it, which wrote another form."""
    if text[0] != _FORM:
        return None
    reader = _Reader(text[1:])
    epoch = reader.number()
    places = {user_id: reader.place(NO_JOIN)}
    while not reader.ended:
        room_id = _ROOM + reader.take(_ID_BYTES).hex()
        places[room_id] = reader.place(reader.take(len(NO_JOIN)))
    return Following(epoch, places)


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._text)

    def take(self, size: int) -> bytes:
        self._at += size
        return self._text[self._at - size : self._at]

    def number(self) -> int:
        number = shift = 0
        while True:
            [digit] = self.take(1)
            number |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return number

    def place(self, join: bytes) -> Place:
        seq, kind = divmod(self.number(), 4)
        if kind == _IN_LIST:
            return Place(seq, join, self.take(_ID_BYTES).hex())
        return Place(seq, join, START if kind == _TO_START else None)


def _place(place: Place) -> bytes:
    if place.listed is None:
        return _number(place.seq * 4 + _LISTED)
    if place.listed == START:
        return _number(place.seq * 4 + _TO_START)
    return _number(place.seq * 4 + _IN_LIST) + bytes.fromhex(place.listed)


def _number(number: int) -> bytes:
    """LEB128: seven bits in a byte, the lowest first; the eighth says that another byte follows."""
    return bytes(_digits(number))


def _digits(number: int) -> Iterator[int]:
    while number >= 0x80:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number

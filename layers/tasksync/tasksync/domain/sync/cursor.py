"""How far a client has read all its logs, as compact bytes: a cursor has 200 rooms in 5 kB."""

from struct import Struct

from tasksync.model.following import START, Following, Place

_FORM = 1
_ROOM = "room_"
_ID_BYTES = 16

# The form, the epoch, and how many rooms the client has wholly.
_HEAD = Struct(">BQH")
# The room, the join, and the position: 40 bits, as sort keys have 12 digits.
_WHOLE = Struct(">16s4sBI")
# The same of what is being listed, with the last task. All ones: it is to be listed from the beginning.
_LISTED = Struct(">16s4sBI16s")
_MINE = bytes(_ID_BYTES)
_TO_START = b"\xff" * _ID_BYTES


def encoded(following: Following, user_id: str) -> bytes:
    """``user_id``: whose cursor it is, which is not in it."""
    places = {_bytes_of(owner, user_id): place for owner, place in following.places.items()}
    whole = [_WHOLE.pack(i, place.join, *_split(place.seq)) for i, place in places.items() if place.listed is None]
    listed = [
        _LISTED.pack(i, place.join, *_split(place.seq), _position(place.listed))
        for i, place in places.items()
        if place.listed is not None
    ]
    return b"".join([_HEAD.pack(_FORM, following.epoch, len(whole)), *whole, *listed])


def decoded(text: bytes, user_id: str) -> Following | None:
    """None: another version made it, which wrote another form."""
    form, epoch, number = _HEAD.unpack_from(text)
    if form != _FORM:
        return None
    end = _HEAD.size + number * _WHOLE.size
    places = {
        _ROOM + i.hex(): Place((high << 32) + low, join)
        for i, join, high, low in _WHOLE.iter_unpack(text[_HEAD.size : end])
    }
    for i, join, high, low, task in _LISTED.iter_unpack(text[end:]):
        places[_ROOM + i.hex()] = Place((high << 32) + low, join, START if task == _TO_START else task.hex())
    mine = places.pop(_ROOM + _MINE.hex())
    return Following(epoch, {user_id: mine, **places})


def _bytes_of(owner_id: str, user_id: str) -> bytes:
    return _MINE if owner_id == user_id else bytes.fromhex(owner_id.removeprefix(_ROOM))


def _split(seq: int) -> tuple[int, int]:
    return divmod(seq, 1 << 32)


def _position(listed: str) -> bytes:
    return _TO_START if listed == START else bytes.fromhex(listed)

"""The current time in UTC, and the texts that are made of times: timestamps, ids and ranks.

All of them sort as the times do. Timestamps are RFC 3339. An id is a prefix and a UUIDv7 (RFC 9562 §5.7) in
hexadecimal. The id of a task contains the id of its owner (a room, or a user for a personal task), so that the task and
the caller's membership are read in one round trip. A rank is the place of a task in the manual order of a board's
column.
"""

import re
import secrets
import time
from datetime import UTC, date, datetime, timedelta

import msgspec

# Writes "2027-01-31T12:00:00.250000Z" or, without a fraction of a second, "2027-01-31T12:00:00Z", in a fifth of the
# time that isoformat takes: a list of 50 tasks has 150 of them.
_written = msgspec.json.Encoder().encode

LONGEST_TIME = 64
"""The maximum length of a time in a request, in characters."""

_BELOW_MILLISECONDS = re.compile(r"(?<=\.[0-9]{3})[0-9]+")

_WITHOUT_FRACTION = len('"2027-01-31T12:00:00Z"')

# 24:00 is the end of a day (ISO 8601 §5.3.2): it sorts behind every time of the day, and before the next day.
_END_OF_DAY = "T24"

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_USER = re.compile(r"usr_[0-9a-f]{32}")
_TASK = re.compile(r"(?P<owner>(?:room|usr)_[0-9a-f]{32})\.[0-9a-f]{32}")

# Ranks are order keys as the package ``fractional-indexing`` makes and reads them: the first letter says how many
# digits follow before the fraction (``a``: one, ``b``: two, …), and digits are of base 62, in the order of ASCII.
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 8
"""Of a time in milliseconds, until the year 8888."""
_HEAD = "abcdefghijklmnopqrstuvwxyz"[_LENGTH - 1]


def now() -> datetime:
    """The current time in UTC, cut to milliseconds, the precision of ids."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)


def later_than(before: datetime) -> datetime:
    """The current time; if this clock is behind ``before``, a millisecond after ``before``.

    So the times of an item's versions are in order, although the clocks of two containers differ.
    """
    return max(now(), before + timedelta(milliseconds=1))


def timestamp(at: datetime) -> str:
    """A server time as text, always with three decimals, so that the texts sort as the times do."""
    written = _written(at)
    if len(written) == _WITHOUT_FRACTION:
        return written[1:20].decode() + ".000Z"
    return written[1:24].decode() + "Z"


def rfc3339(at: date) -> str:
    """A time that a user gave, as text without trailing zeros; a date as it is."""
    if not isinstance(at, datetime):
        return at.isoformat()
    written = _written(at.astimezone(UTC))
    if len(written) == _WITHOUT_FRACTION:
        return written[1:-1].decode()
    return written[1:-2].decode().rstrip("0") + "Z"


def sortable(at: date) -> str:
    """A time as text of fixed width, so that the texts sort as the times do; a date as the end of its day in UTC."""
    if not isinstance(at, datetime):
        return at.isoformat() + _END_OF_DAY
    written = _written(at.astimezone(UTC))
    if len(written) == _WITHOUT_FRACTION:
        return written[1:20].decode() + ".000000Z"
    return written[1:-1].decode()


def from_sortable(text: str) -> date:
    """The time or the date that ``sortable`` wrote."""
    return date.fromisoformat(text.removesuffix(_END_OF_DAY)) if text.endswith(_END_OF_DAY) else parse(text)


def cut(text: str) -> str:
    """A time in RFC 3339 cut to milliseconds. It is not rounded: that could make it the next day."""
    return _BELOW_MILLISECONDS.sub("", text, count=1)


def parse(text: str) -> datetime:
    """Parse a time in any of these formats."""
    return datetime.fromisoformat(text)


def new_user_id(at: datetime) -> str:
    return f"usr_{_uuid7(at)}"


def new_room_id(at: datetime) -> str:
    return f"room_{_uuid7(at)}"


def new_session_id(at: datetime) -> str:
    return f"ses_{_uuid7(at)}"


def new_task_id(owner_id: str, at: datetime) -> str:
    return f"{owner_id}.{_uuid7(at)}"


def new_join_id() -> str:
    """A random id, unique among the memberships of a user in a room. Short, because each task stores one."""
    return f"{secrets.randbits(48):012x}"


def is_id(text: str) -> bool:
    """Whether ``text`` has the format of an id. Other texts are reported as not found, without a read."""
    return _ID.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    return _USER.fullmatch(text) is not None


def is_room_id(owner_id: str) -> bool:
    return owner_id.startswith("room_")


def owner_of(task_id: str) -> str | None:
    """The id of the owning room or user in a task id; None if the text is no task id."""
    match = _TASK.fullmatch(task_id)
    return match["owner"] if match else None


def time_ordered_part(task_id: str) -> str:
    """The part of a task id that sorts by creation across all owners."""
    return task_id.rpartition(".")[2]


def own_part(resource_id: str) -> str:
    """The UUID of a user, a room or a task, in hexadecimal."""
    return resource_id.replace("_", ".").rpartition(".")[2]


def _uuid7(at: datetime) -> str:
    milliseconds = round(at.timestamp() * 1000)
    random = secrets.randbits(74)
    version_and_high = 0x7 << 76 | (random >> 62) << 64
    variant_and_low = 0b10 << 62 | (random & ((1 << 62) - 1))
    return f"{milliseconds << 80 | version_and_high | variant_and_low:032x}"


def rank_of(created_at: datetime) -> str:
    """The rank of a new task: behind all that were made before. Nothing needs to be read for it."""
    left = max(0, round(created_at.timestamp() * 1000))
    digits = ""
    for _ in range(_LENGTH):
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return _HEAD + digits

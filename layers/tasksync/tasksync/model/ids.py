"""Ids and room codes.

An id is a prefix and a UUIDv7 (RFC 9562 §5.7) in hexadecimal, so ids sort by the millisecond of their creation. The id
of a task contains the id of its owner (a room, or a user for a personal task), so that the task and the caller's
membership are read in one round trip.
"""

import re
import secrets
from datetime import datetime

CODE_LENGTH = 9
CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

CODE_SEPARATORS = (
    r"\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # spaces, line breaks, and characters without width
    r"\-\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d"  # hyphens, dashes, minus signs
)
"""Characters that are ignored in a pasted code, as part of a character class of a regular expression."""

_BETWEEN_LETTERS = re.compile(f"[{CODE_SEPARATORS}]+")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_USER = re.compile(r"usr_[0-9a-f]{32}")
_TASK = re.compile(r"(?P<owner>(?:room|usr)_[0-9a-f]{32})\.[0-9a-f]{32}")


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


def new_code() -> str:
    """A random room code, of 36^9 = 101,559,956,668,416."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def code_as_pasted(text: str) -> str:
    """A pasted room code in capitals, without spaces, hyphens and line breaks."""
    return _BETWEEN_LETTERS.sub("", text).upper()


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

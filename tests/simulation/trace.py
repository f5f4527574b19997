"""What happened, in the order it happened, in words."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_ID = re.compile(r"(?:usr|room|ses)_[0-9a-f]{32}|(?<=\.)[0-9a-f]{32}|\b[0-9a-f]{32}\b|\b[A-Z0-9]{9}\b")
_KINDS = {"usr": "user", "room": "room", "ses": "session"}


class Trace:
    """Notes with the time and the actor. Written out only where somebody wants to read them."""

    def __init__(self, now: Callable[[], float], actor: Callable[[], str]) -> None:
        self._now = now
        self._actor = actor
        self._notes: list[tuple[float, str, str | tuple[str, Json, str]]] = []

    def note(self, text: str) -> None:
        self._notes.append((self._now(), self._actor(), text))

    def request(self, operation: str, body: Json, outcome: str) -> None:
        """Note a request to DynamoDB and how it ended."""
        self._notes.append((self._now(), self._actor(), (operation, body, outcome)))

    def __str__(self) -> str:
        """One line for each note, with short names in the place of ids."""
        names = _Names()
        lines = []
        for time, actor, note in self._notes:
            text = note if isinstance(note, str) else f"    {note[0]} {_described(note[0], note[1])} → {note[2]}"
            lines.append(f"{time:9.3f}  {actor:<16} {names.shorten(text)}")
        return "\n".join(lines)


class _Names:
    """Short names for ids: ``room1``, ``user2``, in the order they are first seen."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def shorten(self, text: str) -> str:
        return _ID.sub(lambda found: self._name(found[0]), text)

    def _name(self, long: str) -> str:
        if long not in self._known:
            kind = _KINDS.get(long.partition("_")[0], "code" if len(long) == 9 else "id")
            if kind == "user":
                self._known[long] = bytes.fromhex(long[4:]).lstrip(b"\0").decode("ascii", "replace")
            else:
                self._counts[kind] = self._counts.get(kind, 0) + 1
                self._known[long] = f"{kind}{self._counts[kind]}"
        return self._known[long]


def _described(operation: str, body: Json) -> str:
    match operation:
        case "TransactWriteItems":
            return "; ".join(f"{kind} {_write(part)}" for each in body["TransactItems"] for kind, part in each.items())
        case "BatchGetItem":
            return "; ".join(
                f"{table} {_key(key)}" for table, part in body["RequestItems"].items() for key in part["Keys"]
            )
        case "BatchWriteItem":
            return "; ".join(
                f"{table} {kind} {_key(part.get('Key') or part['Item'])}"
                for table, writes in body["RequestItems"].items()
                for write in writes
                for kind, part in write.items()
            )
        case "Query":
            values = [next(iter(value.values())) for value in body["ExpressionAttributeValues"].values()]
            return f"{body['TableName']} {body.get('IndexName', '')} {values}"
        case "Scan":
            return str(body["TableName"])
    return _write(body)


def _write(part: Json) -> str:
    text = f"{part['TableName']} {_key(part.get('Key') or part['Item'])}"
    update = part.get("UpdateExpression")
    condition = part.get("ConditionExpression")
    return (
        text
        + (f" {_filled(update, part)}" if update else "")
        + (f" IF {_filled(condition, part)}" if condition else "")
    )


def _filled(expression: str, part: Json) -> str:
    names = part.get("ExpressionAttributeNames", {})
    values = part.get("ExpressionAttributeValues", {})

    def meaning(found: re.Match[str]) -> str:
        word = found[0]
        return str(names[word]) if word in names else str(next(iter(values[word].values())))

    return re.sub(r"[#:]\w+", meaning, expression)


_KEYS = ("user_id", "room_id", "session_id", "receipt_id")


def _key(key: Json) -> str:
    known = [key[name]["S"] for name in _KEYS if name in key]
    if "owner_id" in key:
        known = [key["item"]["S"]]
    elif "item" in key:
        known = [key["room_id"]["S"], key["item"]["S"]]
    return "/".join(known)

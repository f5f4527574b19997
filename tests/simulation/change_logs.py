"""Change logs held against what was committed: numbered without a gap, each revision once and in order (I12, I13)."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.simulation.expressions import Item
from tests.simulation.invariants import Tables, Violation
from tests.simulation.tables import Change
from tests.simulation.task_items import TASKS_TABLE, is_change_of_task

LOG_TABLE = "LogTable"
ENTRY, HEAD, MARKER = "c#", "head", "v#"


@dataclass
class _Thing:
    """What was committed of a room, user or task."""

    revision: int = 0
    unseen: set[int] = field(default_factory=set)
    """Revisions without an entry: users see no difference."""
    counted: str | None = None


class ChangeLogs:
    """What the logs must hold once all records have come that were not lost."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str], _Thing] = defaultdict(_Thing)
        self._lost: set[tuple[str, str]] = set()

    @property
    def incomplete(self) -> bool:
        """Whether records were lost."""
        return bool(self._lost)

    def committed(self, changes: list[Change]) -> None:
        """Raises ``Violation`` if an append is not one behind the head, or a log tells of what was not committed."""
        for change in changes:
            if is_change_of_task(change) or _is_of_room_or_user(change):
                self._note(change)
        logs: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            if change.table == LOG_TABLE:
                logs[change.key[0]].append(change)
        for log_id, of_log in logs.items():
            self._check_append(log_id, of_log)

    def lost(self, change: Change) -> None:
        """The record of this change will not come."""
        self._lost.add(_thing_of(change))

    def check(self, tables: Tables) -> None:
        """At rest: raises ``Violation`` unless each log is as far as its things, and counts them where they belong."""
        logs: dict[str, dict[str, Item]] = defaultdict(dict)
        for (log_id, name), item in tables[LOG_TABLE].items.items():
            logs[log_id][name] = item
        for log_id, items in logs.items():
            self._check_entries(log_id, items)
        for (log_id, thing_id), thing in self._things.items():
            if (log_id, thing_id) not in self._lost:
                self._check_marker(thing_id, thing, logs[log_id].get(MARKER + thing_id))

    def _note(self, change: Change) -> None:
        thing = self._things[_thing_of(change)]
        image = change.new or change.old or {}
        revision = _revision(image) + (change.new is None)
        if change.old is not None and change.new is not None and _revision(change.old) == revision:
            return
        if change.old and change.new and change.old["version"] == change.new["version"]:
            thing.unseen.add(revision)
        thing.revision = revision
        listed = change.new is not None and change.table == TASKS_TABLE and "trashed_at" not in change.new
        thing.counted = None if not listed else "completed" if image["status"]["S"] == "completed" else "open"

    def _check_append(self, log_id: str, changes: list[Change]) -> None:
        heads = [change for change in changes if change.key[1] == HEAD]
        before = _number(heads[0].old, "seq") if heads else None
        entries = sorted(
            (int(change.key[1].removeprefix(ENTRY)), change) for change in changes if change.key[1].startswith(ENTRY)
        )
        if any(change.old is not None for _, change in entries):
            raise Violation(f"I12: an entry of {log_id} was written again")
        numbers = [number for number, _ in entries]
        if entries and (before is None or numbers != list(range(before + 1, before + 1 + len(numbers)))):
            raise Violation(f"I12: {numbers} were appended to {log_id}, whose head was {before}")
        if heads and _number(heads[0].new, "seq") != (before or 0) + len(numbers):
            raise Violation(f"I12: the head of {log_id} went on by another number than there are entries")
        for change in changes:
            thing_id = change.key[1].removeprefix(MARKER)
            thing = self._things[thing_id if _is_name(log_id, thing_id) else log_id, thing_id]
            if change.key[1].startswith(MARKER) and _number(change.new, "revision") > thing.revision:
                raise Violation(f"I13: {log_id} is further with {change.key[1]} than what was committed")

    def _check_entries(self, log_id: str, items: dict[str, Item]) -> None:
        entries = [items[name] for name in sorted(items) if name.startswith(ENTRY)]
        if [int(each["item"]["S"].removeprefix(ENTRY)) for each in entries] != list(range(1, len(entries) + 1)):
            raise Violation(f"I12: the entries of {log_id} have a gap")
        if _number(items.get(HEAD), "seq") != len(entries):
            raise Violation(f"I12: the head of {log_id} is not its last entry")
        last: dict[str, int] = defaultdict(int)
        previous: tuple[str, int] | None = None
        for entry in entries:
            is_name = entry["resource"]["S"] == "user" and _is_name(log_id, str(entry["resource_id"]["S"]))
            if "revision" not in entry or is_name:
                continue
            member = entry["resource"]["S"] == "membership"
            thing_id, revision = log_id if member else str(entry["resource_id"]["S"]), _number(entry, "revision")
            unseen = self._things[log_id, thing_id].unseen
            following = next(each for each in range(last[thing_id] + 1, revision + 2) if each not in unseen)
            covers = entry["action"]["S"] == "refetch" and revision > last[thing_id]
            if not covers and revision != following and previous != (thing_id, revision):
                raise Violation(f"I12: revision {revision} of {thing_id} follows {last[thing_id]} in its log")
            last[thing_id] = revision
            previous = thing_id, revision
        for counted in ("open", "completed"):
            there = [each for name, each in items.items() if name.startswith(MARKER) and _text(each) == counted]
            if _number(items.get(HEAD), counted) != len(there):
                raise Violation(f"I13: {log_id} counts other tasks as {counted} than its markers")

    def _check_marker(self, thing_id: str, thing: _Thing, marker: Item | None) -> None:
        if _number(marker, "revision") != thing.revision or _text(marker) != thing.counted:
            raise Violation(f"I13: of {thing_id}, its log has {marker}, and was committed {thing}")


def _is_of_room_or_user(change: Change) -> bool:
    if change.table == "UsersTable":
        return change.key[0].startswith("usr_")
    return change.table == "RoomsTable" and change.key[1] == "ROOM"


def _is_name(log_id: str, thing_id: str) -> bool:
    """Whether this is a person's new name in the log of a room, in which the person is no thing."""
    return log_id.startswith("room_") and thing_id.startswith("usr_")


def _thing_of(change: Change) -> tuple[str, str]:
    owner_id, name = change.key
    return owner_id, owner_id if change.table == "UsersTable" or name == "ROOM" else name


def _revision(image: Item) -> int:
    return _number(image, "revision" if "revision" in image else "version")


def _number(item: Item | None, name: str) -> int:
    return int(item[name]["N"]) if item and name in item else 0


def _text(marker: Item | None) -> str | None:
    return str(marker["counted"]["S"]) if marker and "counted" in marker else None

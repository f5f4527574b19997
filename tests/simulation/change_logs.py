"""Change logs held against what was committed: numbered without a gap, each revision once and in order (I12, I13)."""

from collections import defaultdict
from dataclasses import dataclass

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
    counted: str | None = None


class ChangeLogs:
    """What the logs must hold once all records have come that were not lost."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str], _Thing] = defaultdict(_Thing)
        self._lost: set[tuple[str, str]] = set()
        self._entries: dict[str, list[str]] = defaultdict(list)
        """By log, the thing that each entry is about, from the first on."""
        self._marked: dict[tuple[str, str], int] = defaultdict(int)
        """By log and thing, the entry that its marker is of."""

    @property
    def incomplete(self) -> bool:
        """Whether records were lost."""
        return bool(self._lost)

    def committed(self, changes: list[Change]) -> None:
        """Raises ``Violation`` if an append is not right after the head, or a log has what was not committed."""
        for change in changes:
            if is_change_of_task(change) or _is_of_room_or_user(change):
                self._note(change)
        for log_id, name in (each.key for each in changes if each.table == LOG_TABLE and each.new is None):
            if name == HEAD:  # the log of a deleted user is purged, the head last
                self._things = defaultdict(_Thing, {key: of for key, of in self._things.items() if key[0] != log_id})
        written = [each for each in changes if each.table == LOG_TABLE and each.new is not None]
        for change in sorted(written, key=lambda each: each.key):
            log_id, name = change.key
            if name.startswith(ENTRY):
                self._check_append(log_id, change)
            elif name.startswith(MARKER):
                self._check_mark(log_id, name.removeprefix(MARKER), change)
            else:
                self._check_advance(log_id, change)

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
        thing.revision = revision
        listed = change.new is not None and change.table == TASKS_TABLE and "trashed_at" not in change.new
        thing.counted = None if not listed else "completed" if image["status"]["S"] == "completed" else "open"

    def _check_append(self, log_id: str, change: Change) -> None:
        number = int(change.key[1].removeprefix(ENTRY))
        last = len(self._entries[log_id])
        if change.old is not None:
            raise Violation(f"I12: entry {number} of {log_id} was written again")
        if number != last + 1:
            raise Violation(f"I12: {number} was appended to {log_id}, whose last entry was {last}")
        self._entries[log_id].append(_thing_in(change.new or {}))

    def _check_mark(self, log_id: str, thing_id: str, change: Change) -> None:
        thing = self._things[thing_id if _is_name(log_id, thing_id) else log_id, thing_id]
        if _number(change.new, "revision") > thing.revision:
            raise Violation(f"I13: {log_id} is further with {thing_id} than what was committed")
        number = _number(change.new, "seq")
        if number < self._marked[log_id, thing_id]:
            raise Violation(f"I13: the marker of {thing_id} in {log_id} went back")
        self._marked[log_id, thing_id] = number

    def _check_advance(self, log_id: str, change: Change) -> None:
        before, after = _number(change.old, "seq"), _number(change.new, "seq")
        entries = self._entries[log_id]
        if not before < after <= len(entries):
            raise Violation(f"I12: the head of {log_id} went from {before} to {after} of {len(entries)} entries")
        for number, thing_id in enumerate(entries[before:after], before + 1):
            if self._marked[log_id, thing_id] < number:
                raise Violation(f"I12: the head of {log_id} is at {number}, and the marker of {thing_id} is not")

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
            thing_id, revision = _thing_in(entry), _number(entry, "revision")
            covers = entry["action"]["S"] == "refetch" and revision > last[thing_id]
            if not covers and revision != last[thing_id] + 1 and previous != (thing_id, revision):
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


def _thing_in(entry: Item) -> str:
    """What the entry is about: memberships are of their room."""
    return str(entry["owner_id" if entry["resource"]["S"] == "membership" else "resource_id"]["S"])


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

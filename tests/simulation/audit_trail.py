"""Change logs held against what was committed: each change of a room, membership, task or user has one entry (I9)."""

import json
from collections import defaultdict
from dataclasses import dataclass

from tests.simulation.expressions import Item
from tests.simulation.functions import Invocation
from tests.simulation.invariants import Tables, Violation
from tests.simulation.tables import Change
from tests.simulation.task_items import is_change_of_task, is_trashed

_PURGES = {"DELETE /rooms/{room_id}/trash/{task_id}", "DELETE /users/{user_id}/trash/{task_id}"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What there must be of an entry. ``title`` is what became of a task's title; None where it stayed."""

    room_id: str
    resource: str
    resource_id: str
    action: str
    actor_id: str | None
    request_id: str | None
    title: tuple[str | None, str | None] | None


class Recorded:
    """What must be in the trails once all records have come that were not lost."""

    def __init__(self) -> None:
        self._expected: list[_Entry] = []
        self._by_change: dict[int, list[_Entry]] = {}
        self._changes: list[Change] = []
        self.incomplete = False
        """Whether records were lost."""

    def committed(self, changes: list[Change], invocation: Invocation | None) -> None:
        """Note a commit, and who made it."""
        for change in changes:
            entries = _entries(change, changes, invocation)
            # Kept, so that no other change gets its identity.
            self._changes.append(change)
            self._by_change[id(change)] = entries
            self._expected += entries
            if change.table == "LogTable" and change.key[1] == "head" and change.new is None:
                # The log of a deleted user is purged, the head last.
                self._expected = [entry for entry in self._expected if entry.room_id != change.key[0]]

    def lost(self, change: Change) -> None:
        """The record of this change will not come."""
        self.incomplete = True
        for entry in self._by_change[id(change)]:
            self._expected.remove(entry)

    def check(self, tables: Tables) -> None:
        """Raise ``Violation`` unless the trails hold just these entries, and those of each thing in order."""
        expected, found = _by_resource(self._expected), _by_resource(_stored(tables))
        for resource in expected.keys() | found.keys():
            wanted, there = expected.get(resource, []), found.get(resource, [])
            if wanted != there:
                raise Violation(f"I9: the trail of {resource} is {there}, and was committed as {wanted}")


def _entries(change: Change, together: list[Change], invocation: Invocation | None) -> list[_Entry]:
    room_id, sort_key = change.key
    actor = invocation.user_id if invocation else None
    request = invocation.aws_request_id if invocation else None
    what = invocation.what if invocation else ""
    if is_change_of_task(change):
        if change.new is None:
            by = (actor, request) if what in _PURGES else (None, None)
            return [_Entry(room_id, "task", sort_key, "purged", *by, _title(change))]
        return [_Entry(room_id, "task", sort_key, _action(change), actor, request, _title(change))]
    if change.table == "UsersTable" and room_id.startswith("usr_"):
        return _entries_of_user(change, actor, request)
    if change.table != "RoomsTable" or sort_key != "ROOM":
        return []
    if change.new is None:
        return [_Entry(room_id, "room", room_id, "purged", None, None, None)]
    members = [each for each in together if each.key[0] == room_id and each.key[1].startswith("MEMBER#")]
    if change.old is None or what == "DELETE /rooms/{room_id}" or not members:
        action = "deleted" if what == "DELETE /rooms/{room_id}" else _action(change)
        return [_Entry(room_id, "room", room_id, action, actor, request, None)]
    return [
        _Entry(room_id, "membership", each.key[1].removeprefix("MEMBER#"), _action(each), actor, request, None)
        for each in members
    ]


def _entries_of_user(change: Change, actor: str | None, request: str | None) -> list[_Entry]:
    user_id = change.key[0]
    if change.new is None:
        return [_Entry(user_id, "user", user_id, "purged", None, None, None)]
    if change.old is None:
        return [_Entry(user_id, "user", user_id, "created", user_id, request, None)]
    if change.old["version"] == change.new["version"]:
        return []  # a session, or all of them, ended
    action = "deleted" if change.new["status"]["S"] == "deleting" else "updated"
    return [_Entry(user_id, "user", user_id, action, actor, request, None)]


def _action(change: Change) -> str:
    if change.old is None or change.new is None:
        return "created" if change.old is None else "deleted"
    if is_trashed(change.old) != is_trashed(change.new):
        return "trashed" if is_trashed(change.new) else "restored"
    if "version" in change.new and change.old["version"] == change.new["version"]:
        return "order"
    return "moved" if change.old.get("rank") != change.new.get("rank") else "updated"


def _title(change: Change) -> tuple[str | None, str | None] | None:
    old, new = (None if image is None else str(image["title"]["S"]) for image in (change.old, change.new))
    return None if old == new else (old, new)


def _stored(tables: Tables) -> list[_Entry]:
    """In the order of the logs, without entries that say what was lost, and without new names in logs of rooms: which
    rooms these are depends on when the record comes."""
    items = tables["LogTable"].items
    entries = [_entry(items[key]) for key in sorted(items) if key[1].startswith("c#")]
    return [
        entry
        for entry in entries
        if entry.action != "refetch" and not (entry.resource == "user" and entry.room_id.startswith("room_"))
    ]


def _entry(item: Item) -> _Entry:
    title = json.loads(item["changes"]["S"]).get("title")
    names = ("owner_id", "resource", "resource_id", "action")
    room_id, resource, resource_id, action = (str(item[name]["S"]) for name in names)
    actor, request = (item.get(name, {}).get("S") for name in ("actor_id", "request_id"))
    of_task = resource == "task" and title is not None
    return _Entry(room_id, resource, resource_id, action, actor, request, (title[0], title[1]) if of_task else None)


def _by_resource(entries: list[_Entry]) -> dict[tuple[str, str, str], list[_Entry]]:
    found: dict[tuple[str, str, str], list[_Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.room_id, entry.resource, entry.resource_id].append(entry)
    return found

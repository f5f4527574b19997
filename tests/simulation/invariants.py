"""The invariants of ``docs/reliability.md`` that the tables alone show."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulation.expressions import Item
from tests.simulation.tables import Change, Table
from tests.simulation.task_items import (
    TASKS_TABLE,
    TRASH_SECONDS,
    assignments,
    broken_links,
    due_respreads,
    is_task,
    is_trashed,
    tasks,
    trashed_at,
)

Tables = Mapping[str, Table]


class Violation(Exception):
    """An invariant does not hold. Its text says which, and for what."""


def check_always(tables: Tables) -> None:
    """Raise ``Violation`` unless the tables are as they must be after every single write."""
    rooms = _Rooms(tables)
    users = {key[0]: item for key, item in tables["UsersTable"].items.items() if item["kind"]["S"] == "user"}
    for found in (
        _counts(rooms),
        _memberships(rooms, users),
        _tasks(tables, rooms, users),
        broken_links(tables[TASKS_TABLE], _purged(rooms, users)),
        _claims(tables, rooms, users),
        _former_members(rooms, users),
        _marks(rooms, users),
    ):
        for violation in found:
            raise Violation(violation)


def check_changes(tables: Tables, changes: list[Change], now: float) -> None:
    """Raise ``Violation`` if one write did what none may do. ``tables`` are as the write has left them at this time."""
    for change in changes:
        if change.table == "RoomsTable" and change.key[1] == "CODE":
            _check_code(change, now)
        if change.table == "RoomsTable" and change.key[1] == "ROOM":
            _check_room(change)
        if change.table == "RoomsTable" and change.key[1].startswith("MEMBER#") and change.new is None:
            _check_unassignment(tables, change)
        made = change.new is not None and change.old is None
        if made and (is_task(change.key) if change.table == TASKS_TABLE else change.table != "LogTable"):
            _check_newcomer(tables, change.new or {})


def _check_room(change: Change) -> None:
    room_id = change.key[0]
    before = _number(change.old, "member_count") if change.old else None
    after = _number(change.new, "member_count") if change.new else None
    if before == 0 and after:
        raise Violation(f"I7: {room_id} is dead and was entered")
    if after is None and before != 0:
        raise Violation(f"I3: {room_id} was deleted with {before} members")
    if change.old and change.new and _number(change.new, "version") != _number(change.old, "version") + 1:
        raise Violation(f"the version of {room_id} did not rise by one")
    if change.old and change.new and change.new["updated_at"]["S"] <= change.old["updated_at"]["S"]:
        raise Violation(f"a version of {room_id} is dated before the one before")


def _check_unassignment(tables: Tables, change: Change) -> None:
    """Whoever leaves a room that lives on is to be unassigned, and the sweeper finds that."""
    room_id, user_id = change.key[0], change.key[1].removeprefix("MEMBER#")
    room = tables["RoomsTable"].items.get((room_id, "ROOM"), _NO_ROOM)
    user = tables["UsersTable"].items.get((user_id, ""))
    # The removal of a user unassigns by itself, and is marked on the user.
    if _number(room, "member_count") == 0 or user is None or user["status"]["S"] != "active":
        return
    if (f"USER#{user_id}", f"UNASSIGNMENT#{room_id}") not in tables["RoomsTable"].items:
        raise Violation(f"I17: {user_id} left {room_id}, and no mark says so")


def _check_code(change: Change, now: float) -> None:
    """A code that is given up is retired, and then left alone for its time."""
    code = change.key[0]
    if change.old is None or change.old == change.new:
        return
    if "expires_at" in change.old:
        if now < _number(change.old, "expires_at"):
            raise Violation(f"I5: {code} is retired, and was taken")
    elif change.new is None or "expires_at" not in change.new or change.new["owner"] != change.old["owner"]:
        raise Violation(f"I5: {code} was given up or taken, and not retired")


def _check_newcomer(tables: Tables, item: Item) -> None:
    """Whoever is to be deleted enters no room, and plans nothing for themselves."""
    membership = item.get("kind", {}).get("S") == "membership"
    person = item["user_id"]["S"] if membership else item.get("owner_id", {"S": "room_"})["S"]
    if person.startswith("room_"):
        return
    user = tables["UsersTable"].items.get((person, ""))
    if user is None or user["status"]["S"] != "active":
        raise Violation(f"I3: {person} got something new after their deletion was accepted")


def is_purged(tables: Tables, owner: str) -> bool:
    """Whether all items of this room or person are being deleted."""
    room, user = tables["RoomsTable"].items.get((owner, "ROOM")), tables["UsersTable"].items.get((owner, ""))
    if room is not None:
        return _number(room, "member_count") == 0
    return user is not None and user["status"]["S"] == "deleting"


def check_at_rest(tables: Tables, now: float) -> None:
    """Raise ``Violation`` if something is left over that should have been cleaned up."""
    for violation in left_over(tables, now):
        raise Violation(violation)


def left_over(tables: Tables, now: float) -> Iterator[str]:
    """What must be gone once everything is at rest (I11)."""
    for room_id, room in _Rooms(tables).rooms.items():
        if _number(room, "member_count") == 0:
            yield f"I11: {room_id} is dead and still there"
    users = tables["UsersTable"].items
    for (user_id, _), item in users.items():
        if item["kind"]["S"] == "user" and item["status"]["S"] != "active":
            yield f"I11: {user_id} is deleted and still there"
    for user_id, room_id in _Rooms(tables).unassignments:
        yield f"I11: what {user_id} had in {room_id} is still to be unassigned"
    yield from _left_of_tasks(tables, now)


def _left_of_tasks(tables: Tables, now: float) -> Iterator[str]:
    for (_, task_id), task in tasks(tables[TASKS_TABLE]):
        if is_trashed(task) and trashed_at(task) + TRASH_SECONDS <= now:
            yield f"I11: {task_id} is in the trash, and its time is over"
        for user_id, _ in assignments(task):
            if (user_id, "") not in tables["UsersTable"].items:
                yield f"I11: {task_id} is assigned to {user_id}, who is deleted"
    for owner in due_respreads(tables[TASKS_TABLE], now):
        yield f"I11: the ranks of {owner} are still to become short"


def former_assignees(tables: Tables) -> Iterator[str]:
    """Tasks that somebody has by a membership that is over (I11): behind the stream they are unassigned."""
    rooms = _Rooms(tables)
    for (owner, task_id), task in tasks(tables[TASKS_TABLE]):
        if _number(rooms.rooms.get(owner, _NO_ROOM), "member_count") == 0:
            continue
        joins = {each["user_id"]["S"]: each["join_id"]["S"] for each in rooms.members.get(owner, [])}
        for user_id, join_id in assignments(task):
            if joins.get(user_id) != join_id:
                yield f"I11: {task_id} is assigned to {user_id}, who has left {owner}"


def check_assignees(tables: Tables) -> None:
    """Raise ``Violation`` if somebody still has a task of a room that they left."""
    for violation in former_assignees(tables):
        raise Violation(violation)


_NO_ROOM: Item = {"member_count": {"N": "0"}}


class _Rooms:
    """The rooms table by kinds of items."""

    def __init__(self, tables: Tables) -> None:
        self.rooms: dict[str, Item] = {}
        self.members: dict[str, list[Item]] = {}
        self.codes: dict[str, str] = {}
        """Those in use."""
        self.former: dict[tuple[str, str], str] = {}
        """By room and person, in which role they left, or that they were removed."""
        self.unassignments: list[tuple[str, str]] = []
        """Of which person in which room."""
        for (partition, _), item in tables["RoomsTable"].items.items():
            kind = item["kind"]["S"]
            if kind == "room":
                self.rooms[partition] = item
            elif kind == "membership":
                self.members.setdefault(partition, []).append(item)
            elif kind == "code":
                if "expires_at" not in item:
                    self.codes[partition.removeprefix("CODE#")] = item["owner"]["S"]
            elif kind == "former":
                self.former[item["item"]["S"].removeprefix("FORMER#"), partition.removeprefix("USER#")] = item["role"][
                    "S"
                ]
            elif kind == "unassignment":
                user_id = partition.removeprefix("USER#")
                self.unassignments.append((user_id, item["item"]["S"].removeprefix("UNASSIGNMENT#")))
            else:
                raise Violation(f"the rooms table holds an item of kind {kind}")


def _counts(rooms: _Rooms) -> Iterator[str]:
    for room_id, room in rooms.rooms.items():
        members = rooms.members.get(room_id, [])
        admins = [member for member in members if member["role"]["S"] == "admin"]
        if _number(room, "member_count") != len(members):
            yield f"I1: {room_id} has member_count {_number(room, 'member_count')} and {len(members)} memberships"
        if set(room.get("member_ids", {"SS": []})["SS"]) != {member["user_id"]["S"] for member in members}:
            yield f"I1: {room_id} has other member_ids than memberships"
        if _number(room, "admin_count") != len(admins):
            yield f"I2: {room_id} has admin_count {_number(room, 'admin_count')} and {len(admins)} admins"
        if members and not admins:
            yield f"I2: {room_id} has members and no admin"


def _memberships(rooms: _Rooms, users: Mapping[str, Item]) -> Iterator[str]:
    for room_id, members in rooms.members.items():
        if room_id not in rooms.rooms:
            yield f"I3: {room_id} has memberships and is not there"
        for member in members:
            if member["user_id"]["S"] not in users:
                yield f"I3: {member['user_id']['S']} is deleted and a member of {room_id}"


def _tasks(tables: Tables, rooms: _Rooms, users: Mapping[str, Item]) -> Iterator[str]:
    for owner, item in tables[TASKS_TABLE].items:
        if owner not in rooms.rooms and owner not in users:
            yield f"I4: {item} is in {owner}, which is not there"
    for (owner, task_id), task in tasks(tables[TASKS_TABLE]):
        if not task_id.startswith(f"{owner}."):
            yield f"I4: {task_id} is in {owner}, which its id does not name"
        if "version" not in task:
            yield f"I4: {task_id} is not whole"


def _purged(rooms: _Rooms, users: Mapping[str, Item]) -> frozenset[str]:
    """The rooms and people whose items are being deleted."""
    dead = (room_id for room_id, room in rooms.rooms.items() if _number(room, "member_count") == 0)
    return frozenset({*dead, *(user_id for user_id, user in users.items() if user["status"]["S"] == "deleting")})


def _claims(tables: Tables, rooms: _Rooms, users: Mapping[str, Item]) -> Iterator[str]:
    wanted = {room["code"]["S"]: room_id for room_id, room in rooms.rooms.items()}
    if rooms.codes != wanted:
        yield f"I5: codes claimed {sorted(rooms.codes.items())}, codes of rooms {sorted(wanted.items())}"
    claims = {
        key[0]: item["owner"]["S"] for key, item in tables["UsersTable"].items.items() if item["kind"]["S"] == "claim"
    }
    names = {(f"NAME#{user['username']['S'].casefold()}", user_id) for user_id, user in users.items()}
    names |= {(f"EMAIL#{user['email']['S']}", user_id) for user_id, user in users.items() if "email" in user}
    for claim, owner in claims.items() - names:
        yield f"I5: {claim} is claimed for {owner}, who has another name or is not there"
    for claim, owner in names - claims.items():
        if users[owner]["status"]["S"] == "active":
            yield f"I5: {claim} is not claimed for {owner}"


def _former_members(rooms: _Rooms, users: Mapping[str, Item]) -> Iterator[str]:
    for (room_id, user_id), role in rooms.former.items():
        members = {member["user_id"]["S"] for member in rooms.members.get(room_id, [])}
        if role == "removed" and user_id in members:
            yield f"I16: {user_id} was removed from {room_id} and is in it"
        if user_id not in users:
            yield f"I11: {user_id} is deleted, and it is known that they were in {room_id}"


def _marks(rooms: _Rooms, users: Mapping[str, Item]) -> Iterator[str]:
    for room_id, room in rooms.rooms.items():
        if (room.get("unfinished") == {"S": "room"}) != (_number(room, "member_count") == 0):
            yield f"I17: {room_id} is dead and not marked, or marked and not dead"
    for user_id, user in users.items():
        if (user.get("unfinished") == {"S": "user"}) != (user["status"]["S"] == "deleting"):
            yield f"I17: {user_id} is being deleted and not marked, or marked and not being deleted"


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"])

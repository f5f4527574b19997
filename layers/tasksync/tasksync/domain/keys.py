"""Keys resolved: what stands behind ids and room codes, as far as the caller may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasksync.domain.reads import Both
from tasksync.entities import Caller, Membership, Room, RoomView, Task, User, UserRole
from tasksync.ids import is_id, is_room_id, owner_of


@dataclass(frozen=True, slots=True)
class Keys:
    """What is asked for: at most 100 in all, each once. They may be anything, not ids alone."""

    users: tuple[str, ...]
    rooms: tuple[str, ...]
    tasks: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """By key, as it was asked for. ``missing``: what there is not, or what is not the caller's to see."""

    users: dict[str, User]
    rooms: dict[str, RoomView]
    tasks: dict[str, Task]
    codes: dict[str, str]
    missing: tuple[str, ...]


class Rooms(Protocol):
    """``tables/room_reads.py``."""

    def all_of(self, user_id: str) -> list[Room]: ...
    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]: ...
    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class People(Protocol):
    """``tables/users.py``."""

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...


class Tasks(Protocol):
    """``tables/task_reads.py``."""

    def find_many(self, task_ids: Iterable[str]) -> dict[str, Task]: ...


class KeyService:
    """As many round trips for a hundred keys of a kind as for one, and for all kinds as for one."""

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, both: Both) -> None:
        """``both``: carries out two reads at the same time."""
        self._both = both
        self._rooms = rooms
        self._people = people
        self._tasks = tasks

    def resolve(self, caller: Caller, keys: Keys) -> Found:
        wanted_rooms = [room_id for room_id in keys.rooms if _may_be_room(room_id)]
        ((mine, users), rooms), tasks = self._both(
            lambda: self._both(
                lambda: self._rooms_and_people(caller, keys),
                lambda: self._rooms.views(wanted_rooms, caller.user_id),
            ),
            lambda: self._visible_tasks(caller, keys.tasks),
        )
        owners = {room.code: room.id for room in mine}
        codes = {code: owners[code.upper()] for code in keys.codes if code.upper() in owners}
        asked = ((keys.users, users), (keys.rooms, rooms), (keys.tasks, tasks), (keys.codes, codes))
        missing = [key for wanted, found in asked for key in wanted if key not in found]
        return Found(users, rooms, tasks, codes, tuple(dict.fromkeys(missing)))

    def _rooms_and_people(self, caller: Caller, keys: Keys) -> tuple[list[Room], dict[str, User]]:
        # People and codes are seen through the rooms that the caller is in. A code of another room is never looked up:
        # this is no way to try codes beside the limit on joining.
        mine = self._rooms.all_of(caller.user_id) if keys.users or keys.codes else []
        return mine, self._users(caller, keys.users, mine)

    def _users(self, caller: Caller, wanted: tuple[str, ...], mine: list[Room]) -> dict[str, User]:
        """Those whom ``GET /users/{user_id}`` shows, too."""
        seen = {caller.user_id}.union(*(room.member_ids for room in mine))
        visible = [key for key in wanted if is_id(key) and (key in seen or caller.role is UserRole.ADMIN)]
        return self._people.find_many(visible)

    def _visible_tasks(self, caller: Caller, wanted: tuple[str, ...]) -> dict[str, Task]:
        # Before the right to see them, so that nothing is shown that came to be after the caller had left.
        found = self._tasks.find_many([key for key in wanted if owner_of(key) is not None])
        rooms = {task.owner_id for task in found.values() if is_room_id(task.owner_id)}
        seen = self._rooms.memberships_in(rooms, caller.user_id).keys() | {caller.user_id}
        return {key: task for key, task in found.items() if task.owner_id in seen}


def _may_be_room(key: str) -> bool:
    return is_id(key) and is_room_id(key)

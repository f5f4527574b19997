"""Resolves keys: ids of users, rooms and tasks, and room codes, as far as the caller may see what they stand for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasksync.domain.gather import Gather
from tasksync.model.codes import code_as_pasted
from tasksync.model.entities import Caller, Room, RoomView, Task, User, UserRole
from tasksync.model.times import is_id, is_room_id, owner_of


@dataclass(frozen=True, slots=True)
class Keys:
    """The requested keys: at most 100 in all, without duplicates. They are not validated: any text is allowed."""

    users: tuple[str, ...]
    rooms: tuple[str, ...]
    tasks: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The results, by requested key. ``missing``: keys of what does not exist or is not visible to the caller."""

    users: dict[str, User]
    rooms: dict[str, RoomView]
    tasks: dict[str, Task]
    codes: dict[str, str]
    missing: tuple[str, ...]


class Rooms(Protocol):
    """``dynamodb/rooms/queries.py``."""

    def all_of(self, user_id: str) -> list[Room]: ...
    def all_views_of(self, user_id: str) -> list[RoomView]: ...
    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]: ...


class People(Protocol):
    """``dynamodb/users/repository.py``."""

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...


class Tasks(Protocol):
    """``dynamodb/tasks/queries.py``."""

    def find_many(self, task_ids: Iterable[str]) -> dict[str, Task]: ...


class KeyService:
    """Resolves keys in two sequential round trips; in one if there are only keys of tasks and rooms."""

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, gather: Gather) -> None:
        """``gather`` runs two reads at the same time."""
        self._gather = gather
        self._rooms = rooms
        self._people = people
        self._tasks = tasks

    def resolve(self, caller: Caller, keys: Keys) -> Found:
        owners = {key: owner_id for key in keys.tasks if (owner_id := owner_of(key)) is not None}
        of_tasks = [owner_id for owner_id in owners.values() if is_room_id(owner_id)]
        wanted = [key for key in keys.rooms if is_id(key) and is_room_id(key)]
        ids = {key: caller.user_id if key == "me" else key for key in keys.users if is_id(key)}
        ((views, (mine, rooms_by_code)), people), tasks = self._gather(
            lambda: self._gather(
                lambda: self._gather(
                    lambda: self._rooms.views([*wanted, *of_tasks], caller.user_id),
                    lambda: self._rooms_of(caller, keys),
                ),
                lambda: self._people.find_many(dict.fromkeys(ids.values())),
            ),
            lambda: self._tasks.find_many(owners),
        )
        users = {
            key: people[user_id]
            for key, user_id in ids.items()
            if user_id in people and _is_seen(caller, user_id, mine)
        }
        rooms = {key: views[key] for key in wanted if key in views}
        tasks = {key: task for key, task in tasks.items() if task.owner_id in {caller.user_id, *views}}
        codes = {code: rooms_by_code[meant] for code in keys.codes if (meant := code_as_pasted(code)) in rooms_by_code}
        results = ((keys.users, users), (keys.rooms, rooms), (keys.tasks, tasks), (keys.codes, codes))
        missing = [key for given, found in results for key in given if key not in found]
        return Found(users, rooms, tasks, codes, tuple(dict.fromkeys(missing)))

    def _rooms_of(self, caller: Caller, keys: Keys) -> tuple[list[Room], dict[str, str]]:
        """The caller's rooms, and room ids by code for the codes that the caller sees; only what the keys need.

        Users and codes are visible through these rooms. Codes of other rooms are never looked up, so codes cannot be
        guessed here. Viewers see no codes, so the codes of their rooms are not resolved either.
        """
        if keys.codes:
            views = self._rooms.all_views_of(caller.user_id)
            return [view.room for view in views], {view.code: view.room.id for view in views if view.code}
        return self._rooms.all_of(caller.user_id) if keys.users else [], {}


def _is_seen(caller: Caller, user_id: str, mine: list[Room]) -> bool:
    """Whether ``GET /users/{user_id}`` would return this user."""
    if caller.role is UserRole.ADMIN or user_id == caller.user_id:
        return True
    return any(user_id in room.member_ids for room in mine)

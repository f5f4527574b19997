"""Keys resolved: what stands behind ids and room codes, as far as the caller may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasksync.domain.gather import Gather
from tasksync.model.entities import Caller, Room, RoomView, Task, User, UserRole
from tasksync.model.ids import code_as_pasted, is_id, is_room_id, owner_of


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
    """Two round trips one after the other, for all kinds and a hundred keys; one, for tasks and rooms alone."""

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, gather: Gather) -> None:
        """``both``: carries out two reads at the same time."""
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
        asked = ((keys.users, users), (keys.rooms, rooms), (keys.tasks, tasks), (keys.codes, codes))
        missing = [key for given, found in asked for key in given if key not in found]
        return Found(users, rooms, tasks, codes, tuple(dict.fromkeys(missing)))

    def _rooms_of(self, caller: Caller, keys: Keys) -> tuple[list[Room], dict[str, str]]:
        """The rooms that the caller is in, and the ids of those whose code they see, by code; as far as keys need it.

        People and codes are seen through these rooms. A code of another room is never looked up: this is no way to try
        codes beside the limit on joining. Viewers see no code, and are not told that one is right either.
        """
        if keys.codes:
            views = self._rooms.all_views_of(caller.user_id)
            return [view.room for view in views], {view.code: view.room.id for view in views if view.code}
        return self._rooms.all_of(caller.user_id) if keys.users else [], {}


def _is_seen(caller: Caller, user_id: str, mine: list[Room]) -> bool:
    """Whether ``GET /users/{user_id}`` shows them, too."""
    if caller.role is UserRole.ADMIN or user_id == caller.user_id:
        return True
    return any(user_id in room.member_ids for room in mine)

"""The export: everything that is held about somebody, for themselves (GDPR Article 15, OWASP ASVS 5.0.0 §14.2.7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tasksync.domain.reads import Both
from tasksync.entities import Caller, FormerMember, Page, RoomView, Session, Task, User
from tasksync.errors import RoleTooLow
from tasksync.queries import TaskFilter

_ROOMS_AT_ONCE = 100
_TASKS_AT_ONCE = 100
_EVERY_TASK = TaskFilter()

# Lambda passes 6 MB on; the rest is for sessions and rooms.
_ENOUGH_BYTES = 4_000_000
_BYTES_OF_A_CHARACTER = 6
_BYTES_BESIDE_TEXTS = 800


@dataclass(frozen=True, slots=True)
class Export:
    """``next``: where the tasks go on, where one answer cannot hold them all."""

    user: User
    sessions: tuple[Session, ...]
    rooms: tuple[RoomView, ...]
    former_rooms: tuple[FormerMember, ...]
    tasks: tuple[Task, ...]
    next: str | None


class People(Protocol):
    """``domain/users.py``."""

    def get(self, caller: Caller, user_id: str) -> User: ...


class Rooms(Protocol):
    """``tables/rooms.py``."""

    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]: ...


class FormerMembers(Protocol):
    """``tables/former_members.py``."""

    def all_of(self, user_id: str) -> Iterator[FormerMember]: ...


class Sessions(Protocol):
    """``tables/sessions.py``."""

    def all_of(self, user_id: str) -> Iterator[Session]: ...


class Tasks(Protocol):
    """``domain/tasks.py``."""

    def list_of_caller(self, caller: Caller, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]: ...
    def place_of(self, task: Task, wanted: TaskFilter) -> str: ...


class ExportService:
    """What somebody may take with them."""

    def __init__(
        self,
        people: People,
        rooms: Rooms,
        former_members: FormerMembers,
        sessions: Sessions,
        tasks: Tasks,
        both: Both,
    ) -> None:
        """``both``: carries out two reads at the same time."""
        self._both = both
        self._people = people
        self._rooms = rooms
        self._former_members = former_members
        self._sessions = sessions
        self._tasks = tasks

    def of(self, caller: Caller, user_id: str, after: str | None) -> Export:
        """Raises ``NotFound`` for whom the caller may not see, ``RoleTooLow`` for everybody but the caller.

        An admin of the installation is no exception: what is held about somebody is theirs.
        """
        if user_id not in ("me", caller.user_id):
            self._people.get(caller, user_id)
            raise RoleTooLow
        (((rooms, tasks), sessions), former_rooms), user = self._both(
            lambda: self._both(
                lambda: self._both(
                    lambda: self._both(
                        lambda: tuple(self._all_rooms(caller.user_id)),
                        # Of one range of an index, so nothing is read at the same time in there.
                        lambda: self._some_tasks(caller, after),
                    ),
                    lambda: tuple(self._sessions.all_of(caller.user_id)),
                ),
                lambda: tuple(self._former_members.all_of(caller.user_id)),
            ),
            lambda: self._people.get(caller, caller.user_id),
        )
        return Export(user, sessions, rooms, former_rooms, tuple(tasks.items), tasks.next)

    def _all_rooms(self, user_id: str) -> Iterator[RoomView]:
        after: str | None = None
        while True:
            page = self._rooms.rooms_of(user_id, _ROOMS_AT_ONCE, after)
            yield from page.items
            if page.next is None:
                return
            after = page.next

    def _some_tasks(self, caller: Caller, after: str | None) -> Page[Task]:
        found: list[Task] = []
        size = 0
        while True:
            page = self._tasks.list_of_caller(caller, _EVERY_TASK, _TASKS_AT_ONCE, after)
            for task in page.items:
                if found and size + _bytes_of(task) > _ENOUGH_BYTES:
                    return Page(found, self._tasks.place_of(found[-1], _EVERY_TASK))
                found.append(task)
                size += _bytes_of(task)
            if page.next is None:
                return Page(found, None)
            after = page.next


def _bytes_of(task: Task) -> int:
    """At most; of its JSON."""
    return _BYTES_BESIDE_TEXTS + _BYTES_OF_A_CHARACTER * (len(task.title) + len(task.description or ""))

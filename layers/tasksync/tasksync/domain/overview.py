"""The overview: a caller's rooms, the people in them, and what the caller has still to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from tasksync.domain.reads import Both
from tasksync.entities import Caller, RoomsEntered, RoomView, Task, User
from tasksync.ids import is_room_id

MOST_OF_EACH = 100


@dataclass(frozen=True, slots=True)
class Overview:
    """At most 100 of each. ``truncated``: there may be more of something."""

    people: tuple[User, ...]
    rooms: tuple[RoomView, ...]
    tasks: tuple[Task, ...]
    truncated: bool


class Rooms(Protocol):
    """``tables/room_reads.py``."""

    def entered_by(self, user_id: str) -> RoomsEntered: ...
    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]: ...


class People(Protocol):
    """``tables/users.py``."""

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...


class Tasks(Protocol):
    """``tables/task_reads.py``."""

    def open_of(self, user_id: str) -> tuple[list[Task], bool]: ...


class OverviewService:
    """Three round trips one after the other, however many rooms there are."""

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, both: Both) -> None:
        """``both``: carries out two reads at the same time."""
        self._both = both
        self._rooms = rooms
        self._people = people
        self._tasks = tasks

    def of(self, caller: Caller) -> Overview:
        """Rooms oldest first, the caller before all others, tasks newest first.

        Of more than 100 rooms, those that the caller has entered by themselves are shown before those to which others
        have added them, and so are the people in them: or others could fill the overview.
        """
        # Before the right to see them, so that nothing is shown that came to be after the caller had left.
        (tasks, more_tasks), entered = self._both(
            lambda: self._tasks.open_of(caller.user_id), lambda: self._rooms.entered_by(caller.user_id)
        )
        hints = [*sorted(entered.by_oneself), *sorted(entered.added)]
        views = self._rooms.views(hints[:MOST_OF_EACH], caller.user_id)
        rooms = [views[room_id] for room_id in hints if room_id in views]
        seen = {view.room.id for view in rooms}
        # A task stays assigned to somebody who left its room, but they see it no more.
        mine = [task for task in tasks if not is_room_id(task.owner_id) or task.owner_id in seen]
        members = chain.from_iterable(sorted(view.room.member_ids) for view in rooms)
        ids = list(dict.fromkeys([caller.user_id, *members]))
        found = self._people.find_many(ids[:MOST_OF_EACH])
        return Overview(
            people=tuple(found[user_id] for user_id in ids if user_id in found),
            rooms=tuple(sorted(rooms, key=lambda view: view.room.id)),
            tasks=tuple(mine[:MOST_OF_EACH]),
            truncated=len(hints) > MOST_OF_EACH or more_tasks or len(mine) > MOST_OF_EACH or len(ids) > MOST_OF_EACH,
        )

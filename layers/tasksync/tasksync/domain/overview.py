"""The overview: a caller's rooms, the people in them, and what the caller has still to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from tasksync.domain.gather import Gather
from tasksync.model.entities import Caller, JoinedRooms, Membership, RoomView, Task, User
from tasksync.model.ids import is_room_id, time_ordered_part

MOST_OF_EACH = 100
_MORE_READS = 3


@dataclass(frozen=True, slots=True)
class Overview:
    """At most 100 of each. ``truncated``: there may be more of something."""

    people: tuple[User, ...]
    rooms: tuple[RoomView, ...]
    tasks: tuple[Task, ...]
    truncated: bool


class Rooms(Protocol):
    """``dynamodb/rooms/queries.py``."""

    def joined_rooms(self, user_id: str) -> JoinedRooms: ...
    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]: ...


class People(Protocol):
    """``dynamodb/users/repository.py``."""

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...


class OpenTasks(Protocol):
    """``dynamodb/tasks/queries.py``: tasks newest first, some at a time."""

    more: bool

    def read(self) -> list[Task]: ...


class Tasks(Protocol):
    """``dynamodb/tasks/queries.py``."""

    def open_of(self, user_id: str) -> OpenTasks: ...
    def personal_of(self, user_id: str) -> OpenTasks: ...


class OverviewService:
    """Three round trips one after the other, however many rooms there are; and four more at most where the newest tasks
    are of rooms that the caller has left."""

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, gather: Gather) -> None:
        """``both``: carries out two reads at the same time."""
        self._gather = gather
        self._rooms = rooms
        self._people = people
        self._tasks = tasks

    def of(self, caller: Caller) -> Overview:
        """Rooms oldest first, the caller before all others, tasks newest first.

        Of more than 100 rooms, those that the caller has entered by themselves are shown before those to which others
        have added them, and so are the people in them: or others could fill the overview.
        """
        # Before the right to see them, so that nothing is shown that came to be after the caller had left.
        open_tasks = self._tasks.open_of(caller.user_id)
        tasks, entered = self._gather(open_tasks.read, lambda: self._rooms.joined_rooms(caller.user_id))
        hints = [*sorted(entered.by_oneself), *sorted(entered.added)]
        views = self._rooms.views(hints[:MOST_OF_EACH], caller.user_id)
        rooms = [views[room_id] for room_id in hints if room_id in views]
        mine, more_tasks = self._mine(caller, tasks, open_tasks, {view.room.id: view.caller for view in rooms})
        members = chain.from_iterable(sorted(view.room.member_ids) for view in rooms)
        ids = list(dict.fromkeys([caller.user_id, *members]))
        found = self._people.find_many(ids[:MOST_OF_EACH])
        return Overview(
            people=tuple(found[user_id] for user_id in ids if user_id in found),
            rooms=tuple(sorted(rooms, key=lambda view: view.room.id)),
            tasks=tuple(mine[:MOST_OF_EACH]),
            truncated=len(hints) > MOST_OF_EACH or more_tasks or len(mine) > MOST_OF_EACH or len(ids) > MOST_OF_EACH,
        )

    def _mine(
        self, caller: Caller, tasks: list[Task], found: OpenTasks, memberships: Mapping[str, Membership]
    ) -> tuple[list[Task], bool]:
        """What the caller has to do and sees, newest first, and whether there may be more.

        A task stays assigned to somebody who left its room until ``rooms/unassignment.py`` comes by. They see it no
        more, and however many such tasks there are, those of their own are shown.
        """

        def seen(tasks: Iterable[Task]) -> list[Task]:
            return [task for task in tasks if _is_seen(task, memberships)]

        mine = {task.id: task for task in seen(tasks)}
        if len(mine) < len(tasks) and len(mine) <= MOST_OF_EACH and found.more:
            personal = self._tasks.personal_of(caller.user_id)
            mine |= {task.id: task for task in personal.read()}
            for _ in range(_MORE_READS):
                if len(mine) > MOST_OF_EACH or not found.more:
                    break
                mine |= {task.id: task for task in seen(found.read())}
        return sorted(mine.values(), key=lambda task: time_ordered_part(task.id), reverse=True), found.more


def _is_seen(task: Task, memberships: Mapping[str, Membership]) -> bool:
    return not is_room_id(task.owner_id) or task.is_assigned_by(memberships.get(task.owner_id))

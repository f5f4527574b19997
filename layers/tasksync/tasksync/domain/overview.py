"""The overview: a caller's rooms, the people in these rooms, and the caller's open tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from tasksync.domain.gather import Gather
from tasksync.model.entities import Caller, JoinedRooms, Membership, RoomView, Task, TaskStatus, User
from tasksync.model.times import is_room_id, owner_of, time_ordered_part

MOST_OF_EACH = 100
_MORE_READS = 3
_MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Overview:
    """An overview: at most 100 of each kind. ``truncated``: there may be more of some kind."""

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
    """``dynamodb/tasks/queries.py``: ids of tasks newest first, some at a time."""

    @property
    def more(self) -> bool: ...
    def read(self, wanted: int) -> list[str]: ...


class Tasks(Protocol):
    """``dynamodb/tasks/queries.py``."""

    def open_of(self, user_id: str) -> OpenTasks: ...
    def personal_of(self, user_id: str) -> OpenTasks: ...
    def find_many(self, task_ids: Iterable[str], *, consistent: bool) -> dict[str, Task]: ...


class OverviewService:
    """Builds overviews in three sequential round trips, for any number of rooms.

    At most five more are made, if the newest tasks belong to rooms that the caller has left.
    """

    def __init__(self, rooms: Rooms, people: People, tasks: Tasks, gather: Gather) -> None:
        """``gather`` runs two reads at the same time."""
        self._gather = gather
        self._rooms = rooms
        self._people = people
        self._tasks = tasks

    def of(self, caller: Caller) -> Overview:
        """The overview: rooms oldest first, the caller before other people, tasks newest first.

        With more than 100 rooms, rooms that the caller created or joined come before rooms that others added the caller
        to. Otherwise others could fill the overview. The people come from the same rooms.
        """
        # The ids of tasks are read before memberships: no task is shown that was assigned after the caller had left.
        open_tasks = self._tasks.open_of(caller.user_id)
        ids, joined = self._gather(
            lambda: open_tasks.read(MOST_OF_EACH), lambda: self._rooms.joined_rooms(caller.user_id)
        )
        candidate_ids = [*sorted(joined.by_oneself), *sorted(joined.added)]
        views, tasks = self._gather(
            lambda: self._rooms.views(candidate_ids[:MOST_OF_EACH], caller.user_id),
            lambda: self._tasks.find_many(ids, consistent=False),
        )
        rooms = [views[room_id] for room_id in candidate_ids if room_id in views]
        memberships = {view.room.id: view.caller for view in rooms}
        mine, more_tasks = self._mine(caller, ids, tasks, open_tasks, memberships)
        members = chain.from_iterable(sorted(view.room.member_ids) for view in rooms)
        user_ids = list(dict.fromkeys([caller.user_id, *members]))
        found = self._people.find_many(user_ids[:MOST_OF_EACH])
        return Overview(
            people=tuple(found[user_id] for user_id in user_ids if user_id in found),
            rooms=tuple(sorted(rooms, key=lambda view: view.room.id)),
            tasks=tuple(mine[:MOST_OF_EACH]),
            truncated=more_tasks or max(len(candidate_ids), len(mine), len(user_ids)) > MOST_OF_EACH,
        )

    def _mine(
        self,
        caller: Caller,
        ids: list[str],
        tasks: Mapping[str, Task],
        found: OpenTasks,
        memberships: Mapping[str, Membership],
    ) -> tuple[list[Task], bool]:
        """The caller's visible open tasks, newest first, and whether there may be more.

        A task stays assigned to somebody who left its room until ``rooms/unassignment.py`` runs. Such tasks are not
        visible, and personal tasks are shown however many of them there are.
        """
        mine = {task_id: task for task_id, task in tasks.items() if _is_seen(task, memberships)}
        if len(mine) < len(ids) and len(mine) <= MOST_OF_EACH and found.more:
            more = self._tasks.personal_of(caller.user_id).read(MOST_OF_EACH)
            for _ in range(_MORE_READS):
                if len(more) + len(mine) > MOST_OF_EACH or not found.more:
                    break
                more += [each for each in found.read(_MOST_LOOKED_AT) if _may_be_seen(each, memberships)]
            newest = sorted(set(more) - mine.keys(), key=time_ordered_part, reverse=True)[:MOST_OF_EACH]
            further = self._tasks.find_many(newest, consistent=False)
            mine |= {task_id: task for task_id, task in further.items() if _is_seen(task, memberships)}
        return sorted(mine.values(), key=lambda task: time_ordered_part(task.id), reverse=True), found.more


def _may_be_seen(task_id: str, memberships: Mapping[str, Membership]) -> bool:
    owner_id = str(owner_of(task_id))
    return not is_room_id(owner_id) or owner_id in memberships


def _is_seen(task: Task, memberships: Mapping[str, Membership]) -> bool:
    if task.status is TaskStatus.COMPLETED:
        return False  # completed since its id was read
    return not is_room_id(task.owner_id) or task.is_assigned_by(memberships.get(task.owner_id))

"""The changes of one log after a position, and what was changed as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from tasksync.domain.gather import GatherAll
from tasksync.domain.sync.reads import MOST_TASKS, Logs, People, Rooms, Tasks, parts
from tasksync.model.change_log import counts_of
from tasksync.model.entities import ActivityResource, Caller, Membership, RoomView, Task, TaskCounts, User
from tasksync.model.errors import CursorExpired, RoomNotFound, UserNotFound
from tasksync.model.following import LoggedChange
from tasksync.model.times import is_room_id


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a log: after the entry ``seq``, as long as it is this epoch."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Things:
    """What was changed, each as it was when it was read, which was after the change."""

    room: RoomView | None
    """With its members; None unless something of them was changed."""
    users: Mapping[str, User]
    """By id, users and those whose memberships were changed."""
    tasks: Mapping[str, Task]
    """By id."""

    def member(self, user_id: str) -> tuple[Membership, User] | None:
        membership = None if self.room is None else self.room.member(user_id)
        user = self.users.get(user_id)
        return None if membership is None or user is None else (membership, user)


_NOTHING = Things(None, {}, {})


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries in their order, with what they are about."""

    entries: list[LoggedChange]
    things: Things
    epoch: int
    start: int
    """The position before them."""
    head: int
    """The last entry of the log."""


class ChangesService:
    """Reads the logs of rooms and of the caller.

    A log with nothing new takes one round trip, another three.
    """

    def __init__(self, rooms: Rooms, logs: Logs, tasks: Tasks, people: People, gather: GatherAll) -> None:
        self._rooms = rooms
        self._logs = logs
        self._tasks = tasks
        self._people = people
        self._gather = gather

    def of_room(self, caller: Caller, room_id: str, limit: int, after: Position | None) -> Changes:
        """For members of any role. Raises ``RoomNotFound`` for others, ``CursorExpired``."""
        if not is_room_id(room_id):  # the log of a user is not for members
            raise RoomNotFound
        return self._page(caller, room_id, limit, after)

    def of_user(self, caller: Caller, user_id: str, limit: int, after: Position | None) -> Changes:
        """Of the caller's profile and personal tasks. Raises ``UserNotFound`` for others', ``CursorExpired``."""
        if user_id != caller.user_id:
            raise UserNotFound
        return self._page(caller, user_id, limit, after)

    def _page(self, caller: Caller, log_id: str, limit: int, after: Position | None) -> Changes:
        in_room = [log_id] if is_room_id(log_id) else []
        ends, memberships = self._gather(
            lambda: self._logs.ends([log_id]), lambda: self._rooms.memberships_in(in_room, caller.user_id)
        )
        if in_room and not memberships:
            raise RoomNotFound
        head = ends.of(log_id).seq
        if after is None:
            return Changes([], _NOTHING, ends.epoch, head, head)
        if after.epoch != ends.epoch or after.seq > head:
            raise CursorExpired
        if after.seq == head:
            return Changes([], _NOTHING, ends.epoch, head, head)
        entries = self._logs.entries(log_id, after.seq, min(after.seq + limit, head))
        if entries is None:
            raise CursorExpired
        return Changes(
            entries, self._things(caller, log_id, entries, ends.of(log_id).counts), ends.epoch, after.seq, head
        )

    def _things(self, caller: Caller, log_id: str, entries: list[LoggedChange], counts: TaskCounts | None) -> Things:
        """Raises ``RoomNotFound`` if the caller has left meanwhile: they see nothing that was changed since."""
        ids: dict[str, list[str]] = {}
        for entry in entries:
            ids.setdefault(entry.resource, []).append(entry.resource_id)
        task_ids = ids.pop(ActivityResource.TASK, [])
        user_ids = [*ids.get(ActivityResource.MEMBERSHIP, ()), *ids.get(ActivityResource.USER, ())]
        room, users, *tasks = self._gather(
            lambda: self._room(caller, log_id, counts, whole=bool(ids)) if is_room_id(log_id) else None,
            lambda: self._people.find_many(dict.fromkeys(user_ids)),
            *(partial(self._tasks.current, part) for part in parts(task_ids, MOST_TASKS)),
        )
        found = {task_id: task for part in tasks for task_id, task in part.items()}
        return Things(room, users, found)

    def _room(self, caller: Caller, room_id: str, counts: TaskCounts | None, *, whole: bool) -> RoomView | None:
        """The room with its members if it is wanted ``whole``; None otherwise."""
        if whole:
            view = self._rooms.view(room_id, caller.user_id)
            if view is None:
                raise RoomNotFound
            return replace(view, tasks=counts_of(view.room, counts))
        if not self._rooms.memberships_in([room_id], caller.user_id):
            raise RoomNotFound
        return None

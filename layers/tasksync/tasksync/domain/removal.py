"""What happens to a user after their deletion was accepted, and to a room after its last member left.

Both may be carried out by several functions at once, and may be cut off anywhere and begun again: each step is a
write on condition, and finds nothing to do where it has been done.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from tasksync.domain.conflicts import retry_on_conflict
from tasksync.model.entities import MAX_INDEX_LAG, Membership, Room, RoomRole, RoomView, Session, Task, User, UserStatus
from tasksync.model.errors import LastAdmin, WriteConflict
from tasksync.runtime import clock
from tasksync.runtime.deadline import KeepGoing


class DeadRooms(Protocol):
    """The rooms table, as far as ``remove_dead_room`` needs it."""

    def find_dead(self, room_id: str) -> Room | None: ...
    def delete_dead(self, room: Room) -> None: ...


class OwnedTasks(Protocol):
    """The tasks table, as far as ``remove_dead_room`` needs it."""

    def purge(self, owner_id: str, keep_going: KeepGoing) -> bool: ...


class People(Protocol):
    """The users table, as far as ``UserRemoval`` needs it."""

    def find_any(self, user_id: str) -> User | None: ...
    def free_claims(self, user: User) -> None: ...
    def erase(self, user: User) -> None: ...


class Rooms(Protocol):
    """The rooms table, as far as ``UserRemoval`` needs it."""

    def memberships_of(self, user_id: str, after: str | None = None) -> Iterator[Membership]: ...
    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None: ...
    def leave(self, membership: Membership, at: datetime, *, last: bool) -> None: ...
    def leave_to(self, membership: Membership, successor: Membership, at: datetime) -> None: ...


class FormerMembers(Protocol):
    """``dynamodb/rooms/former_members.py``."""

    def forget_all_of(self, user_id: str, keep_going: KeepGoing) -> bool: ...


class Tasks(OwnedTasks, Protocol):
    """The tasks table, as far as ``UserRemoval`` needs it."""

    def assigned_to(self, user_id: str) -> Iterator[Task]: ...
    def unassign(self, task: Task, at: datetime) -> None: ...


class Sessions(Protocol):
    """The sessions table, as far as ``UserRemoval`` needs it."""

    def all_of(self, user_id: str) -> Iterator[Session]: ...
    def delete(self, session_id: str) -> None: ...


def remove_dead_room(room_id: str, rooms: DeadRooms, tasks: OwnedTasks, keep_going: KeepGoing) -> bool:
    """Delete a room without members: its tasks first, the room and its code last. False if time ran out."""
    room = rooms.find_dead(room_id)
    if room is None:
        return True  # alive, or gone already
    if not tasks.purge(room_id, keep_going):
        return False
    with suppress(WriteConflict):  # somebody else has done it
        rooms.delete_dead(room)
    return True


class UserRemoval:
    """Leave every room, forget which ones they were, end the sessions, unassign the tasks, free the names.

    Much later, delete the user's item.

    What there is to leave and to unassign is found through indexes, which may be behind the tables. The item stays
    until they have surely caught up, so that whoever comes by then finds what was missed: the sweeper.
    """

    def __init__(
        self, people: People, rooms: Rooms, former_members: FormerMembers, tasks: Tasks, sessions: Sessions
    ) -> None:
        self._people = people
        self._rooms = rooms
        self._former_members = former_members
        self._tasks = tasks
        self._sessions = sessions

    def finish(self, user_id: str, keep_going: KeepGoing) -> bool:
        """Remove a user whose deletion was accepted. False if time ran out: then it is to be called again."""
        user = self._people.find_any(user_id)
        if user is None or user.status is not UserStatus.DELETING:
            return True
        # In this order: as long as somebody is in a room, they can be removed from it.
        if not self._leave_rooms(user_id, keep_going) or not self._former_members.forget_all_of(user_id, keep_going):
            return False
        for session in self._sessions.all_of(user_id):
            self._sessions.delete(session.id)
        if not self._tasks.purge(user_id, keep_going) or not self._unassign(user_id, keep_going):
            return False
        self._people.free_claims(user)
        if clock.now() - user.updated_at >= MAX_INDEX_LAG:
            with suppress(WriteConflict):  # somebody else has done it
                self._people.erase(user)
        return True

    def _leave_rooms(self, user_id: str, keep_going: KeepGoing) -> bool:
        for hint in self._rooms.memberships_of(user_id):
            if not keep_going():
                return False
            _leave(hint, self._rooms)
        return True

    def _unassign(self, user_id: str, keep_going: KeepGoing) -> bool:
        for task in self._tasks.assigned_to(user_id):
            if not keep_going():
                return False
            try:
                self._tasks.unassign(task, max(clock.now(), task.updated_at))
            except WriteConflict:
                return False  # changed in this moment: to be looked at again
        return True


def _leave(hint: Membership, rooms: Rooms) -> None:
    def attempt() -> None:
        found = rooms.room_with_members(hint.room_id)
        room, members = found or (None, ())
        mine = next((member for member in members if member.user_id == hint.user_id), None)
        if room is None or mine is None:
            return
        at = clock.later_than(room.updated_at)
        successor = _successor([member for member in members if member is not mine])
        if successor is not None and RoomView(room, mine, members).is_last_admin(mine):
            rooms.leave_to(mine, successor, at)
            return
        try:
            rooms.leave(mine, at, last=len(members) == 1)
        except LastAdmin:
            raise WriteConflict from None  # the room was changed meanwhile

    retry_on_conflict(attempt)


def _successor(others: list[Membership]) -> Membership | None:
    """Who becomes admin when the last admin's account is deleted: who joined first, members before viewers."""
    others = sorted(others, key=lambda member: (member.role is RoomRole.VIEWER, member.joined_at, member.join_id))
    return next(iter(others), None)

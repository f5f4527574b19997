"""Removal: of a user after the deletion was accepted, of a room after its last member left, and of logs of users.

Several functions may run the same removal at the same time, and a removal may stop at any step and start again: each
step is a conditional write that does nothing if the step is done already.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from tasksync.domain.webhooks.dispatch import DUE_AFTER
from tasksync.model import times
from tasksync.model.entities import MAX_INDEX_LAG, Membership, Room, RoomRole, RoomView, Session, Task, User, UserStatus
from tasksync.model.errors import LastAdmin, WriteConflict
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.unit_of_work import retry_on_conflict


class DeadRooms(Protocol):
    """The part of the rooms repository that ``remove_dead_room`` uses."""

    def find_dead(self, room_id: str) -> Room | None: ...
    def delete_dead(self, room: Room) -> None: ...


class OwnedTasks(Protocol):
    """The part of the tasks repository that ``remove_dead_room`` uses."""

    def purge(self, owner_id: str, keep_going: KeepGoing) -> bool: ...


class Logs(Protocol):
    """The part of the repository of change logs that ``remove_log`` uses."""

    def purge(self, log_id: str, keep_going: KeepGoing) -> bool: ...
    def keep(self, log_id: str) -> None: ...


class KnownPeople(Protocol):
    """The part of the users repository that ``remove_log`` uses."""

    def find_any(self, user_id: str) -> User | None: ...


class People(Protocol):
    """The part of the users repository that ``UserRemoval`` uses."""

    def find_any(self, user_id: str) -> User | None: ...
    def free_claims(self, user: User) -> None: ...
    def erase(self, user: User) -> None: ...


class Rooms(Protocol):
    """The part of the rooms repository that ``UserRemoval`` uses."""

    def memberships_of(self, user_id: str, after: str | None = None) -> Iterator[Membership]: ...
    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None: ...
    def leave(self, membership: Membership, at: datetime, *, last: bool) -> None: ...
    def leave_to(self, membership: Membership, successor: Membership, at: datetime) -> None: ...


class FormerMembers(Protocol):
    """``dynamodb/rooms/former_members.py``."""

    def forget_all_of(self, user_id: str, keep_going: KeepGoing) -> bool: ...


class Tasks(OwnedTasks, Protocol):
    """The part of the tasks repository that ``UserRemoval`` uses."""

    def assigned_to(self, user_id: str) -> Iterator[Task]: ...
    def unassign(self, task: Task, user_id: str, at: datetime) -> None: ...


class Sessions(Protocol):
    """The part of the sessions repository that ``UserRemoval`` uses."""

    def all_of(self, user_id: str) -> Iterator[Session]: ...
    def delete(self, session_id: str) -> None: ...


class Webhooks(Protocol):
    """The part of ``dynamodb/webhooks/purges.py`` that ``remove_dead_room`` uses."""

    def purge(self, room_id: str, at: datetime, next_at: datetime, keep_going: KeepGoing) -> bool: ...


def remove_dead_room(
    room_id: str, rooms: DeadRooms, tasks: OwnedTasks, webhooks: Webhooks, keep_going: KeepGoing
) -> bool:
    """Delete a room without members: its tasks and webhooks first, the room and its code last. False if time ran
    out."""
    room = rooms.find_dead(room_id)
    if room is None:
        return True  # the room has members, or is deleted already
    if not tasks.purge(room_id, keep_going):
        return False
    at = times.now()
    if not webhooks.purge(room_id, at, at + DUE_AFTER, keep_going):
        return False
    with suppress(WriteConflict):  # another function has just done so
        rooms.delete_dead(room)
    return True


def remove_log(user_id: str, people: KnownPeople, logs: Logs, keep_going: KeepGoing) -> bool:
    """Delete the log of a user who was deleted. False if time ran out. Raises ``WriteConflict`` if it got an entry at
    this moment.

    A user who is there again was put back from a backup, and keeps the log.
    """
    if people.find_any(user_id) is not None:
        logs.keep(user_id)
        return True
    return logs.purge(user_id, keep_going)


class UserRemoval:
    """Removes a user: leaves all rooms, deletes former memberships and sessions, unassigns tasks, frees the names.

    Memberships and tasks are found through indexes, which may lag behind the tables. So the user's own item is deleted
    last, when ``MAX_INDEX_LAG`` has passed: until then the sweeper runs the removal again, and finds what was missed.
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
        """Remove a user whose deletion was accepted. False if time ran out: then call it again."""
        user = self._people.find_any(user_id)
        if user is None or user.status is not UserStatus.DELETING:
            return True
        # Rooms first: an admin can still remove the user from a room, which stores a former membership.
        if not self._leave_rooms(user_id, keep_going) or not self._former_members.forget_all_of(user_id, keep_going):
            return False
        for session in self._sessions.all_of(user_id):
            self._sessions.delete(session.id)
        if not self._tasks.purge(user_id, keep_going) or not self._unassign(user_id, keep_going):
            return False
        self._people.free_claims(user)
        if times.now() - user.updated_at >= MAX_INDEX_LAG:
            with suppress(WriteConflict):  # another function has just done so
                self._people.erase(user)
        return True

    def _leave_rooms(self, user_id: str, keep_going: KeepGoing) -> bool:
        for candidate in self._rooms.memberships_of(user_id):
            if not keep_going():
                return False
            _leave(candidate, self._rooms)
        return True

    def _unassign(self, user_id: str, keep_going: KeepGoing) -> bool:
        for task in self._tasks.assigned_to(user_id):
            if not keep_going():
                return False
            try:
                self._tasks.unassign(task, user_id, max(times.now(), task.updated_at))
            except WriteConflict:
                return False  # changed at this moment: the next run tries again
        return True


@retry_on_conflict
def _leave(candidate: Membership, rooms: Rooms) -> None:
    found = rooms.room_with_members(candidate.room_id)
    room, members = found or (None, ())
    mine = next((member for member in members if member.user_id == candidate.user_id), None)
    if room is None or mine is None:
        return
    at = times.later_than(room.updated_at)
    successor = _successor([member for member in members if member is not mine])
    if successor is not None and RoomView(room, mine, members).is_last_admin(mine):
        rooms.leave_to(mine, successor, at)
        return
    try:
        rooms.leave(mine, at, last=len(members) == 1)
    except LastAdmin:
        raise WriteConflict from None  # the room has changed meanwhile


def _successor(others: list[Membership]) -> Membership | None:
    """The new admin when the last admin's account is deleted: the one who joined first, members before viewers."""
    others = sorted(others, key=lambda member: (member.role is RoomRole.VIEWER, member.joined_at, member.join_id))
    return next(iter(others), None)

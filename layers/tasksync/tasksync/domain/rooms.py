"""Rooms: who may open, enter, change and leave them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from tasksync import clock
from tasksync.domain.attempts import until_settled
from tasksync.entities import Caller, Membership, Page, Room, RoomRole, RoomView, User
from tasksync.errors import (
    AlreadyMember,
    CodeTaken,
    NotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomFull,
    Stale,
    TooManyRooms,
    UnknownCode,
    UnknownUser,
)
from tasksync.ids import new_code, new_room_id

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""


class Rooms(Protocol):
    """The rooms table, as far as the rules need it; ``tables/rooms.py`` says what each raises."""

    def view(self, room_id: str, user_id: str) -> RoomView | None: ...
    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]: ...
    def count_of(self, user_id: str) -> int: ...
    def resolve_code(self, code: str) -> str: ...
    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None: ...
    def create(self, room: Room, creator: Membership) -> None: ...
    def join(self, membership: Membership, code: str, max_members: int) -> None: ...
    def add(self, actor: Membership, membership: Membership, max_members: int) -> None: ...
    def leave(self, membership: Membership, at: datetime, actor: Membership | None = None) -> None: ...
    def change_role(self, actor: Membership, membership: Membership, role: RoomRole, at: datetime) -> None: ...
    def rename(self, actor: Membership, room: Room, changed: Room) -> None: ...
    def change_code(self, actor: Membership, room: Room, code: str, at: datetime) -> None: ...
    def close(self, view: RoomView, at: datetime) -> None: ...


class People(Protocol):
    """The users table, as far as rooms need it."""

    def find_many(self, user_ids: list[str]) -> dict[str, User]: ...


class RoomService:
    """What can be done with rooms. Every method raises ``NotFound`` for a room the caller is not a member of."""

    def __init__(self, rooms: Rooms, people: People, max_members: int, max_rooms: int) -> None:
        self._rooms = rooms
        self._people = people
        self._max_members = max_members
        self._max_rooms = max_rooms

    def open(self, caller: Caller, name: str | None, code: str | None) -> RoomView:
        """A new room, whose admin is the caller. Raises ``CodeTaken`` for a code asked for, and ``TooManyRooms``."""
        self._require_space_for_a_room(caller.user_id)
        at = clock.now()
        room = Room(
            id=new_room_id(at),
            code=code.upper() if code else new_code(),
            name=name,
            member_count=1,
            admin_count=1,
            created_by=caller.user_id,
            created_at=at,
            updated_at=at,
            version=1,
        )
        creator = _membership(room.id, caller.user_id, RoomRole.ADMIN, at)
        room = self._with_free_code(room, code is None, lambda candidate: self._rooms.create(candidate, creator))
        return RoomView(room, creator, (creator,))

    def list(self, caller: Caller, limit: int, after: str | None) -> Page[RoomView]:
        return self._rooms.rooms_of(caller.user_id, limit, after)

    def get(self, caller: Caller, room_id: str) -> RoomView:
        view = self._rooms.view(room_id, caller.user_id)
        if view is None:
            raise NotFound
        return view

    def change(self, caller: Caller, room_id: str, edit: Callable[[Room], Room], matches: Matches) -> RoomView:
        """Rename the room to what ``edit`` makes of it. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> RoomView:
            view = self._as_admin(caller, room_id, matches)
            changed = edit(view.room)
            if changed == view.room:
                return view
            changed = replace(changed, updated_at=clock.now(), version=view.room.version + 1)
            self._rooms.rename(view.caller, view.room, changed)
            return replace(view, room=changed)

        return until_settled(attempt)

    def change_code(self, caller: Caller, room_id: str, matches: Matches) -> RoomView:
        """A new code; the old one opens nothing any more. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> RoomView:
            view = self._as_admin(caller, room_id, matches)
            at = clock.now()
            room = replace(view.room, code=new_code(), updated_at=at, version=view.room.version + 1)
            room = self._with_free_code(
                room, True, lambda candidate: self._rooms.change_code(view.caller, view.room, candidate.code, at)
            )
            return replace(view, room=room)

        return until_settled(attempt)

    def close(self, caller: Caller, room_id: str, matches: Matches) -> None:
        """Delete the room: everybody is out at once. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> None:
            self._rooms.close(self._as_admin(caller, room_id, matches), clock.now())

        until_settled(attempt)

    def join(self, caller: Caller, code: str) -> RoomView:
        """Raises ``UnknownCode``, ``AlreadyMember``, ``RoomFull``, ``TooManyRooms``."""
        code = code.upper()

        def attempt() -> RoomView:
            room_id = self._rooms.resolve_code(code)
            self._require_space_for_a_room(caller.user_id)
            membership = _membership(room_id, caller.user_id, RoomRole.MEMBER, clock.now())
            try:
                self._rooms.join(membership, code, self._max_members)
            except Stale:
                self._explain_refused_join(room_id, code)
                raise
            view = self._rooms.view(room_id, caller.user_id)
            if view is None:  # removed again in the same moment
                raise UnknownCode
            return view

        return until_settled(attempt)

    def members(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[tuple[Membership, User]]:
        """In the order they joined. Whoever is just being deleted is left out."""
        everybody = list(self.get(caller, room_id).members)
        start = next((i + 1 for i, member in enumerate(everybody) if _place(member) == after), None)
        if start is None:  # from the beginning, or from behind somebody who has left meanwhile
            start = next((i for i, member in enumerate(everybody) if after is None or _place(member) > after), None)
        wanted = everybody[start : start + limit] if start is not None else []
        people = self._people.find_many([member.user_id for member in wanted])
        rest = bool(wanted) and wanted[-1] is not everybody[-1]
        shown = [(member, people[member.user_id]) for member in wanted if member.user_id in people]
        return Page(shown, _place(wanted[-1]) if rest else None)

    def add(self, caller: Caller, room_id: str, user_id: str, role: RoomRole) -> tuple[Membership, User]:
        """Raises ``RoleTooLow``, ``UnknownUser``, ``AlreadyMember``, ``RoomFull``, ``TooManyRooms``."""

        def attempt() -> tuple[Membership, User]:
            view = self._as_admin(caller, room_id)
            user = self._people.find_many([user_id]).get(user_id)
            if user is None:
                raise UnknownUser
            if view.member(user_id):
                raise AlreadyMember
            if view.room.member_count >= self._max_members:
                raise RoomFull
            self._require_space_for_a_room(user_id)
            membership = _membership(room_id, user_id, role, clock.now())
            self._rooms.add(view.caller, membership, self._max_members)
            return membership, user

        return until_settled(attempt)

    def change_role(self, caller: Caller, room_id: str, user_id: str, role: RoomRole) -> tuple[Membership, User]:
        """Raises ``RoleTooLow``, ``LastAdmin``; ``NotFound`` for somebody who is no member, too."""

        def attempt() -> tuple[Membership, User]:
            view = self._as_admin(caller, room_id)
            member = view.member(user_id)
            user = self._people.find_many([user_id]).get(user_id)
            if member is None or user is None:
                raise NotFound
            if member.role is not role:
                self._rooms.change_role(view.caller, member, role, clock.now())
            return replace(member, role=role), user

        return until_settled(attempt)

    def remove(self, caller: Caller, room_id: str, user_id: str) -> None:
        """Leave, or be removed by an admin. Raises ``RoleTooLow``, ``LastAdmin``."""

        def attempt() -> None:
            view = self.get(caller, room_id)
            oneself = user_id == caller.user_id
            if not oneself and view.caller.role is not RoomRole.ADMIN:
                raise RoleTooLow
            member = view.member(user_id)
            if member is None:
                raise NotFound
            self._rooms.leave(member, clock.now(), None if oneself else view.caller)

        until_settled(attempt)

    def _as_admin(self, caller: Caller, room_id: str, matches: Matches | None = None) -> RoomView:
        view = self.get(caller, room_id)
        if view.caller.role is not RoomRole.ADMIN:
            raise RoleTooLow
        if matches is not None and not matches(view.room.version):
            raise PreconditionFailed
        return view

    def _require_space_for_a_room(self, user_id: str) -> None:
        # A brake on abuse, not an invariant: two joins at the same moment may both pass.
        if self._rooms.count_of(user_id) >= self._max_rooms:
            raise TooManyRooms

    def _with_free_code(self, room: Room, generated: bool, write: Callable[[Room], None]) -> Room:
        """Write the room; while a generated code happens to be taken, with another one."""
        while True:
            try:
                write(room)
                return room
            except CodeTaken:
                if not generated:
                    raise
                room = replace(room, code=new_code())

    def _explain_refused_join(self, room_id: str, code: str) -> None:
        found = self._rooms.room_with_members(room_id)
        if found is None or found[0].code != code:
            raise UnknownCode
        if found[0].member_count >= self._max_members:
            raise RoomFull


def _membership(room_id: str, user_id: str, role: RoomRole, at: datetime) -> Membership:
    return Membership(room_id, user_id, role, uuid4().hex, at)


def _place(member: Membership) -> str:
    return f"{clock.timestamp(member.joined_at)}#{member.join_id}"

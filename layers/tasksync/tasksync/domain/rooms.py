"""Rooms: who may open, enter, change and leave them."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync import clock
from tasksync.domain.attempts import until_settled
from tasksync.domain.reads import Both
from tasksync.entities import (
    AddedBy,
    Caller,
    Membership,
    Page,
    Receipt,
    ReceiptFor,
    Room,
    RoomRole,
    RoomsEntered,
    RoomView,
    User,
)
from tasksync.errors import (
    AddingRefused,
    AlreadyMember,
    CodeTaken,
    NotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomFull,
    TooManyRooms,
    UnknownCode,
    UnknownUser,
)
from tasksync.ids import new_code, new_join_id, new_room_id

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""

_TOO_MANY_ADDED = "Others have added this user to as many rooms as they may. They can still join by the code."

Named = tuple[Membership, User]
"""A membership, and whose it is."""


class Rooms(Protocol):
    """The rooms table, as far as the rules need it; ``tables/rooms.py`` says what each raises."""

    def view(self, room_id: str, user_id: str) -> RoomView | None: ...
    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]: ...
    def count_of(self, user_id: str) -> int: ...
    def entered_by(self, user_id: str) -> RoomsEntered: ...
    def resolve_code(self, code: str) -> str: ...
    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None: ...
    def create(self, room: Room, creator: Membership, receipt: Receipt | None) -> None: ...
    def join(self, room: Room, membership: Membership, receipt: Receipt | None) -> None: ...
    def add(
        self, room: Room, actor: Membership, user: User, membership: Membership, receipt: Receipt | None
    ) -> None: ...
    def remove(
        self, membership: Membership, actor: Membership | None, at: datetime, receipt: Receipt | None
    ) -> None: ...
    def change_role(
        self, actor: Membership, before: Membership, after: Membership, receipt: Receipt | None
    ) -> None: ...
    def rename(self, actor: Membership, room: Room, changed: Room, receipt: Receipt | None) -> None: ...
    def change_code(self, actor: Membership, room: Room, changed: Room, receipt: Receipt | None) -> None: ...
    def close(self, view: RoomView, at: datetime, receipt: Receipt | None) -> None: ...


class People(Protocol):
    """The users table, as far as rooms need it."""

    def find_many(self, user_ids: list[str]) -> dict[str, User]: ...


class RoomService:
    """What can be done with rooms. Every method raises ``NotFound`` for a room the caller is not a member of."""

    def __init__(self, rooms: Rooms, people: People, max_members: int, max_rooms: int, both: Both) -> None:
        """``both``: carries out two reads at the same time."""
        self._both = both
        self._rooms = rooms
        self._people = people
        self._max_members = max_members
        self._max_rooms = max_rooms

    def open(self, caller: Caller, name: str | None, code: str | None, receipt: ReceiptFor[RoomView]) -> RoomView:
        """A new room, whose admin is the caller. Raises ``CodeTaken`` for a code asked for, and ``TooManyRooms``."""
        self._require_space_for_a_room(self._rooms.count_of(caller.user_id))
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
            member_ids=frozenset({caller.user_id}),
        )
        creator = _membership(room.id, caller.user_id, RoomRole.ADMIN)

        def write(view: RoomView) -> None:
            self._rooms.create(view.room, creator, receipt(view))

        return _with_free_code(RoomView(room, creator, (creator,)), code is None, write)

    def list(self, caller: Caller, limit: int, after: str | None) -> Page[RoomView]:
        return self._rooms.rooms_of(caller.user_id, limit, after)

    def get(self, caller: Caller, room_id: str) -> RoomView:
        view = self._rooms.view(room_id, caller.user_id)
        if view is None:
            raise NotFound
        return view

    def change(
        self,
        caller: Caller,
        room_id: str,
        edit: Callable[[RoomView], Room],
        matches: Matches,
        receipt: ReceiptFor[RoomView],
    ) -> RoomView:
        """Rename the room to what ``edit`` makes of it. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> RoomView:
            view = self._as_admin(caller, room_id, matches)
            changed = edit(view)
            if changed == view.room:
                return view
            changed = replace(changed, updated_at=clock.now(), version=view.room.version + 1)
            after = replace(view, room=changed)
            self._rooms.rename(view.caller, view.room, changed, receipt(after))
            return after

        return until_settled(attempt)

    def change_code(self, caller: Caller, room_id: str, matches: Matches, receipt: ReceiptFor[RoomView]) -> RoomView:
        """A new code; the old one opens nothing any more. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> RoomView:
            before = self._as_admin(caller, room_id, matches)
            room = replace(before.room, code=new_code(), updated_at=clock.now(), version=before.room.version + 1)

            def write(view: RoomView) -> None:
                self._rooms.change_code(before.caller, before.room, view.room, receipt(view))

            return _with_free_code(replace(before, room=room), True, write)

        return until_settled(attempt)

    def close(self, caller: Caller, room_id: str, matches: Matches, receipt: ReceiptFor[None]) -> None:
        """Delete the room: everybody is out at once. Raises ``RoleTooLow``, ``PreconditionFailed``."""

        def attempt() -> None:
            self._rooms.close(self._as_admin(caller, room_id, matches), clock.now(), receipt(None))

        until_settled(attempt)

    def join(self, caller: Caller, code: str, receipt: ReceiptFor[RoomView]) -> RoomView:
        """Raises ``UnknownCode``, ``AlreadyMember``, ``RoomFull``, ``TooManyRooms``."""
        code = code.upper()

        def attempt() -> RoomView:
            room_id = self._rooms.resolve_code(code)
            found, rooms = self._both(
                lambda: self._rooms.room_with_members(room_id), lambda: self._rooms.count_of(caller.user_id)
            )
            if found is None or found[0].code != code:
                raise UnknownCode
            room, members = found
            newcomer = _membership(room.id, caller.user_id, RoomRole.MEMBER)
            view = RoomView(_entered(room, newcomer), newcomer, (*members, newcomer))
            self._require_admissible(room, members, caller.user_id)
            self._require_space_for_a_room(rooms)
            self._rooms.join(room, newcomer, receipt(view))
            return view

        return until_settled(attempt)

    def members(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[Named]:
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

    def add(
        self,
        caller: Caller,
        room_id: str,
        user_id: str,
        role: RoomRole,
        receipt: ReceiptFor[Named],
        count_stranger: Callable[[], None],
    ) -> Named:
        """Raises ``RoleTooLow``, ``UnknownUser``, ``AlreadyMember``, ``RoomFull``, ``AddingRefused``, ``TooManyRooms``.

        ``count_stranger``: counts that the caller adds somebody with whom they share no room; may raise
        ``RateLimited``. Called once at most, before the caller is told whether the user lets them.
        """
        counted = False

        def attempt() -> Named:
            nonlocal counted
            ((found, people), theirs), mine = self._both(
                lambda: self._both(
                    lambda: self._with_person(caller, room_id, user_id), lambda: self._rooms.entered_by(user_id)
                ),
                lambda: self._rooms.entered_by(caller.user_id),
            )
            view = _administered(found)
            user = people.get(user_id)
            if user is None:
                raise UnknownUser
            self._require_admissible(view.room, view.members, user_id)
            strangers = mine.all.isdisjoint(theirs.all)
            if strangers and not counted:
                counted = True
                count_stranger()
            if user.added_by is AddedBy.NOBODY or (strangers and user.added_by is AddedBy.SHARED):
                raise AddingRefused
            self._require_space_for_a_room(len(theirs.added), _TOO_MANY_ADDED)
            newcomer = _membership(room_id, user_id, role)
            self._rooms.add(view.room, view.caller, user, newcomer, receipt((newcomer, user)))
            return newcomer, user

        return until_settled(attempt)

    def change_role(
        self,
        caller: Caller,
        room_id: str,
        user_id: str,
        edit: Callable[[Named], RoomRole],
        receipt: ReceiptFor[Named],
    ) -> Named:
        """Give a member the role that ``edit`` says. Raises ``RoleTooLow``, ``LastAdmin``; ``NotFound`` for somebody
        who is no member, too."""

        def attempt() -> Named:
            found, people = self._with_person(caller, room_id, user_id)
            view = _administered(found)
            member, user = view.member(user_id), people.get(user_id)
            if member is None or user is None:
                raise NotFound
            after = replace(member, role=edit((member, user)))
            if after != member:
                self._rooms.change_role(view.caller, member, after, receipt((after, user)))
            return after, user

        return until_settled(attempt)

    def remove(self, caller: Caller, room_id: str, user_id: str, receipt: ReceiptFor[None]) -> None:
        """Leave, or be removed by an admin. Raises ``RoleTooLow``, ``LastAdmin``."""
        meant: list[str] = []

        def attempt() -> None:
            view = self.get(caller, room_id)
            oneself = user_id == caller.user_id
            if not oneself and view.caller.role is not RoomRole.ADMIN:
                raise RoleTooLow
            member = view.member(user_id)
            if member is None:
                raise NotFound
            # Whoever has left meanwhile and joined again is in by another membership, which is not the one meant.
            meant.append(member.join_id)
            if member.join_id != meant[0]:
                raise NotFound
            self._rooms.remove(member, None if oneself else view.caller, clock.now(), receipt(None))

        until_settled(attempt)

    def _as_admin(self, caller: Caller, room_id: str, matches: Matches) -> RoomView:
        view = _administered(self._rooms.view(room_id, caller.user_id))
        if not matches(view.room.version):
            raise PreconditionFailed
        return view

    def _with_person(self, caller: Caller, room_id: str, user_id: str) -> tuple[RoomView | None, dict[str, User]]:
        """The room as the caller sees it, and at the same time somebody who is in it or may come into it."""
        return self._both(lambda: self._rooms.view(room_id, caller.user_id), lambda: self._people.find_many([user_id]))

    def _require_admissible(self, room: Room, members: tuple[Membership, ...], user_id: str) -> None:
        if any(member.user_id == user_id for member in members):
            raise AlreadyMember
        if room.member_count >= self._max_members:
            raise RoomFull

    def _require_space_for_a_room(self, rooms: int, detail: str | None = None) -> None:
        """``rooms``: those that the user entered in the same way.

        Rooms that others added somebody to do not count where they open or join one, or others could keep them from it.
        """
        # A brake on abuse, not an invariant: two joins at the same moment may both pass.
        if rooms >= self._max_rooms:
            raise TooManyRooms(detail)


def _administered(view: RoomView | None) -> RoomView:
    """Raises ``NotFound`` for who is no member, ``RoleTooLow`` for who is no admin."""
    if view is None:
        raise NotFound
    if view.caller.role is not RoomRole.ADMIN:
        raise RoleTooLow
    return view


def _with_free_code(view: RoomView, generated: bool, write: Callable[[RoomView], None]) -> RoomView:
    """Write the room; while a generated code happens to be taken, with another one."""
    while True:
        try:
            write(view)
            return view
        except CodeTaken:
            if not generated:
                raise
            view = replace(view, room=replace(view.room, code=new_code()))


def _membership(room_id: str, user_id: str, role: RoomRole) -> Membership:
    return Membership(room_id, user_id, role, new_join_id(), clock.now())


def _entered(room: Room, newcomer: Membership) -> Room:
    """The room with one member more, no admin."""
    return replace(
        room,
        member_count=room.member_count + 1,
        member_ids=room.member_ids | {newcomer.user_id},
        updated_at=newcomer.joined_at,
        version=room.version + 1,
    )


def _place(member: Membership) -> str:
    return f"{clock.timestamp(member.joined_at)}#{member.join_id}"

"""The room service: who may create, join, change and leave rooms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.model import times
from tasksync.model.change_log import counts_of
from tasksync.model.codes import code_as_pasted, new_code
from tasksync.model.entities import (
    AddedBy,
    Caller,
    FormerMember,
    FormerRole,
    JoinedRooms,
    JoinRole,
    Membership,
    Page,
    Room,
    RoomRole,
    RoomView,
    TaskCounts,
    User,
)
from tasksync.model.errors import (
    AddingRefused,
    AlreadyMember,
    CodeTaken,
    LastAdmin,
    MemberNotFound,
    PreconditionFailed,
    RoleTooLow,
    RoomFull,
    RoomNotFound,
    TooManyRooms,
    UnknownCode,
    UnknownUser,
    WriteConflict,
)
from tasksync.model.times import new_join_id, new_room_id
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""

_TOO_MANY_ADDED = (
    "Others have added this user to as many rooms as they may. Send them the code: they can still join by it."
)
_CODES_TRIED = 10

MemberWithUser = tuple[Membership, User]
"""A membership with its user."""


class Rooms(Protocol):
    """The part of the rooms repository that this service uses; ``dynamodb/rooms/repository.py`` says what each
    raises."""

    def view(self, room_id: str, user_id: str) -> RoomView | None: ...
    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]: ...
    def count_of(self, user_id: str) -> int: ...
    def joined_rooms(self, user_id: str) -> JoinedRooms: ...
    def resolve_code(self, code: str) -> str: ...
    def room_with_members(self, room_id: str) -> tuple[Room, tuple[Membership, ...]] | None: ...
    def create(self, room: Room, creator: Membership) -> None: ...
    def join(self, room: Room, membership: Membership, former: FormerMember | None) -> None: ...
    def add(self, room: Room, actor: Membership, user: User, membership: Membership) -> None: ...
    def remove(self, view: RoomView, membership: Membership, former: FormerMember) -> None: ...
    def change_role(self, actor: Membership, before: Membership, after: Membership, at: datetime) -> None: ...
    def change(self, actor: Membership, room: Room, changed: Room) -> None: ...
    def change_code(self, actor: Membership, room: Room, changed: Room) -> None: ...
    def close(self, view: RoomView, at: datetime) -> None: ...


class Counts(Protocol):
    """``dynamodb/change_log/counts.py``."""

    def task_counts(self, room_id: str) -> TaskCounts | None: ...


class FormerMembers(Protocol):
    """``dynamodb/rooms/former_members.py``."""

    def find(self, room_id: str, user_id: str) -> FormerMember | None: ...


class People(Protocol):
    """The part of the users repository that this service uses."""

    def find_many(self, user_ids: list[str]) -> dict[str, User]: ...


class RoomService:
    """Operations on rooms. Every method raises ``NotFound`` for a room that the caller is not a member of."""

    def __init__(
        self,
        rooms: Rooms,
        former_members: FormerMembers,
        people: People,
        counts: Counts,
        max_members: int,
        max_rooms: int,
        gather: Gather,
    ) -> None:
        """``gather`` runs two reads at the same time. ``max_rooms``: per user."""
        self._gather = gather
        self._rooms = rooms
        self._former_members = former_members
        self._people = people
        self._counts = counts
        self._max_members = max_members
        self._max_rooms = max_rooms

    def open(
        self,
        caller: Caller,
        name: str | None,
        code: str | None,
        join_role: JoinRole | None,
    ) -> RoomView:
        """Create a room, whose admin is the caller. Raises ``CodeTaken`` for a chosen code, and ``TooManyRooms``."""
        self._require_space_for_a_room(self._rooms.count_of(caller.user_id))
        at = times.now()
        room = Room(
            id=new_room_id(at),
            code=code.upper() if code else new_code(),
            join_role=join_role,
            name=name,
            member_count=1,
            admin_count=1,
            created_by=caller.user_id,
            created_at=at,
            updated_at=at,
            version=1,
            member_ids=frozenset({caller.user_id}),
        )
        creator = _membership(room.id, caller.user_id, RoomRole.ADMIN, at)

        def write(view: RoomView) -> None:
            unit_of_work.respond_with(view)
            self._rooms.create(view.room, creator)

        return _with_free_code(RoomView(room, creator, (creator,), TaskCounts(0, 0)), code is None, write)

    def list(self, caller: Caller, limit: int, after: str | None) -> Page[RoomView]:
        return self._rooms.rooms_of(caller.user_id, limit, after)

    def get(self, caller: Caller, room_id: str) -> RoomView:
        """The room with its counts, which are read at the same time."""
        view, counts = self._gather(lambda: self._view(caller, room_id), lambda: self._counts.task_counts(room_id))
        return replace(view, tasks=counts_of(view.room, counts))

    @retry_on_conflict
    def change(
        self,
        caller: Caller,
        room_id: str,
        edit: Callable[[RoomView], Room],
        matches: Matches,
    ) -> RoomView:
        """Replace the room by the result of ``edit``. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        view = _to_be_changed(self.get(caller, room_id), matches)
        changed = edit(view)
        if changed == view.room:
            return view
        changed = _next_version(changed)
        after = replace(view, room=changed)
        unit_of_work.respond_with(after)
        self._rooms.change(view.caller, view.room, changed)
        return after

    @retry_on_conflict
    def change_code(self, caller: Caller, room_id: str, matches: Matches) -> RoomView:
        """Generate a new code; the old one stops working. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        before = _to_be_changed(self.get(caller, room_id), matches)
        room = _next_version(replace(before.room, code=new_code()))

        def write(view: RoomView) -> None:
            unit_of_work.respond_with(view)
            self._rooms.change_code(before.caller, before.room, view.room)

        return _with_free_code(replace(before, room=room), True, write)

    @retry_on_conflict
    def close(self, caller: Caller, room_id: str, matches: Matches) -> None:
        """Delete the room. All memberships end at once. Raises ``RoleTooLow``, ``PreconditionFailed``."""
        view = _to_be_changed(self._view(caller, room_id), matches)
        unit_of_work.respond_with(None)
        self._rooms.close(view, times.later_than(view.room.updated_at))

    @retry_on_conflict
    def join(self, caller: Caller, code: str) -> RoomView:
        """Join a room by its code. The role is the room's join role or the caller's former role, whichever is lower.

        Raises ``UnknownCode``, also if the room cannot be joined by code or an admin removed the caller;
        ``AlreadyMember``, ``RoomFull``, ``TooManyRooms``.
        """
        code = code_as_pasted(code)
        room_id = self._rooms.resolve_code(code)
        ((former, found), counts), rooms = self._gather(
            lambda: self._gather(
                lambda: self._gather(
                    lambda: self._former_members.find(room_id, caller.user_id),
                    lambda: self._rooms.room_with_members(room_id),
                ),
                lambda: self._counts.task_counts(room_id),
            ),
            lambda: self._rooms.count_of(caller.user_id),
        )
        if found is None or found[0].code != code:
            raise UnknownCode
        room, members = found
        _require_newcomer(members, caller.user_id)
        newcomer = _membership(room.id, caller.user_id, _role_by_code(room, former), times.later_than(room.updated_at))
        view = RoomView(_with_newcomer(room, newcomer), newcomer, (*members, newcomer), counts_of(room, counts))
        self._require_space_in(room)
        self._require_space_for_a_room(rooms)
        unit_of_work.respond_with(view)
        self._rooms.join(room, newcomer, former)
        return view

    def members(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[MemberWithUser]:
        """The members in the order they joined, without users who are being deleted."""
        everybody = list(self._view(caller, room_id).members)
        start = next((i + 1 for i, member in enumerate(everybody) if _position(member) == after), None)
        if start is None:  # from the beginning, or the member at the cursor has left meanwhile
            start = next((i for i, member in enumerate(everybody) if after is None or _position(member) > after), None)
        wanted = everybody[start : start + limit] if start is not None else []
        people = self._people.find_many([member.user_id for member in wanted])
        rest = bool(wanted) and wanted[-1] is not everybody[-1]
        shown = [(member, people[member.user_id]) for member in wanted if member.user_id in people]
        return Page(shown, _position(wanted[-1]) if rest else None)

    def add(
        self,
        caller: Caller,
        room_id: str,
        user_id: str,
        role: RoomRole,
        count_adding: Callable[[], None],
    ) -> MemberWithUser:
        """Add a user to a room.

        Raises ``RoleTooLow``, ``UnknownUser``, ``AlreadyMember``, ``RoomFull``, ``AddingRefused``, ``TooManyRooms``.

        ``count_adding``: called if the caller and the user share no room, once at most, and before the user's setting
        ``added_by`` is checked. May raise ``RateLimited``.
        """
        counted = False

        @retry_on_conflict
        def attempt() -> MemberWithUser:
            nonlocal counted
            ((found, people), theirs), mine = self._gather(
                lambda: self._gather(
                    lambda: self._with_person(caller, room_id, user_id), lambda: self._rooms.joined_rooms(user_id)
                ),
                lambda: self._rooms.joined_rooms(caller.user_id),
            )
            view = _require_admin(found)
            user = people.get(user_id)
            if user is None:
                raise UnknownUser
            _require_newcomer(view.members, user_id)
            self._require_space_in(view.room)
            strangers = mine.all.isdisjoint(theirs.all)
            if strangers and not counted:
                counted = True
                count_adding()
            if user.added_by is AddedBy.NOBODY or (strangers and user.added_by is AddedBy.SHARED):
                raise AddingRefused
            self._require_space_for_a_room(len(theirs.added), _TOO_MANY_ADDED)
            newcomer = _membership(room_id, user_id, role, times.later_than(view.room.updated_at))
            unit_of_work.respond_with((newcomer, user))
            self._rooms.add(view.room, view.caller, user, newcomer)
            return newcomer, user

        return attempt()

    @retry_on_conflict
    def change_role(
        self,
        caller: Caller,
        room_id: str,
        user_id: str,
        edit: Callable[[MemberWithUser], RoomRole],
    ) -> MemberWithUser:
        """Give a member the role that ``edit`` returns.

        Raises ``RoleTooLow``, ``LastAdmin``; ``MemberNotFound`` if the user is not a member.
        """
        found, people = self._with_person(caller, room_id, user_id)
        view = _require_admin(found)
        member, user = view.member(user_id), people.get(user_id)
        if member is None or user is None:
            raise MemberNotFound
        after = replace(member, role=edit((member, user)))
        if after != member:
            at = times.later_than(view.room.updated_at)
            with _last_admin_only_if(view.is_last_admin(member)):
                unit_of_work.respond_with((after, user))
                self._rooms.change_role(view.caller, member, after, at)
        return after, user

    def remove(self, caller: Caller, room_id: str, user_id: str) -> None:
        """Leave a room or, as an admin, remove a member. Raises ``RoleTooLow``, ``LastAdmin``."""
        self._remove(caller, room_id, user_id, set())

    @retry_on_conflict
    def _remove(self, caller: Caller, room_id: str, user_id: str, join_ids: set[str]) -> None:
        """``join_ids``: of the memberships that the attempts before this one have read."""
        view = self._view(caller, room_id)
        oneself = user_id == caller.user_id
        if not oneself and view.caller.role is not RoomRole.ADMIN:
            raise _admin_required(view)
        member = view.member(user_id)
        if member is None:
            raise MemberNotFound
        # A user who left and joined again meanwhile has another membership, which must stay.
        join_ids.add(member.join_id)
        if len(join_ids) > 1:
            raise MemberNotFound
        role = FormerRole(member.role.value) if oneself else FormerRole.REMOVED
        former = FormerMember(user_id, room_id, role, times.later_than(view.room.updated_at))
        with _last_admin_only_if(view.is_last_admin(member) and view.room.member_count > 1):
            unit_of_work.respond_with(None)
            self._rooms.remove(view, member, former)

    def _view(self, caller: Caller, room_id: str) -> RoomView:
        """Without the counts."""
        view = self._rooms.view(room_id, caller.user_id)
        if view is None:
            raise RoomNotFound
        return view

    def _with_person(self, caller: Caller, room_id: str, user_id: str) -> tuple[RoomView | None, dict[str, User]]:
        """Read, at the same time, the caller's view of the room and a user."""
        return self._gather(
            lambda: self._rooms.view(room_id, caller.user_id), lambda: self._people.find_many([user_id])
        )

    def _require_space_in(self, room: Room) -> None:
        if room.member_count >= self._max_members:
            raise RoomFull

    def _require_space_for_a_room(self, rooms: int, detail: str | None = None) -> None:
        """Raises ``TooManyRooms``. ``rooms``: the number of rooms of the user with the same origin (joined or added).

        Rooms that others added a user to do not count when the user creates or joins one: others could use up the
        limit.
        """
        # A limit against abuse, not an invariant: two concurrent joins may exceed it.
        if rooms >= self._max_rooms:
            raise TooManyRooms(detail)


def _to_be_changed(view: RoomView, matches: Matches) -> RoomView:
    """The view, if the caller may change the room. Raises ``RoleTooLow``, ``PreconditionFailed``."""
    _require_admin(view)
    if not matches(view.room.version):
        raise PreconditionFailed(view.room.version)
    return view


def _require_admin(view: RoomView | None) -> RoomView:
    """The view, if the caller is an admin of the room. Raises ``RoomNotFound``, ``RoleTooLow``."""
    if view is None:
        raise RoomNotFound
    if view.caller.role is not RoomRole.ADMIN:
        raise _admin_required(view)
    return view


def _admin_required(view: RoomView) -> RoleTooLow:
    role = view.caller.role
    detail = f"This needs the role admin in the room; your role is {role}. An admin of the room can change it."
    return RoleTooLow(detail, role, RoomRole.ADMIN)


def _with_free_code(view: RoomView, generated: bool, write: Callable[[RoomView], None]) -> RoomView:
    """Write the room. If a generated code is taken, try again with another code, ten times at most."""
    for _ in range(_CODES_TRIED - 1 if generated else 0):
        try:
            write(view)
            return view
        except CodeTaken:
            view = replace(view, room=replace(view.room, code=new_code()))
    write(view)
    return view


def _require_newcomer(members: tuple[Membership, ...], user_id: str) -> None:
    if any(member.user_id == user_id for member in members):
        raise AlreadyMember


def _role_by_code(room: Room, former: FormerMember | None) -> RoomRole:
    """The role of a user who joins by code. Raises ``UnknownCode`` if they may not: the response is that to a wrong
    code."""
    left_as = None if former is None else former.role
    if room.join_role is None or left_as is FormerRole.REMOVED:
        raise UnknownCode
    lowest = room.join_role is JoinRole.VIEWER or left_as is FormerRole.VIEWER
    return RoomRole.VIEWER if lowest else RoomRole.MEMBER


@contextmanager
def _last_admin_only_if(expected: bool) -> Iterator[None]:
    """Replace ``LastAdmin`` by ``WriteConflict`` unless ``expected``: then the room has changed since it was read."""
    try:
        yield
    except LastAdmin:
        if not expected:
            raise WriteConflict from None
        raise


def _membership(room_id: str, user_id: str, role: RoomRole, at: datetime) -> Membership:
    return Membership(room_id, user_id, role, new_join_id(), at)


def _next_version(changed: Room) -> Room:
    """``changed``, which still has the old version number, as the next version."""
    return replace(changed, updated_at=times.later_than(changed.updated_at), version=changed.version + 1)


def _with_newcomer(room: Room, newcomer: Membership) -> Room:
    """The room with one more member, who is no admin."""
    return replace(
        room,
        member_count=room.member_count + 1,
        member_ids=room.member_ids | {newcomer.user_id},
        updated_at=newcomer.joined_at,
        version=room.version + 1,
    )


def _position(member: Membership) -> str:
    return f"{times.timestamp(member.joined_at)}#{member.join_id}"

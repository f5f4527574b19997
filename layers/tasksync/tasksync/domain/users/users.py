"""The user service: who may see, change and delete users."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.domain.users.recent_sign_in import require_recent_sign_in
from tasksync.model import times
from tasksync.model.entities import Caller, Page, Room, User, UserRole
from tasksync.model.errors import PreconditionFailed, RoleTooLow, UserNotFound
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

Matches = Callable[[int], bool]
"""Whether the client's ``If-Match`` allows changing a resource of this version."""

_ADMIN_REQUIRED = (
    "This needs the role admin in the installation, as the account is somebody else's; your role in the installation "
    "is user."
)


class People(Protocol):
    """The part of the users repository that this service uses; ``dynamodb/users/repository.py`` says what each
    raises."""

    def find(self, user_id: str) -> User | None: ...
    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...
    def page(self, limit: int, after: str | None) -> Page[User]: ...
    def change_profile(self, user: User, changed: User) -> None: ...
    def begin_removal(self, user: User, at: datetime) -> None: ...


class Rooms(Protocol):
    """The part of the rooms repository that this service uses."""

    def candidate_room_ids(self, user_id: str) -> set[str]: ...
    def all_of(self, user_id: str) -> list[Room]: ...
    def naming(self, room_ids: Iterable[str], user_ids: set[str]) -> list[Room]: ...


class UserService:
    """Operations on users. Every method raises ``NotFound`` for a user that the caller may not see."""

    def __init__(self, people: People, rooms: Rooms, gather: Gather, recent: Callable[[], timedelta]) -> None:
        """``gather`` runs two reads at the same time. ``recent``: the maximum age of a recent sign-in."""
        self._gather = gather
        self._recent = recent
        self._people = people
        self._rooms = rooms

    def list(self, caller: Caller, limit: int, after: str | None) -> Page[User]:
        """All users for an admin; for others, the caller and the users with whom they share a room."""
        if caller.role is UserRole.ADMIN:
            return self._people.page(limit, after)
        ids = {caller.user_id}.union(*(room.member_ids for room in self._rooms.all_of(caller.user_id)))
        rest = sorted(user_id for user_id in ids if after is None or user_id > after)
        wanted = rest[:limit]
        people = self._people.find_many(wanted)
        shown = [people[user_id] for user_id in wanted if user_id in people]
        return Page(shown, wanted[-1] if len(rest) > limit else None)

    def get(self, caller: Caller, user_id: str) -> User:
        if caller.role is UserRole.ADMIN or user_id == caller.user_id:
            user, visible = self._people.find(user_id), True
        else:
            visible, user = self._gather(
                lambda: self._share_a_room(caller.user_id, user_id), lambda: self._people.find(user_id)
            )
        if user is None or not visible:
            raise UserNotFound
        return user

    @retry_on_conflict
    def change(
        self,
        caller: Caller,
        user_id: str,
        edit: Callable[[User], User],
        matches: Matches,
    ) -> User:
        """Replace the user by the result of ``edit``. A new name or address needs a recent sign-in.

        Raises ``RoleTooLow`` (neither the user nor an admin), ``UsernameTaken``, ``EmailTaken``,
        ``PreconditionFailed``, ``ReauthenticationRequired``.
        """
        user = self._own(caller, user_id, matches)
        changed = edit(user)
        if changed == user:
            return user
        if (changed.username, changed.email) != (user.username, user.email):
            require_recent_sign_in(caller, self._recent())
        changed = replace(changed, updated_at=times.later_than(user.updated_at), version=user.version + 1)
        unit_of_work.respond_with(changed)
        self._people.change_profile(user, changed)
        return changed

    @retry_on_conflict
    def begin_removal(self, caller: Caller, user_id: str, matches: Matches) -> None:
        """Accept the deletion: the user is invisible from now on. Raises the errors of ``change``."""
        user = self._own(caller, user_id, matches)
        require_recent_sign_in(caller, self._recent())
        unit_of_work.respond_with(None)
        self._people.begin_removal(user, times.later_than(user.updated_at))

    def _own(self, caller: Caller, user_id: str, matches: Matches) -> User:
        user = self.get(caller, user_id)
        if user.id != caller.user_id and caller.role is not UserRole.ADMIN:
            raise RoleTooLow(_ADMIN_REQUIRED, caller.role, UserRole.ADMIN)
        if not matches(user.version):
            raise PreconditionFailed(user.version)
        return user

    def _share_a_room(self, user_id: str, other_id: str) -> bool:
        mine, theirs = self._gather(
            lambda: self._rooms.candidate_room_ids(user_id), lambda: self._rooms.candidate_room_ids(other_id)
        )
        # The index gives candidates only; the rooms' own member lists decide.
        shared = mine & theirs
        return bool(shared) and bool(self._rooms.naming(shared, {user_id, other_id}))

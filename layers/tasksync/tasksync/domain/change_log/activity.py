"""Who may read a change log as an audit trail."""

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.model.entities import ActivityEntry, ActivityResource, Caller, Membership, Page, RoomRole, User
from tasksync.model.errors import RoleTooLow, RoomNotFound

_NOT_OWN_ACTIVITY = (
    "The activity of somebody's account is listed for themselves only. No role in the installation allows it to "
    "others; yours is {role}."
)


class Memberships(Protocol):
    """The part of the rooms repository that this service uses."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class People(Protocol):
    """``domain/users/users.py``."""

    def get(self, caller: Caller, user_id: str) -> User: ...


class Log(Protocol):
    """``dynamodb/change_log/repository.py``."""

    def page(self, log_id: str, limit: int, after: str | None) -> Page[ActivityEntry]: ...


class ActivityService:
    """Lists the entries of a room's log."""

    def __init__(self, memberships: Memberships, log: Log, gather: Gather) -> None:
        """``gather`` runs two reads at the same time."""
        self._gather = gather
        self._memberships = memberships
        self._log = log

    def list(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first, for members of any role; codes for all but viewers. Raises ``RoomNotFound`` for others."""
        page, memberships = self._gather(
            lambda: self._log.page(room_id, limit, after),
            lambda: self._memberships.memberships_in([room_id], caller.user_id),
        )
        if not memberships:
            raise RoomNotFound
        entries = map(_without_counts, page.items)
        if memberships[room_id].role is RoomRole.VIEWER:
            entries = map(_without_codes, entries)
        return Page([*entries], page.next)


class OwnActivityService:
    """Lists the entries of a person's log: of their profile and their personal tasks."""

    def __init__(self, people: People, log: Log) -> None:
        self._people = people
        self._log = log

    def list(self, caller: Caller, user_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first. Raises ``NotFound`` if the caller may not see the user, ``RoleTooLow`` if it is not the caller.

        This holds for admins of the installation too: what somebody plans for themselves is nobody else's business.
        """
        if user_id != caller.user_id:
            self._people.get(caller, user_id)
            raise RoleTooLow(_NOT_OWN_ACTIVITY.format(role=caller.role), caller.role, None)
        return self._log.page(caller.user_id, limit, after)


def _without_counts(entry: ActivityEntry) -> ActivityEntry:
    """The entry without the revision of a user, which counts what others do not see."""
    return replace(entry, revision=None) if entry.resource is ActivityResource.USER else entry


def _without_codes(entry: ActivityEntry) -> ActivityEntry:
    """The entry without the values of the code. It still says who changed the code, and when."""
    if entry.resource is not ActivityResource.ROOM or "code" not in entry.changes:
        return entry
    return replace(entry, changes={**entry.changes, "code": (None, None)})

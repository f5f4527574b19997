"""The export: all data about a user, for this user (GDPR Article 15, OWASP ASVS 5.0.0 §14.2.7).

It is a sequence of lists, each of which is read page by page. The content of a room belongs to the room: it is exported
only to current members. A user's own actions are exported wherever they happened.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync.model.entities import (
    ActivityEntry,
    ActivityResource,
    Caller,
    FormerMember,
    Membership,
    Page,
    RoomView,
    Session,
    Task,
    User,
)
from tasksync.model.errors import RoleTooLow
from tasksync.model.queries import TaskFilter
from tasksync.model.times import is_room_id

_EVERY_TASK = TaskFilter()

_NOT_OWN_DATA = (
    "What is held about somebody is exported by themselves only. No role in the installation allows it to others; "
    "yours is {role}."
)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

# Whoever has the code may join. Viewers and former members must not read it.
_SECRET_FIELDS = {"code"}


class People(Protocol):
    """``domain/users/users.py``."""

    def get(self, caller: Caller, user_id: str) -> User: ...


class Rooms(Protocol):
    """``dynamodb/rooms/queries.py``."""

    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]: ...
    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class FormerMembers(Protocol):
    """``dynamodb/rooms/former_members.py``."""

    def page_of(self, user_id: str, limit: int, after: str | None) -> Page[FormerMember]: ...


class Sessions(Protocol):
    """``dynamodb/sessions/repository.py``."""

    def page_of(self, user_id: str, at: datetime, limit: int, after: str | None) -> Page[Session]: ...


class Tasks(Protocol):
    """``domain/tasks.py``."""

    def list_of_caller(self, caller: Caller, wanted: TaskFilter, limit: int, after: str | None) -> Page[Task]: ...


class CreatedTasks(Protocol):
    """``dynamodb/tasks/queries.py``."""

    def created_for_others(self, user_id: str, limit: int, after: str | None) -> Page[Task]: ...
    def whole(self, tasks: Collection[Task]) -> list[Task]: ...


class Trash(Protocol):
    """``domain/trash.py``."""

    def list_of_caller(self, caller: Caller, limit: int, after: str | None) -> Page[Task]: ...


class Activity(Protocol):
    """``dynamodb/change_log/repository.py``."""

    def page(self, log_id: str, limit: int, after: str | None) -> Page[ActivityEntry]: ...
    def done_by(self, user_id: str, limit: int, after: str | None) -> Page[ActivityEntry]: ...


class ExportService:
    """Reads the parts of an export. A page may have fewer items than the limit, and still have a next page."""

    def __init__(
        self,
        people: People,
        rooms: Rooms,
        former_members: FormerMembers,
        sessions: Sessions,
        tasks: Tasks,
        created: CreatedTasks,
        trash: Trash,
        activity: Activity,
    ) -> None:
        self._people = people
        self._rooms = rooms
        self._former_members = former_members
        self._sessions = sessions
        self._tasks = tasks
        self._created = created
        self._trash = trash
        self._activity = activity

    def subject(self, caller: Caller, user_id: str) -> User:
        """The profile. Raises ``NotFound`` if the caller may not see the user, ``RoleTooLow`` if it is not the caller.

        This holds for admins of the installation too: the data belongs to the user.
        """
        user = self._people.get(caller, user_id)
        if user.id != caller.user_id:
            raise RoleTooLow(_NOT_OWN_DATA.format(role=caller.role), caller.role, None)
        return user

    def sessions(self, caller: Caller, limit: int, after: str | None) -> Page[Session]:
        """All stored sessions, ended ones too."""
        return self._sessions.page_of(caller.user_id, _EVER, limit, after)

    def rooms(self, caller: Caller, limit: int, after: str | None) -> Page[RoomView]:
        return self._rooms.rooms_of(caller.user_id, limit, after)

    def former_rooms(self, caller: Caller, limit: int, after: str | None) -> Page[FormerMember]:
        """Rooms that the caller left or was removed from."""
        return self._former_members.page_of(caller.user_id, limit, after)

    def tasks(self, caller: Caller, limit: int, after: str | None) -> Page[Task]:
        """Personal tasks, and tasks assigned to the caller in their current rooms."""
        page = self._tasks.list_of_caller(caller, _EVERY_TASK, limit, after)
        return Page(self._created.whole(page.items), page.next)

    def tasks_for_others(self, caller: Caller, limit: int, after: str | None) -> Page[Task]:
        """Tasks that the caller created for others or for nobody, in their current rooms."""
        page = self._created.created_for_others(caller.user_id, limit, after)
        rooms = {task.owner_id for task in page.items}
        current = self._rooms.memberships_in(rooms, caller.user_id) if rooms else {}
        return Page([task for task in page.items if task.owner_id in current], page.next)

    def trash(self, caller: Caller, limit: int, after: str | None) -> Page[Task]:
        """Personal tasks in the trash. Those of a room belong to the room, whose members can list them."""
        page = self._trash.list_of_caller(caller, limit, after)
        return Page(self._created.whole(page.items), page.next)

    def own_activity(self, caller: Caller, limit: int, after: str | None) -> Page[ActivityEntry]:
        """What happened to the caller's profile and personal tasks, whoever did it, newest first."""
        return self._activity.page(caller.user_id, limit, after)

    def activity(self, caller: Caller, limit: int, after: str | None) -> Page[ActivityEntry]:
        """The caller's actions elsewhere, oldest first: in current and former rooms, without room codes, and as an
        admin of the installation, without other people's data."""
        page = self._activity.done_by(caller.user_id, limit, after)
        elsewhere = [entry for entry in page.items if entry.owner_id != caller.user_id and not _is_new_name(entry)]
        return Page([_without_secrets(entry) for entry in elsewhere], page.next)


def _is_new_name(entry: ActivityEntry) -> bool:
    """Whether it is about a person's new name in the log of a room. The person's own log has it, too."""
    return entry.resource is ActivityResource.USER and is_room_id(entry.owner_id)


def _without_secrets(entry: ActivityEntry) -> ActivityEntry:
    secrets = _SECRET_FIELDS & entry.changes.keys() if is_room_id(entry.owner_id) else entry.changes.keys()
    hidden = dict.fromkeys(secrets, (None, None))
    return replace(entry, changes={**entry.changes, **hidden}) if hidden else entry

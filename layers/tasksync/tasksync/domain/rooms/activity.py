"""The audit trail of a room: what its entries say, and who reads them.

Entries are made from the records of the streams and of nothing else: what was committed is recorded, and what was not
is not. A record may come several times. It gives the same entries each time, ids included, so each is there once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from tasksync.domain.gather import Gather
from tasksync.model.activity import Change, Deletion, Version, entry_id
from tasksync.model.change_context import ChangeContext, Roles
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource, Caller, Membership, Page, RoomRole
from tasksync.model.errors import RoomNotFound

_NOBODY = ChangeContext(None, None)


class Memberships(Protocol):
    """The rooms table, as far as the trail needs it."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class Trail(Protocol):
    """``dynamodb/activity/repository.py``."""

    def page(self, room_id: str, limit: int, after: str | None) -> Page[ActivityEntry]: ...


class ActivityService:
    """Reading the trail."""

    def __init__(self, memberships: Memberships, trail: Trail, gather: Gather) -> None:
        """``both``: carries out two reads at the same time."""
        self._gather = gather
        self._memberships = memberships
        self._trail = trail

    def list(self, caller: Caller, room_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first, for members of any role; codes for all but viewers. Raises ``RoomNotFound`` for others."""
        page, memberships = self._gather(
            lambda: self._trail.page(room_id, limit, after),
            lambda: self._memberships.memberships_in([room_id], caller.user_id),
        )
        if not memberships:
            raise RoomNotFound
        if memberships[room_id].role is RoomRole.VIEWER:
            return Page([_without_codes(entry) for entry in page.items], page.next)
        return page


def _without_codes(entry: ActivityEntry) -> ActivityEntry:
    """It still says that there was a change, and who made it."""
    if entry.resource is not ActivityResource.ROOM or "code" not in entry.changes:
        return entry
    return replace(entry, changes={**entry.changes, "code": (None, None)})


def entries_of(change: Change, deletions: Mapping[str, Deletion]) -> list[ActivityEntry]:
    """The entries of one change. ``deletions``: by task, who deleted it; what is not there the service has deleted."""
    before, after = change.before, change.after
    if after is None:
        return [] if before is None else [_end(before, change.recorded_at, deletions.get(before.task_id or ""))]
    if before is not None and before.number == after.number:
        return []  # nothing that was committed as a change, such as a repair by hand
    context = after.context or _NOBODY
    previous = () if before is None else before.entry_ids
    if context.members:
        return [_of_member(user_id, roles, after, context, previous) for user_id, roles in context.members.items()]
    action = ActivityAction.CREATED if before is None else ActivityAction.UPDATED
    if after.dead:  # and no member has left: an admin has closed the room
        action = ActivityAction.DELETED
    changes = _changes(before.fields if before else {}, {} if after.dead else after.fields)
    return [_of_whole(after, after.number, after.at, action, context, previous, changes)]


def _end(version: Version, recorded_at: datetime, deletion: Deletion | None) -> ActivityEntry:
    """Of the deletion of an item, as one more version of it; never earlier than the one before."""
    action = ActivityAction.DELETED if deletion else ActivityAction.PURGED
    at = max(deletion.at if deletion else recorded_at, version.at)
    context = deletion.context if deletion else _NOBODY
    changes = _changes(version.fields, {})
    return _of_whole(version, version.number + 1, at, action, context, version.entry_ids, changes)


def _of_whole(
    version: Version,
    number: int,
    at: datetime,
    action: ActivityAction,
    context: ChangeContext,
    previous: tuple[str, ...],
    changes: Mapping[str, tuple[str | None, str | None]],
) -> ActivityEntry:
    """About the room itself, or a task."""
    subject = version.task_id or version.room_id
    return ActivityEntry(
        id=entry_id(at, subject, number),
        room_id=version.room_id,
        at=at,
        actor_id=context.actor_id,
        action=action,
        resource=ActivityResource.TASK if version.task_id else ActivityResource.ROOM,
        resource_id=subject,
        changes=changes,
        request_id=context.request_id,
        previous=previous,
    )


def _of_member(
    user_id: str, roles: Roles, room: Version, context: ChangeContext, previous: tuple[str, ...]
) -> ActivityEntry:
    action = ActivityAction.UPDATED
    if None in roles:
        action = ActivityAction.CREATED if roles[0] is None else ActivityAction.DELETED
    return ActivityEntry(
        id=entry_id(room.at, user_id, room.number),
        room_id=room.room_id,
        at=room.at,
        actor_id=context.actor_id,
        action=action,
        resource=ActivityResource.MEMBERSHIP,
        resource_id=user_id,
        changes={"role": roles},
        request_id=context.request_id,
        previous=previous,
    )


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    names = [*new, *(name for name in old if name not in new)]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}

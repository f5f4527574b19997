"""The audit trail of a room: how stream records become entries, and who may read the entries.

Entries come from stream records only, so the trail holds what was committed and nothing else. A stream may deliver a
record several times. The record gives the same entries, with the same ids, each time, so no entry is stored twice.
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
    """The part of the rooms repository that this service uses."""

    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class Trail(Protocol):
    """``dynamodb/activity/repository.py``."""

    def page(self, room_id: str, limit: int, after: str | None) -> Page[ActivityEntry]: ...


class ActivityService:
    """Lists the audit trail of a room."""

    def __init__(self, memberships: Memberships, trail: Trail, gather: Gather) -> None:
        """``gather`` runs two reads at the same time."""
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
    """The entry without the values of the code. It still says who changed the code, and when."""
    if entry.resource is not ActivityResource.ROOM or "code" not in entry.changes:
        return entry
    return replace(entry, changes={**entry.changes, "code": (None, None)})


def entries_of(change: Change, deletions: Mapping[str, Deletion]) -> list[ActivityEntry]:
    """The audit entries of one change. ``deletions``: who deleted each task, by task id; the service deleted the
    others."""
    before, after = change.before, change.after
    if after is None:
        return (
            [] if before is None else [_deletion_entry(before, change.recorded_at, deletions.get(before.task_id or ""))]
        )
    if before is not None and before.number == after.number:
        return []  # not a change made through the API: a manual repair, for example
    context = after.context or _NOBODY
    previous = () if before is None else before.entry_ids
    if context.members:
        return [
            _membership_entry(user_id, roles, after, context, previous) for user_id, roles in context.members.items()
        ]
    changes = _changes(before, None if after.dead else after)
    return [_item_entry(after, after.number, after.at, _action(before, after), context, previous, changes)]


def _action(before: Version | None, after: Version) -> ActivityAction:
    """Of a change that is neither a deletion nor of memberships."""
    if before is None:
        return ActivityAction.CREATED
    if after.dead:  # and no membership changed: an admin has deleted the room
        return ActivityAction.DELETED
    if before.trashed != after.trashed:
        return ActivityAction.TRASHED if after.trashed else ActivityAction.RESTORED
    if before.rank != after.rank:
        return ActivityAction.MOVED
    return ActivityAction.UPDATED


def _deletion_entry(version: Version, recorded_at: datetime, deletion: Deletion | None) -> ActivityEntry:
    """The entry of a deletion. It counts as one more version of the item, and is never earlier than the last
    version."""
    # Without a note, it was the service; from the trash, it is for good whoever does it.
    action = ActivityAction.DELETED if deletion and not version.trashed else ActivityAction.PURGED
    at = max(deletion.at if deletion else recorded_at, version.at)
    context = deletion.context if deletion else _NOBODY
    changes = _changes(version, None)
    return _item_entry(version, version.number + 1, at, action, context, version.entry_ids, changes)


def _item_entry(
    version: Version,
    number: int,
    at: datetime,
    action: ActivityAction,
    context: ChangeContext,
    previous: tuple[str, ...],
    changes: Mapping[str, tuple[str | None, str | None]],
) -> ActivityEntry:
    """The entry of a change of the room itself or of a task."""
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


def _membership_entry(
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


def _changes(before: Version | None, after: Version | None) -> dict[str, tuple[str | None, str | None]]:
    old, new = (each.fields if each else {} for each in (before, after))
    old_digests, new_digests = (each.digests if each else {} for each in (before, after))
    names = [*new, *(name for name in old if name not in new)]
    return {
        name: (old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name) or old_digests.get(name) != new_digests.get(name)
    }

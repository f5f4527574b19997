"""How a stream record becomes entries of a change log.

Entries come from stream records only, so a log holds what was committed and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime

from tasksync.model import times
from tasksync.model.activity import Change, Deletion, Unreadable, Version, entry_id
from tasksync.model.change_context import ChangeContext, Roles
from tasksync.model.change_log import Commit, Counted
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource

_NOBODY = ChangeContext(None, None)


def commit_of(change: Change | Unreadable, deletions: Mapping[str, Deletion]) -> Commit | None:
    """What a log is to hold of a change; None for a write that changed nothing that is logged.

    ``deletions``: who deleted each task, by task id; the service deleted the others.
    """
    if isinstance(change, Unreadable):
        return _unreadable_commit(change)
    before, after = change.before, change.after
    if after is None:
        return None if before is None else _deletion(before, change.recorded_at, deletions.get(before.thing_id))
    if before is not None and before.revision == after.revision:
        return None  # not a change made through the API: a manual repair, for example
    context = context_of(before, after)
    if before is not None and before.number == after.number:
        entries = [_item_entry(after, after.at, ActivityAction.ORDER, context, {"rank": (before.rank, after.rank)})]
    elif context.members:
        entries = [_membership_entry(user_id, roles, after, context) for user_id, roles in context.members.items()]
    else:
        entries = [_item_entry(after, after.at, _action(before, after), context, _changes(before, _living(after)))]
    return Commit(
        thing_id=after.thing_id,
        resource=after.resource,
        revision=after.revision,
        at=after.at,
        entries=tuple(entries),
        counted=after.counted,
        # No entry is about the memberships of a room that an admin has deleted.
        lost_by=before.member_ids if before and after.dead and not context.members else frozenset(),
    )


def context_of(before: Version | None, after: Version) -> ChangeContext:
    """Who made the change that led to ``after``.

    Operators, and versions before change contexts of users, write users without one, and leave the former one there. A
    request changes a user once, so a context that was there before is not that of the change.
    """
    left_over = before is not None and after.resource is ActivityResource.USER and after.context == before.context
    return _NOBODY if after.context is None or left_over else after.context


def refetch_entry(
    owner_id: str, thing_id: str, resource: ActivityResource, at: datetime, revision: int | None
) -> ActivityEntry:
    """The entry that says that changes up to this revision are not in the log."""
    return ActivityEntry(
        id=entry_id(at, thing_id, revision or 0),
        owner_id=owner_id,
        at=at,
        actor_id=None,
        action=ActivityAction.REFETCH,
        resource=resource,
        resource_id=thing_id,
        changes={},
        request_id=None,
        revision=revision,
        version=None,
    )


def repair_of(version: Version) -> Commit:
    """What a log is to hold of a room, task or user whose records got lost, up to this version."""
    entry = refetch_entry(version.owner_id, version.thing_id, version.resource, times.now(), version.revision)
    return Commit(
        thing_id=version.thing_id,
        resource=version.resource,
        revision=version.revision,
        at=entry.at,
        entries=(entry,),
        counted=version.counted,
    )


def end_of(log_id: str, thing_id: str, revision: int) -> Commit:
    """What a log is to hold of a room, task or user that is gone, as the record of that got lost.

    ``revision``: the last one that the log holds.
    """
    resource = ActivityResource.TASK
    if thing_id == log_id:
        resource = ActivityResource.ROOM if times.is_room_id(log_id) else ActivityResource.USER
    entry = refetch_entry(log_id, thing_id, resource, times.now(), revision + 1)
    return Commit(
        thing_id=thing_id,
        resource=resource,
        revision=entry.revision,
        at=entry.at,
        entries=(entry,),
        counted=Counted.NEITHER,
        gone=True,
    )


def _unreadable_commit(change: Unreadable) -> Commit:
    entry = refetch_entry(change.owner_id, change.thing_id, change.resource, change.recorded_at, change.revision)
    return Commit(
        thing_id=change.thing_id,
        resource=change.resource,
        revision=change.revision,
        at=change.recorded_at,
        entries=(entry,),
        counted=Counted.NEITHER if change.gone else None,
        gone=change.gone,
    )


def _living(version: Version) -> Version | None:
    return None if version.dead else version


def _action(before: Version | None, after: Version) -> ActivityAction:
    """Of a change that is neither a deletion nor of memberships."""
    if before is None:
        return ActivityAction.CREATED
    if after.dead:  # and no membership changed: an admin has deleted the room
        return ActivityAction.DELETED
    if before.dead:
        return ActivityAction.RESTORED
    if before.trashed != after.trashed:
        return ActivityAction.TRASHED if after.trashed else ActivityAction.RESTORED
    if before.rank != after.rank:
        return ActivityAction.MOVED
    return ActivityAction.UPDATED


def _deletion(version: Version, recorded_at: datetime, deletion: Deletion | None) -> Commit:
    """A deletion counts as one more revision of the item, and is never earlier than the last version."""
    # Without a note, it was the service; from the trash, it is for good whoever does it.
    action = ActivityAction.DELETED if deletion and not version.trashed else ActivityAction.PURGED
    at = max(deletion.at if deletion else recorded_at, version.at)
    context = deletion.context if deletion else _NOBODY
    entry = _item_entry(version, at, action, context, _changes(version, None), gone=True)
    return Commit(
        thing_id=version.thing_id,
        resource=version.resource,
        revision=entry.revision,
        at=at,
        entries=(entry,),
        counted=Counted.NEITHER,
        gone=True,
    )


def _item_entry(
    version: Version,
    at: datetime,
    action: ActivityAction,
    context: ChangeContext,
    changes: Mapping[str, tuple[str | None, str | None]],
    *,
    gone: bool = False,
) -> ActivityEntry:
    """The entry of a change of a room itself, task or user. ``gone``: ``version`` is the last one before the end."""
    revision = version.revision + gone
    return ActivityEntry(
        id=entry_id(at, version.thing_id, revision),
        owner_id=version.owner_id,
        at=at,
        actor_id=context.actor_id,
        action=action,
        resource=version.resource,
        resource_id=version.thing_id,
        changes=changes,
        request_id=context.request_id,
        revision=revision,
        version=None if gone else version.number,
    )


def _membership_entry(user_id: str, roles: Roles, room: Version, context: ChangeContext) -> ActivityEntry:
    action = ActivityAction.UPDATED
    if None in roles:
        action = ActivityAction.CREATED if roles[0] is None else ActivityAction.DELETED
    return ActivityEntry(
        id=entry_id(room.at, user_id, room.revision),
        owner_id=room.owner_id,
        at=room.at,
        actor_id=context.actor_id,
        action=action,
        resource=ActivityResource.MEMBERSHIP,
        resource_id=user_id,
        changes={"role": roles},
        request_id=context.request_id,
        revision=room.revision,
        version=room.number,
    )


def _changes(before: Version | None, after: Version | None) -> dict[str, tuple[str | None, str | None]]:
    old, new = (each.fields if each else {} for each in (before, after))
    old_digests, new_digests = (each.digests if before and each else {} for each in (before, after))
    return {
        name: (old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old, *new_digests])
        if old.get(name) != new.get(name) or old_digests.get(name) != new_digests.get(name)
    }

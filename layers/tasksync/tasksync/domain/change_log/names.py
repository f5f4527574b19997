"""Appends a person's new name to the logs of their rooms, so that whoever follows a room reads its members again."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, cast

from tasksync.domain.change_log.entries import context_of, refetch_entry
from tasksync.model.activity import Change, Unreadable, Version, entry_id
from tasksync.model.change_context import ChangeContext
from tasksync.model.change_log import Commit, Counted
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource, JoinedRooms, Membership
from tasksync.model.errors import TaskSyncError

Append = Callable[[str, Sequence[Commit]], None]


class Rooms(Protocol):
    """The part of the rooms repository that this module uses."""

    def joined_rooms(self, user_id: str) -> JoinedRooms: ...
    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


def append_new_name(user_id: str, changes: Sequence[Change | Unreadable], rooms: Rooms, append: Append) -> None:
    """Append to the logs of the person's rooms that the name is another one, if these changes say so.

    An index suggests the rooms, which may be some milliseconds behind; their memberships decide. A room whose log
    fails keeps no other back: its error is raised when all others are done. All of it may be done again.
    """
    renamed = [change for change in changes if _may_be_renamed(change)]
    if not renamed:
        return
    failure: TaskSyncError | None = None
    for room_id in sorted(rooms.memberships_in(rooms.joined_rooms(user_id).all, user_id)):
        try:
            append(room_id, [_commit(room_id, user_id, renamed[-1])])
        except TaskSyncError as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _may_be_renamed(change: Change | Unreadable) -> bool:
    if isinstance(change, Unreadable):
        return change.resource is ActivityResource.USER and not change.gone
    before, after = change.before, change.after
    if before is None or after is None or after.resource is not ActivityResource.USER or before.dead or after.dead:
        return False
    return before.fields.get("username") != after.fields.get("username")


def _commit(room_id: str, user_id: str, change: Change | Unreadable) -> Commit:
    """Its revision is that of the user, so that it is appended once. Its marker is needed as long as records come."""
    if isinstance(change, Unreadable):
        at, revision = change.recorded_at, change.revision
        entry = refetch_entry(room_id, user_id, ActivityResource.USER, at, revision)
    else:
        after = cast("Version", change.after)
        at, revision = after.at, after.revision
        entry = _entry(room_id, after, context_of(change.before, after))
    return Commit(
        thing_id=user_id,
        resource=ActivityResource.USER,
        revision=revision,
        at=at,
        entries=(entry,),
        counted=Counted.NEITHER,
        gone=True,
    )


def _entry(room_id: str, user: Version, context: ChangeContext) -> ActivityEntry:
    """Without the names, which would outlive the account, and without the user's version, which counts what others do
    not see. The id of an admin of the installation is not for the room either."""
    own = context.actor_id == user.thing_id
    return ActivityEntry(
        id=entry_id(user.at, user.thing_id, 0),
        owner_id=room_id,
        at=user.at,
        actor_id=user.thing_id if own else None,
        action=ActivityAction.UPDATED,
        resource=ActivityResource.USER,
        resource_id=user.thing_id,
        changes={"username": (None, None)},
        request_id=context.request_id if own else None,
        revision=user.revision,
        version=None,
    )

"""The activity table: the audit trails of rooms, as the version before wrote them.

No function writes here any more. The sequencer appends these entries to the change log of their room, before all
others.

To delete with the table, in the release after the one that adopts them: this module, ``Sequencer.adopt`` and what it
takes, ``Head.adopting``, ``Commit.kept_from``, and the migration ``0010-activity-adopted``.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec.structs import replace
from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.model.change_log import Commit, Counted, counted_as
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource, TaskStatus
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

_COUNTED_NOWHERE = {ActivityAction.TRASHED, ActivityAction.DELETED, ActivityAction.PURGED}


class ActivityItem(SharedModel):
    class Meta:
        table_name = settings.activity_table

    room_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    """The time of the change, the id of what was changed, and its version: all in hexadecimal, with hyphens between."""
    at = UnicodeAttribute()
    actor_id = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    resource = UnicodeAttribute()
    resource_id = UnicodeAttribute()
    changes = UnicodeAttribute()
    """JSON: by field, the old value and the new one."""
    request_id = UnicodeAttribute(null=True)

    def entity(self) -> ActivityEntry:
        version = int(self.entry_id.rpartition("-")[2], 16)
        action = ActivityAction(self.action)
        gone = action is ActivityAction.PURGED or (
            action is ActivityAction.DELETED and self.resource == ActivityResource.TASK
        )
        return ActivityEntry(
            id=self.entry_id,
            owner_id=self.room_id,
            at=clock.parse(self.at),
            actor_id=self.actor_id,
            action=action,
            resource=ActivityResource(self.resource),
            resource_id=self.resource_id,
            changes={name: (old, new) for name, (old, new) in json.loads(self.changes).items()},
            request_id=self.request_id,
            revision=version,
            version=None if gone else version,
        )


class OldTrailsRepository:
    """The audit trails of the version before."""

    def commits(self, room_id: str) -> Iterator[Commit]:
        """What was committed in a room, in the order of time. Entries of one change of the room are one commit."""
        entries = (item.entity() for item in ActivityItem.query(room_id, consistent_read=True))
        statuses: dict[str, str] = {}
        for _, together in groupby(entries, key=lambda entry: entry.at):
            for commit in _commits(together):
                yield _counted(commit, statuses)


def _commits(entries: Iterable[ActivityEntry]) -> Iterator[Commit]:
    found: dict[tuple[str, int | None], list[ActivityEntry]] = {}
    for entry in entries:
        member = entry.resource is ActivityResource.MEMBERSHIP
        found.setdefault((entry.owner_id if member else entry.resource_id, entry.revision), []).append(entry)
    for (thing_id, revision), together in found.items():
        task = together[0].resource is ActivityResource.TASK
        yield Commit(
            thing_id=thing_id,
            resource=ActivityResource.TASK if task else ActivityResource.ROOM,
            revision=revision,
            entries=tuple(together),
            counted=Counted.NEITHER,
            gone=together[0].version is None,
            kept_from=together[0].at,
        )


def _counted(commit: Commit, statuses: dict[str, str]) -> Commit:
    """The commit of a task with its count. An entry has only what changed: ``statuses`` has the others, by task id."""
    [entry, *_] = commit.entries
    if commit.resource is not ActivityResource.TASK:
        return commit
    _, status = entry.changes.get("status", (None, None))
    if status is not None:
        statuses[commit.thing_id] = status
    known = statuses.get(commit.thing_id)
    if entry.action in _COUNTED_NOWHERE:
        return commit
    return replace(commit, counted=None if known is None else counted_as(TaskStatus(known)))

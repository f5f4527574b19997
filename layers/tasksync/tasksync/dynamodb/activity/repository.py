"""The activity table: the audit trails of rooms, as the version before wrote them.

No function writes here any more. The sequencer appends these entries to the change log of their room, before all
others.

To delete with the table, in the release after the one that adopts them: this module, ``Sequencer.adopt`` and what it
takes, ``Head.adopted``, ``Commit.kept_from``, and the migration ``0010-activity-adopted``.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.model import times
from tasksync.model.change_log import Commit, Counted, counted_as
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource, TaskStatus
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
            at=times.parse(self.at),
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

    def commits(self, room_id: str, after: str | None) -> Iterator[tuple[str, Commit]]:
        """What was committed in a room after a position, in the order of time, each with its position.

        Entries of one change of memberships are one commit. The part of it that is after the position comes again.
        """
        beyond = None if after is None else ActivityItem.entry_id > after
        entries = (item.entity() for item in ActivityItem.query(room_id, beyond, consistent_read=True))
        for _, together in groupby(entries, key=lambda entry: entry.at):
            found: dict[tuple[str, int | None], list[ActivityEntry]] = {}
            for entry in together:
                found.setdefault((_thing(entry), entry.revision), []).append(entry)
            for (thing_id, _), of_one in found.items():
                yield of_one[0].id, _commit(thing_id, of_one)


def _thing(entry: ActivityEntry) -> str:
    return entry.owner_id if entry.resource is ActivityResource.MEMBERSHIP else entry.resource_id


def _commit(thing_id: str, entries: Sequence[ActivityEntry]) -> Commit:
    first = entries[0]
    task = first.resource is ActivityResource.TASK
    return Commit(
        thing_id=thing_id,
        resource=ActivityResource.TASK if task else ActivityResource.ROOM,
        revision=first.revision,
        at=first.at,
        entries=tuple(entries),
        counted=_counted(first) if task else Counted.NEITHER,
        gone=first.version is None,
        kept_from=first.at,
    )


def _counted(entry: ActivityEntry) -> Counted | None:
    """None: as before. An entry has only what changed."""
    if entry.action in _COUNTED_NOWHERE:
        return Counted.NEITHER
    _, status = entry.changes.get("status", (None, None))
    return None if status is None else counted_as(TaskStatus(status))

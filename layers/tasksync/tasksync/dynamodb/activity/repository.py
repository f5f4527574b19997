"""The activity table: the audit trails of rooms, one partition each, in the order of time.

Only the activity function writes here. An entry that is written again is written with the same bytes under the same
key, so writes need no condition and go 25 at a time.
"""

import json
from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.model import times
from tasksync.model.entities import ActivityAction, ActivityEntry, ActivityResource, Page
from tasksync.runtime.settings import settings


class _ByActor(GlobalSecondaryIndex["ActivityItem"]):
    class Meta:
        index_name = "by_actor"
        projection = KeysOnlyProjection()

    actor_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class ActivityItem(SharedModel):
    class Meta:
        table_name = settings.activity_table

    room_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor_id = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    resource = UnicodeAttribute()
    resource_id = UnicodeAttribute()
    changes = UnicodeAttribute()
    """JSON: by field, the old value and the new one."""
    request_id = UnicodeAttribute(null=True)
    previous = UnicodeAttribute()
    """JSON: a list of ids."""
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after."""
    by_actor = _ByActor()

    @classmethod
    def of(cls, entry: ActivityEntry, retention: timedelta) -> "ActivityItem":
        return cls(
            entry.room_id,
            entry.id,
            at=times.timestamp(entry.at),
            actor_id=entry.actor_id,
            action=entry.action.value,
            resource=entry.resource.value,
            resource_id=entry.resource_id,
            changes=json.dumps(entry.changes, ensure_ascii=False),
            request_id=entry.request_id,
            previous=json.dumps(entry.previous),
            expires_at=int((entry.at + retention).timestamp()),
        )

    def entity(self) -> ActivityEntry:
        return ActivityEntry(
            id=self.entry_id,
            room_id=self.room_id,
            at=times.parse(self.at),
            actor_id=self.actor_id,
            action=ActivityAction(self.action),
            resource=ActivityResource(self.resource),
            resource_id=self.resource_id,
            changes={name: (old, new) for name, (old, new) in json.loads(self.changes).items()},
            request_id=self.request_id,
            previous=tuple(json.loads(self.previous)),
        )


class ActivityRepository:
    """Audit trails."""

    def record(self, entries: Iterable[ActivityEntry], retention: timedelta) -> None:
        """Write entries, which expire after ``retention``. Existing entries stay unchanged."""
        items = {(entry.room_id, entry.id): ActivityItem.of(entry, retention) for entry in entries}
        with ActivityItem.batch_write() as batch:
            for item in items.values():
                batch.save(item)

    def page(self, room_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """Newest first. One round trip, so at most 1 MB: of entries with long texts, fewer than ``limit``."""
        beyond = None if after is None else ActivityItem.entry_id < after
        query = ActivityItem.query(room_id, beyond, scan_index_forward=False, page_size=limit + 1)
        read = next(query.page_iter)
        entries = [ActivityItem.from_raw_data(raw).entity() for raw in read["Items"][:limit]]
        more = len(read["Items"]) > limit or "LastEvaluatedKey" in read
        return Page(entries, entries[-1].id if more else None)

    def done_by(self, user_id: str, limit: int, after: str | None) -> Page[ActivityEntry]:
        """What a person did, in whichever room, oldest first: without any right to see it.

        Found in an index that may be some milliseconds behind: two round trips.
        """
        beyond = None if after is None else ActivityItem.entry_id > after
        read = next(ActivityItem.by_actor.query(user_id, beyond, page_size=limit).page_iter)
        keys = [(raw["room_id"]["S"], raw["entry_id"]["S"]) for raw in read["Items"]]
        found = [item.entity() for item in ActivityItem.batch_get(keys, consistent_read=True)]
        last = read.get("LastEvaluatedKey")
        return Page(sorted(found, key=lambda entry: entry.id), None if last is None else last["entry_id"]["S"])

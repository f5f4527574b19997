"""The items of the log table. A log is one partition: its entries, its head, and a marker for each of its things."""

import json
from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tasksync.dynamodb.change_log.decoder import ENTRY
from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.core.unfinished import Unfinished
from tasksync.model import times
from tasksync.model.change_log import Counted, Head, Marker
from tasksync.model.entities import ActivityEntry
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

HEAD = "head"
MARKER = "v#"

_DIGITS = 12


class _ByActor(GlobalSecondaryIndex["LogItem"]):
    class Meta:
        index_name = "by_actor"
        projection = KeysOnlyProjection()

    actor_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class LogItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.log_table

    owner_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute(null=True)
    """In seconds since 1970. DynamoDB deletes the item some time after."""
    by_actor = _ByActor()


class EntryItem(LogItem):
    entry_id = UnicodeAttribute()
    at = UnicodeAttribute()
    actor_id = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    resource = UnicodeAttribute()
    resource_id = UnicodeAttribute()
    changes = UnicodeAttribute()
    """JSON: by field, the old value and the new one."""
    request_id = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    version = NumberAttribute(null=True)

    @classmethod
    def of(cls, entry: ActivityEntry, expires_at: datetime) -> "EntryItem":
        return cls(
            entry.owner_id,
            entry_item(entry.seq),
            entry_id=entry.id,
            at=times.timestamp(entry.at),
            actor_id=entry.actor_id,
            action=entry.action.value,
            resource=entry.resource.value,
            resource_id=entry.resource_id,
            changes=json.dumps(entry.changes, ensure_ascii=False),
            request_id=entry.request_id,
            revision=entry.revision,
            version=entry.version,
            expires_at=int(expires_at.timestamp()),
        )


class HeadItem(LogItem):
    seq = NumberAttribute()
    open = NumberAttribute()
    completed = NumberAttribute()
    adopted = UnicodeAttribute(null=True)
    unfinished = UnicodeAttribute(null=True)
    """``Unfinished.LOG`` from when the log's user was deleted; absent before, and of rooms."""
    updated_at = UnicodeAttribute(null=True)
    """With ``unfinished``: when the last entry was appended."""

    @classmethod
    def of(cls, log_id: str, head: Head) -> "HeadItem":
        to_be_purged = head.expires_at is not None and not is_room_id(log_id)
        return cls(
            log_id,
            HEAD,
            unfinished=Unfinished.LOG.value if to_be_purged else None,
            updated_at=times.timestamp(times.now()) if to_be_purged else None,
            seq=head.seq,
            open=head.open,
            completed=head.completed,
            adopted=head.adopted,
            expires_at=_seconds(head.expires_at),
        )

    def entity(self) -> Head:
        return Head(
            seq=int(self.seq),
            open=int(self.open),
            completed=int(self.completed),
            adopted=self.adopted,
            expires_at=_time(self.expires_at),
        )


class MarkerItem(LogItem):
    revision = NumberAttribute()
    version = NumberAttribute(null=True)
    counted = UnicodeAttribute(null=True)
    """``Counted``; absent: neither."""

    @classmethod
    def of(cls, log_id: str, thing_id: str, marker: Marker) -> "MarkerItem":
        return cls(
            log_id,
            MARKER + thing_id,
            revision=marker.revision,
            version=marker.version,
            counted=None if marker.counted is Counted.NEITHER else marker.counted.value,
            expires_at=_seconds(marker.expires_at),
        )

    def entity(self) -> Marker:
        counted = self.attribute_values.get("counted", Counted.NEITHER.value)
        return Marker(int(self.revision), _number(self, "version"), Counted(counted), _time(self.expires_at))


def entry_item(seq: int) -> str:
    """The sort key of an entry."""
    return f"{ENTRY}{seq:0{_DIGITS}}"


def log_key(log_id: str, item: str) -> Raw:
    return {"owner_id": {"S": log_id}, "item": {"S": item}}


def _number(item: LogItem, name: str) -> int | None:
    """An attribute that may be absent."""
    value = item.attribute_values.get(name)
    return None if value is None else int(value)


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)

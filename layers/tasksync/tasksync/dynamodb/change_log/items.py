"""The items of the log table. A log is one partition: its entries, its head, and a marker for each of its things."""

import json
from datetime import UTC, datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tasksync.dynamodb.change_log.decoder import ENTRY
from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.core.unfinished import Unfinished
from tasksync.model import times
from tasksync.model.change_log import RECORDS_END, Counted, Head, LogEntry, Marker
from tasksync.model.entities import ActivityEntry
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

MARKER = "v#"
EPOCH = "epoch"
"""Owner and attribute of the item, a ``HEAD`` beside those of logs, that says which epoch it is. Absent: 0."""

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


class HeadItem(LogItem):
    seq = NumberAttribute()
    open = NumberAttribute()
    completed = NumberAttribute()
    adopted = UnicodeAttribute(null=True)
    unfinished = UnicodeAttribute(null=True)
    """``Unfinished.LOG`` from when the log's user was deleted; absent before, and of rooms."""
    updated_at = UnicodeAttribute(null=True)
    """With ``unfinished``: when the last entry was appended."""
    changed_at = UnicodeAttribute(null=True)
    """When the oldest change that was appended last was made. Absent, if the last write of this item did not append."""
    webhooks = UnicodeAttribute(null=True)
    """``HAS_WEBHOOKS``, or absent (``webhook_mark.py``)."""

    @classmethod
    def actions(cls, log_id: str, head: Head) -> list[Action]:
        """Of an update."""
        at = head.changed_at
        to_be_purged = head.expires_at is not None and not is_room_id(log_id)
        marks = [cls.unfinished.set(Unfinished.LOG.value), cls.updated_at.set(times.timestamp(times.now()))]
        return [
            *(marks if to_be_purged else []),
            cls.seq.set(head.seq),
            cls.open.set(head.open),
            cls.completed.set(head.completed),
            cls.adopted.remove() if head.adopted is None else cls.adopted.set(head.adopted),
            cls.changed_at.remove() if at is None else cls.changed_at.set(times.timestamp(at)),
            *([] if head.expires_at is None else [cls.expires_at.set(int(head.expires_at.timestamp()))]),
        ]

    def entity(self) -> Head:
        changed_at = self.attribute_values.get("changed_at")
        return Head(
            seq=int(self.seq),
            open=int(self.open),
            completed=int(self.completed),
            adopted=self.adopted,
            expires_at=_time(self.expires_at),
            changed_at=None if changed_at is None else times.parse(changed_at),
        )


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

    # What the head and the marker become with this entry.
    open = NumberAttribute()
    completed = NumberAttribute()
    adopted = UnicodeAttribute(null=True)
    head_expires_at = NumberAttribute(null=True)
    counted = UnicodeAttribute(null=True)
    """``Counted``; absent: neither."""
    gone = BooleanAttribute(null=True)
    """True, or absent."""

    lost_by = UnicodeSetAttribute(null=True)
    """Who was in a room when an admin deleted it."""

    @classmethod
    def of(cls, appended: LogEntry) -> "EntryItem":
        entry, head = appended.entry, appended.head
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
            expires_at=_seconds(appended.expires_at),
            open=head.open,
            completed=head.completed,
            adopted=head.adopted,
            head_expires_at=_seconds(head.expires_at),
            counted=_name(appended.counted),
            gone=appended.gone or None,
            lost_by=set(appended.lost_by) or None,
        )

    def log_entry(self, entry: ActivityEntry) -> LogEntry:
        """``entry``: this one, decoded."""
        head = Head(
            seq=entry.seq,
            open=int(self.open),
            completed=int(self.completed),
            adopted=self.adopted,
            expires_at=_time(self.head_expires_at),
            changed_at=entry.at,
        )
        return LogEntry(
            entry=entry,
            expires_at=datetime.fromtimestamp(int(self.expires_at or 0), UTC),
            head=head,
            counted=_counted(self),
            gone=bool(self.gone),
            lost_by=frozenset(self.lost_by or ()),
        )


class MarkerItem(LogItem):
    revision = NumberAttribute()
    counted = UnicodeAttribute(null=True)
    """``Counted``; absent: neither."""
    seq = NumberAttribute()
    missing_since = UnicodeAttribute(null=True)
    """Since when the thing was seen to be missing, though the log does not say that it is gone."""

    @classmethod
    def of(cls, appended: LogEntry) -> "MarkerItem":
        """After this entry, which has a revision."""
        return cls(
            appended.entry.owner_id,
            MARKER + appended.thing_id,
            revision=appended.entry.revision,
            counted=_name(appended.counted),
            seq=appended.entry.seq,
            expires_at=_seconds(times.now() + RECORDS_END if appended.gone else None),
        )

    def entity(self) -> Marker:
        return Marker(int(self.revision), _counted(self), int(self.seq), _time(self.expires_at))


def missing_since(marker: Raw) -> datetime | None:
    """``MarkerItem.missing_since``. Raises ``ValueError`` if it is no time."""
    text = text_of(marker, "missing_since")
    return None if text is None else times.parse(text)


def entry_item(seq: int) -> str:
    """The sort key of an entry."""
    return f"{ENTRY}{seq:0{_DIGITS}}"


def log_key(log_id: str, item: str) -> Raw:
    return {"owner_id": {"S": log_id}, "item": {"S": item}}


def _counted(item: LogItem) -> Counted:
    return Counted(item.attribute_values.get("counted", Counted.NEITHER.value))


def _name(counted: Counted) -> str | None:
    return None if counted is Counted.NEITHER else counted.value


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)

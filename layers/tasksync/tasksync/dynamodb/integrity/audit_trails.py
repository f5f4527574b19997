"""Audit trails, as the auditor checks them: which entries are missing."""

from collections.abc import Iterable

from tasksync.dynamodb.activity.repository import ActivityItem
from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.rooms.items import ROOM_ITEM
from tasksync.integrity.snapshot import EntrySnapshot, TrailSnapshot
from tasksync.model.activity import Version, number_of
from tasksync.model.entities import ActivityEntry, ActivityResource
from tasksync.runtime.settings import settings

Key = tuple[str, str]


def trails_of(versions: Iterable[Version]) -> dict[str, TrailSnapshot]:
    """For each room or task, which entries of its latest change are missing."""
    expected = {version.task_id or version.room_id: version for version in versions}
    there = _entries((version.room_id, each) for version in expected.values() for each in version.entry_ids)
    return {
        subject: TrailSnapshot(
            version.at, tuple(each for each in version.entry_ids if (version.room_id, each) not in there)
        )
        for subject, version in expected.items()
    }


def read_entry(raw: Raw) -> tuple[ActivityEntry, ActivityItem]:
    item = ActivityItem.from_raw_data(raw)
    return item.entity(), item


def entry_snapshots(entries: list[tuple[ActivityEntry, ActivityItem]]) -> list[EntrySnapshot]:
    """A snapshot of each entry: missing entries of the previous change, and the current version of its subject."""
    there = _entries((entry.room_id, each) for entry, _ in entries for each in entry.previous)
    versions = _versions([entry for entry, _ in entries])
    return [
        EntrySnapshot(
            room_id=entry.room_id,
            entry_id=entry.id,
            number=number_of(entry.id),
            retention_seconds=int(item.expires_at) - int(entry.at.timestamp()),
            missing=tuple(each for each in entry.previous if (entry.room_id, each) not in there),
            version=versions.get(_subject(entry)),
        )
        for entry, item in entries
    ]


def _subject(entry: ActivityEntry) -> Key:
    return entry.room_id, entry.resource_id if entry.resource is ActivityResource.TASK else ""


def _versions(entries: list[ActivityEntry]) -> dict[Key, int]:
    """The versions of those rooms and tasks that still exist."""
    subjects = {_subject(entry) for entry in entries}
    tasks = _found(settings.tasks_table, ("owner_id", "item"), [each for each in subjects if each[1]])
    rooms = _found(
        settings.rooms_table, ("room_id", "item"), [(room, ROOM_ITEM) for room, task in subjects if not task]
    )
    versions = {key: int(raw["version"]["N"]) for key, raw in tasks.items()}
    return versions | {(room_id, ""): int(raw["version"]["N"]) for (room_id, _), raw in rooms.items()}


def _entries(keys: Iterable[Key]) -> set[Key]:
    """The keys of those entries that exist."""
    return set(_found(settings.activity_table, ("room_id", "entry_id"), list(dict.fromkeys(keys))))


def _found(table: str, names: Key, keys: list[Key]) -> dict[Key, Raw]:
    """The existing items among these keys, by key, read consistently."""
    partition, sort = names
    wanted = ({partition: {"S": one}, sort: {"S": two}} for one, two in keys)
    return {(raw[partition]["S"], raw[sort]["S"]): raw for raw in get_many(table, wanted)}

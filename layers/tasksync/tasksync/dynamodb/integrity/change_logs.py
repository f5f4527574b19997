"""Change logs, as the auditor checks them: entries without a gap, and how far the log is with each thing."""

from collections.abc import Iterable

from tasksync.dynamodb.change_log.decoder import ENTRY, HEAD, entry_of, seq_of
from tasksync.dynamodb.change_log.items import (
    EPOCH,
    MARKER,
    HeadItem,
    MarkerItem,
    entry_item,
    log_key,
    missing_since,
)
from tasksync.dynamodb.change_log.things import there
from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw
from tasksync.integrity.snapshot import EntrySnapshot, LoggedSnapshot, MissingSnapshot
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.change_log import Head, Marker
from tasksync.runtime.settings import settings


def logged(versions: Iterable[Version]) -> dict[str, LoggedSnapshot]:
    """By thing id, how far the log is with these things. The markers are read after the things."""
    by_key = {(version.owner_id, MARKER + version.thing_id): version for version in versions}
    found = _items(by_key)
    return {
        version.thing_id: LoggedSnapshot(
            version.at,
            version.revision,
            version.counted,
            _marker(found[key]) if key in found else None,
        )
        for key, version in by_key.items()
    }


def read_item(raw: Raw) -> Raw:
    """The item, if it can be read."""
    item = raw["item"]["S"]
    if raw["owner_id"]["S"] == EPOCH:
        int(raw[EPOCH]["N"])
    elif item == HEAD:
        HeadItem.from_raw_data(raw).entity()
    elif item.startswith(MARKER):
        _marker(raw)
        missing_since(raw)
    else:
        entry_of(raw)
    return raw


def entry_snapshots(raws: Iterable[Raw]) -> list[EntrySnapshot]:
    """The entries among these items, each with the one after it and the head, which are read later than the entries."""
    entries = [raw for raw in raws if raw["item"]["S"].startswith(ENTRY)]
    keys = {(raw["owner_id"]["S"], seq_of(raw["item"]["S"])): raw for raw in entries}
    following = {(log_id, entry_item(seq + 1)) for log_id, seq in keys}
    found = _items(following | {(log_id, HEAD) for log_id, _ in keys})
    heads = {log_id: HeadItem.from_raw_data(raw).entity() for (log_id, item), raw in found.items() if item == HEAD}
    now = times.now().timestamp()
    return [
        EntrySnapshot(
            log_id=log_id,
            seq=seq,
            at=times.parse(raw["at"]["S"]),
            live=int(raw["expires_at"]["N"]) > now,
            followed=(log_id, entry_item(seq + 1)) in found,
            head=heads.get(log_id, Head()).seq,
        )
        for (log_id, seq), raw in keys.items()
    ]


def missing_snapshots(raws: Iterable[Raw]) -> list[MissingSnapshot]:
    """Of the markers among these items that a migration has noted as those of missing things, as far as these still
    are missing.
    """
    noted = {
        (raw["owner_id"]["S"], raw["item"]["S"].removeprefix(MARKER)): since
        for raw in raws
        if (since := missing_since(raw)) is not None
    }
    found = there(noted)
    return [MissingSnapshot(*thing, since) for thing, since in noted.items() if thing not in found]


def _marker(raw: Raw) -> Marker:
    return MarkerItem.from_raw_data(raw).entity()


def _items(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Raw]:
    """The existing items of logs among these keys, by key, read consistently."""
    found = get_many(settings.log_table, [log_key(*key) for key in keys])
    return {(raw["owner_id"]["S"], raw["item"]["S"]): raw for raw in found}

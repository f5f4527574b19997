"""Reads items of any table by their keys: those that the auditor's snapshots are of, or refer to."""

from collections.abc import Iterable

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.rooms.items import CODE, ROOM_ITEM, CodeItem
from tasksync.dynamodb.rooms.memberships import MEMBER
from tasksync.runtime.settings import settings


def item_at(table: str, *key: str) -> tuple[str, list[Raw]]:
    """The table and, in a list, the item with this key, if there is one."""
    return table, list(items_by_id(table, [key]).values())


def rooms_by_id(room_ids: Iterable[str]) -> dict[str, Raw]:
    return items_by_id(settings.rooms_table, [(room_id, ROOM_ITEM) for room_id in room_ids])


def join_ids(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """The join ids of those pairs of room and user that are memberships."""
    raws = items_at(settings.rooms_table, [(room_id, MEMBER + user_id) for room_id, user_id in pairs])
    return {(raw["room_id"]["S"], raw["item"]["S"].removeprefix(MEMBER)): text_of(raw, "join_id") for raw in raws}


def codes_by_id(codes: Iterable[str]) -> dict[str, Raw]:
    return items_by_id(settings.rooms_table, [(CodeItem.at(code).room_id, CODE) for code in codes])


def users_by_id(keys: Iterable[str]) -> dict[str, Raw]:
    return items_by_id(settings.users_table, [(key,) for key in keys])


def items_by_id(table: str, keys: Iterable[tuple[str, ...]]) -> dict[str, Raw]:
    """As ``items_at``, by partition key."""
    return {raw[key_names(table)[0]]["S"]: raw for raw in items_at(table, keys)}


def items_at(table: str, keys: Iterable[tuple[str, ...]]) -> list[Raw]:
    """The existing items among these keys, read consistently."""
    names = key_names(table)
    return get_many(table, ({name: {"S": part} for name, part in zip(names, key, strict=True)} for key in keys))


def key_names(table: str) -> tuple[str, ...]:
    """The attributes of a table's keys."""
    return {
        settings.idempotency_table: ("receipt_id",),
        settings.log_table: ("owner_id", "item"),
        settings.tasks_table: ("owner_id", "item"),
        settings.sessions_table: ("session_id",),
        settings.rooms_table: ("room_id", "item"),
        settings.webhooks_table: ("room_id", "item"),
        settings.live_table: ("live_id",),
        settings.users_table: ("user_id",),
    }[table]

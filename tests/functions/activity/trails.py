"""Change logs as tests look at them."""

from typing import Any

from tests.support.client import Client
from tests.support.product import Product

Json = dict[str, Any]

FUNCTION = "ActivityFunction"


def trail(person: Client, room: Any) -> list[Json]:
    """All entries of a room, oldest first."""
    return person.list(f"/rooms/{room['id']}/activity")[::-1]


def own(person: Client) -> list[Json]:
    """All entries of a person's own log, oldest first."""
    return person.list("/users/me/activity")[::-1]


def stored(product: Product, owner: str = "room_") -> list[Json]:
    """All entries of the logs whose ids begin with ``owner``, as they are stored, log by log, oldest first."""
    items = [
        item
        for item in product.items("LogTable")
        if item["item"].startswith("c#") and item["owner_id"].startswith(owner)
    ]
    return sorted(items, key=lambda item: (item["owner_id"], item["item"]))


def head(product: Product, room: Any) -> Json:
    """The numbers in the head of a room's log."""
    [found] = [each for each in product.items("LogTable") if (each["owner_id"], each["item"]) == (room["id"], "head")]
    return {name: int(value) for name, value in found.items() if name not in ("owner_id", "item", "changed_at")}


def markers(product: Product, owner: str = "room_") -> dict[str, Json]:
    """By the id of the room or task, how far its log is with it, without the number of the last entry about it.

    ``owner``: how the ids of the logs begin.
    """
    items = [
        item
        for item in product.items("LogTable")
        if item["item"].startswith("v#") and item["owner_id"].startswith(owner)
    ]
    return {
        item["item"].removeprefix("v#"): {name: item[name] for name in item.keys() - {"owner_id", "item", "seq"}}
        for item in items
    }


def deeds(entries: list[Json]) -> list[tuple[str, str]]:
    return [(entry["action"], entry["resource"]) for entry in entries]


def about(entries: list[Json], resource_id: str) -> list[Json]:
    return [entry for entry in entries if entry["resource_id"] == resource_id]


def new(**values: str) -> Json:
    """The changes of what is made."""
    return {name: {"old": None, "new": value} for name, value in values.items()}


def changed(**values: tuple[str | None, str | None]) -> Json:
    """The changes of what is changed."""
    return {name: {"old": old, "new": new} for name, (old, new) in values.items()}


def gone(**values: str) -> Json:
    """The changes of what is deleted."""
    return {name: {"old": value, "new": None} for name, value in values.items()}

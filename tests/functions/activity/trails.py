"""Audit trails as tests look at them."""

from typing import Any

from tests.support.client import Client

Json = dict[str, Any]

FUNCTION = "ActivityFunction"


def trail(person: Client, room: Any) -> list[Json]:
    """All entries of a room, oldest first."""
    return person.list(f"/rooms/{room['id']}/activity")[::-1]


def deeds(entries: list[Json]) -> list[tuple[str, str]]:
    return [(entry["action"], entry["resource"]) for entry in entries]


def about(entries: list[Json], resource_id: str) -> list[Json]:
    return [entry for entry in entries if entry["resource_id"] == resource_id]


def new(**values: str) -> Json:
    """The changes of what is made."""
    return {name: {"old": None, "new": value} for name, value in values.items()}


def gone(**values: str) -> Json:
    """The changes of what is deleted."""
    return {name: {"old": value, "new": None} for name, value in values.items()}

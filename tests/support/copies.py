"""Copies that clients of ``/sync`` keep, and what the routes show of the same."""

from typing import Any

from tests.support.client import Person
from tests.support.documents import defined

Json = dict[str, Any]

GUIDE = defined("docs/guides/sync.md", "python sync")
"""The code of the guide for clients: ``empty``, ``apply``, ``sync``."""

PARTS = ("rooms", "members", "labels", "tasks", "users")


def held_for(person: Person) -> Json:
    """What the routes show a person, in the form of a copy."""
    rooms = {each["id"]: person.get(f"/rooms/{each['id']}").json() for each in person.list("/rooms", limit=100)}
    tasks = person.list("/tasks", sort="rank", limit=100)
    for room_id in rooms:
        tasks += person.list(f"/rooms/{room_id}/tasks", limit=100)
    me = person.get("/users/me").json()
    return {
        "rooms": rooms,
        "members": {room_id: person.list(f"/rooms/{room_id}/users", limit=100) for room_id in rooms},
        "labels": {},
        "tasks": {each["id"]: whole(person, each) for each in tasks},
        "users": {me["id"]: me},
    }


def whole(person: Person, listed: Json) -> Json:
    """A task of a list with all of its description."""
    found: Json = person.get(f"/tasks/{listed['id']}").json() if "description_excerpt" in listed else listed
    return found


def difference(found: Json, held: Json) -> str:
    """What is not the same in two copies, a line for each thing; empty if there is none."""
    keys = [(part, key) for part in PARTS for key in {**found[part], **held[part]}]
    unlike = [(part, key) for part, key in keys if found[part].get(key) != held[part].get(key)]
    return "\n".join(f"{part}, {key}:\n  {found[part].get(key)}\n  {held[part].get(key)}" for part, key in unlike)

"""The clients that docs/guides/sync.md shows in Python, as they stand there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.service import Service, eventually
from tests.support.client import Person
from tests.support.copies import difference, held_for
from tests.support.documents import blocks, defined

PAGE = "docs/guides/sync.md"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What the page defines, beside the client that it refers to."""
    return {
        **defined("docs/guides/integrate.md", "python client"),
        **defined(PAGE, "python sync"),
        **defined(PAGE, "python changes"),
    }


def test_the_loop_keeps_a_copy_from_one_start_of_the_program_to_the_next(
    service: Service, shown: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room, other = ann.open_room(name="Office move"), bob.open_room(name="Party")
    tasks = [ann.plan(title=f"Task {number}", room_id=room["id"]) for number in range(3)]
    ann.plan(title="Personal")
    ann.join(other)
    monkeypatch.chdir(tmp_path)

    assert eventually(lambda: _run(service, shown, ann) == held_for(ann))

    bob.join(room)
    bob.patch("/users/me", json={"username": f"{bob.username}-2"})
    bob.patch(f"/tasks/{tasks[0]['id']}", json={"title": "Measure the rooms", "description": "Oak " * 200})
    bob.post(f"/tasks/{tasks[2]['id']}/move", json={"after": None})
    ann.delete(f"/tasks/{tasks[1]['id']}")
    bob.delete(f"/rooms/{other['id']}/users/{ann.id}")

    # The routes show counts that are some moments late, too.
    assert eventually(lambda: _run(service, shown, ann) == held_for(ann)), difference(
        _run(service, shown, ann), held_for(ann)
    )
    held = held_for(ann)
    assert [*held["rooms"]] == [room["id"]]
    assert len(held["tasks"]) == 3


def test_changes_of_a_room_come_in_their_order(service: Service, shown: dict[str, Any]) -> None:
    ann = service.register("ann")
    room = ann.open_room()
    client = shown["TaskSync"](service.addresses.api_url, ann.username, ann.password)
    client.sign_in()
    reported: list[tuple[str, Any]] = []

    def handle(change: dict[str, Any], thing: dict[str, Any] | None) -> None:
        if change["type"] == "task":
            reported.append((change["op"], thing and thing["title"]))

    cursor = shown["follow"](client, room["id"], None, handle)
    task = ann.plan(title="Order the desks", room_id=room["id"])
    ann.patch(f"/tasks/{task['id']}", json={"title": "Order the chairs"})
    ann.delete(f"/tasks/{ann.plan(title='Hire a van', room_id=room['id'])['id']}")

    def all_reported() -> bool:
        nonlocal cursor
        cursor = shown["follow"](client, room["id"], cursor, handle)
        return len(reported) >= 4

    assert eventually(all_reported)
    client.http.close()
    assert reported == [
        ("created", "Order the chairs"),
        ("updated", "Order the chairs"),
        ("created", None),
        ("trashed", None),
    ]


def _run(service: Service, shown: dict[str, Any], person: Person) -> dict[str, Any]:
    """The copy of a program that does what the page shows, started once; without the cursor."""
    [source] = blocks(PAGE, "python use")
    names = dict(shown)
    written = source.replace("http://127.0.0.1:8000", service.addresses.api_url)
    written = written.replace('"eve"', json.dumps(person.username))
    written = written.replace('"violet kettle drum 17"', json.dumps(person.password))
    exec(compile(written, PAGE, "exec"), names)  # noqa: S102  # the example under test
    names["client"].http.close()
    copy: dict[str, Any] = json.loads(Path("copy.json").read_text(encoding="utf-8"))
    assert copy.pop("cursor")
    return copy

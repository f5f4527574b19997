"""How many tasks a room shows: counted by its change log, in every response that shows a room."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.client import Person, Response
from tests.support.clock import Clock
from tests.support.product import Product
from tests.support.tables import change

ZEROS = {"open": 0, "completed": 0}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _counts(product: Product, person: Person, room: Any) -> tuple[int, int]:
    product.deliver()
    tasks = person.get(f"/rooms/{room['id']}").json()["tasks"]
    return tasks["open"], tasks["completed"]


def test_every_response_that_shows_a_room_has_its_counts(product: Product) -> None:
    ann, bob, cleo = (product.register(name) for name in ("ann", "bob", "cleo"))
    room, other = ann.open_room(), ann.open_room()
    path = f"/rooms/{room['id']}"
    for status in ("pending", "in progress", "completed"):
        ann.plan(room_id=room["id"], status=status)
    ann.plan(room_id=other["id"])
    ann.plan()
    product.deliver()

    joined = bob.post("/rooms/join", json={"code": room["code"]}).json()
    ann.post(f"{path}/users", json={"user_id": cleo.id, "role": "viewer"})
    single = [person.get(path).json() for person in (ann, bob, cleo)]
    changed = [
        ann.patch(path, json={"name": "Desks"}).json(),
        ann.put(path, json={"join_role": None}).json(),
        ann.post(f"{path}/code").json(),
    ]
    listed = [person.list("/rooms")[0] for person in (ann, bob, cleo)]
    overviews = [person.get("/", headers={"Cache-Control": "no-cache"}).json()["rooms"][0] for person in (ann, cleo)]
    resolved = cleo.post("/keys/resolve", json={"rooms": [room["id"]]}).json()["rooms"][room["id"]]
    exported = cleo.get("/users/me/export").json()["rooms"][0]

    assert (room["tasks"], other["tasks"]) == (ZEROS, ZEROS)
    shown = [joined, *single, *changed, *listed, *overviews, resolved, exported]
    assert [each["id"] for each in shown] == [room["id"]] * len(shown)
    assert [each["tasks"] for each in shown] == [{"open": 2, "completed": 1}] * len(shown)
    assert [each["tasks"] for each in ann.list("/rooms")] == [{"open": 2, "completed": 1}, {"open": 1, "completed": 0}]


def test_counts_follow_the_life_of_a_task(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    path = f"/tasks/{task['id']}"
    seen = [_counts(product, ann, room)]

    steps: tuple[Callable[[], Response], ...] = (
        lambda: ann.patch(path, json={"status": "in progress"}),
        lambda: bob.patch(path, json={"title": "B", "user_id": "me"}),
        lambda: bob.post(f"{path}/move", json={"after": None, "status": "completed"}),
        lambda: ann.delete(path),
        lambda: ann.post(f"{path}/restore"),
        lambda: ann.patch(path, json={"status": "pending"}),
        lambda: bob.delete(f"/rooms/{room['id']}/users/me"),  # whose assignment ends
        lambda: ann.delete(path),
        lambda: ann.delete(f"/rooms/{room['id']}/trash/{task['id']}"),
    )
    for step in steps:
        assert step().status < 300
        seen.append(_counts(product, ann, room))

    opened, completed, gone = (1, 0), (0, 1), (0, 0)
    assert seen == [opened, opened, opened, completed, gone, completed, opened, opened, gone, gone]


def test_counts_change_the_tag_and_not_the_version(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    path = f"/rooms/{room['id']}"
    product.deliver()
    tag = ann.get(path).headers["ETag"]
    assert ann.get(path, headers={"If-None-Match": tag}).status == 304

    ann.plan(room_id=room["id"])
    product.deliver()
    counted = ann.get(path, headers={"If-None-Match": tag})
    renamed = ann.patch(path, json={**room, "name": "Desks"}, headers={"If-Match": tag})

    assert (counted.status, counted.json()) == (200, {**room, "tasks": {"open": 1, "completed": 0}})
    assert counted.headers["ETag"] != tag
    assert (renamed.status, renamed.tagged_version, renamed.json()["tasks"]["open"]) == (200, 2, 1)


@pytest.mark.parametrize("tasks", [ZEROS, {"open": 7, "completed": -1}, None, "many", []])
def test_counts_in_a_change_are_ignored(product: Product, tasks: Any) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    for method in ("PUT", "PATCH"):
        response = ann.request(method, f"/rooms/{room['id']}", json={**room, "tasks": tasks})
        assert (response.status, response.json()) == (200, room)


def test_counts_are_unknown_until_the_log_of_a_room_has_begun(product: Product, clock: Clock) -> None:
    """Zeros would be wrong for a room with tasks from a version without logs. A new room has none."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    path = f"/rooms/{room['id']}"

    new = [ann.get(path).json(), *ann.list("/rooms")]
    clock.pass_by(601)
    old = [ann.get(path).json(), *ann.list("/rooms"), bob.join(room)]
    product.deliver()
    change(product.aws, "LogTable", {"owner_id": room["id"], "item": "head"}, adopted="01a1fc4cc02b-x-00000002")
    in_between = [ann.get(path).json(), *ann.list("/rooms")]

    assert [each["tasks"] for each in new] == [ZEROS, ZEROS]
    assert [each["tasks"] for each in [*old, *in_between]] == [None] * 5

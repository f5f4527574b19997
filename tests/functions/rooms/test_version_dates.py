"""The versions of a room are dated in their order, and its trail is in that order, whatever the clocks say."""

import itertools
from collections.abc import Callable

import pytest

from tests.functions.activity.trails import stored, trail
from tests.support.client import Response
from tests.support.clock import Clock
from tests.support.product import Product


@pytest.mark.parametrize("seconds", [-3600, 0])
def test_version_dates_of_a_room_never_decrease(
    product: Product, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    clock = Clock(monkeypatch)
    room = ann.open_room(name="0")
    path = f"/rooms/{room['id']}"
    changes: list[Callable[[], Response]] = [
        lambda: bob.post("/rooms/join", json={"code": room["code"]}),
        lambda: ann.post(f"{path}/users", json={"user_id": cleo.id}),
        lambda: ann.patch(path, json={"name": "1"}),
        lambda: ann.post(f"{path}/code"),
        lambda: ann.patch(f"{path}/users/{bob.id}", json={"role": "admin"}),
        lambda: cleo.delete(f"{path}/users/{cleo.id}"),
        lambda: ann.delete(f"{path}/users/{bob.id}"),
        lambda: ann.post(f"{path}/users", json={"user_id": bob.id, "role": "admin"}),
        lambda: bob.delete("/users/me"),
        lambda: ann.post(f"{path}/users", json={"user_id": cleo.id}),
    ]
    clock.pass_by(seconds)

    versions = [ann.get(path).json()]
    for change in changes:
        assert change().status < 300
        versions.append(ann.get(path).json())
    product.deliver()
    entries = [entry for entry in trail(ann, room) if entry["resource"] in ("room", "membership")]

    assert [version["version"] for version in versions] == list(range(1, len(changes) + 2))
    times = [version["updated_at"] for version in versions]
    assert times == sorted(set(times))
    assert [entry["at"] for entry in entries] == times
    deeds = [(entry["action"], entry["resource_id"]) for entry in entries]
    assert deeds[1:3] == [("created", bob.id), ("created", cleo.id)]
    assert deeds[-2:] == [("deleted", bob.id), ("created", cleo.id)]
    joined = [member["joined_at"] for member in ann.list(f"{path}/users")]
    assert all(earlier <= later for earlier, later in itertools.pairwise(joined))


def test_the_last_admin_rule_holds_with_any_clock_skew(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/users/{ann.id}"
    Clock(monkeypatch).pass_by(-3600)

    responses = [ann.delete(path), ann.patch(path, json={"role": "member"})]

    assert [(response.status, response.json()["code"]) for response in responses] == [(409, "last_admin")] * 2


def test_closing_a_room_is_its_last_version(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    Clock(monkeypatch).pass_by(-3600)

    assert ann.delete(f"/rooms/{room['id']}").status == 204
    product.deliver()

    recorded = sorted(entry["entry_id"] for entry in stored(product))
    assert len(recorded) == 3  # opened, closed, purged
    assert [int(entry.rpartition("-")[2], 16) for entry in recorded] == [1, 2, 3]

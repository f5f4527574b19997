"""A code that a room gave up, or whose room is gone, opens nothing and is nobody else's for 90 days."""

from typing import Any

import pytest

from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.problems import problem
from tests.support.product import Product

DAY = 24 * 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def renew(ann: Person, room: Any) -> None:
    assert ann.post(f"/rooms/{room['id']}/code").status == 200


def close(ann: Person, room: Any) -> None:
    assert ann.delete(f"/rooms/{room['id']}").status == 204


def leave(ann: Person, room: Any) -> None:
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204


@pytest.mark.parametrize("give_up", [renew, close, leave])
def test_a_retired_code_is_reserved_for_ninety_days_and_then_free(product: Product, clock: Clock, give_up: Any) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room(code="GARDEN")
    # The past, so that everybody's tokens are good later.
    clock.pass_by(-90 * DAY)
    give_up(ann, room)
    refused = [bob.post("/rooms", json={"code": "GARDEN"})]
    product.deliver()
    refused += [person.post("/rooms", json={"code": "garden"}) for person in (ann, bob)]
    stray = cleo.post("/rooms/join", json={"code": "GARDEN"})
    clock.pass_by(90 * DAY - 60)
    refused.append(bob.post("/rooms", json={"code": "GARDEN"}))
    clock.pass_by(60)

    still = cleo.post("/rooms/join", json={"code": "GARDEN"})
    reused = bob.post("/rooms", json={"code": "GARDEN"})
    joined = cleo.post("/rooms/join", json={"code": "GARDEN"})

    for response in refused:
        problem(response, 409, "code_taken")
    for response in (stray, still):
        problem(response, 404, "unknown_code")
    assert (reused.status, reused.json()["id"] != room["id"]) == (201, True)
    assert (joined.status, joined.json()["id"]) == (200, reused.json()["id"])


def test_a_room_that_took_a_freed_code_keeps_it_when_its_former_room_is_deleted(product: Product, clock: Clock) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room(code="GARDEN")
    clock.pass_by(-90 * DAY)
    renew(ann, room)
    clock.pass_by(90 * DAY)
    reused = bob.open_room(code="GARDEN")

    leave(ann, room)
    product.deliver()

    assert cleo.join({"code": "GARDEN"})["id"] == reused["id"]

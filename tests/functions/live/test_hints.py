"""Hints: who gets which."""

import json

import pytest

from tests.functions.live.test_connections import stored
from tests.support import tables
from tests.support.clock import Clock
from tests.support.product import Product


def test_every_member_who_is_connected_is_told_once_for_each_batch(product: Product) -> None:
    ann, bob, eve = (product.register(name) for name in ("ann", "bob", "eve"))
    room = ann.open_room()
    bob.join(room)
    product.deliver()
    sockets = [product.connect(ann), product.connect(bob), product.connect(bob)]
    stranger = product.connect(eve)

    for title in ("one", "two"):
        ann.plan(room_id=room["id"], title=title)
    product.deliver()

    assert [socket.taken() for socket in sockets] == 3 * [[{"type": "changed", "room_id": room["id"], "seq": 4}]]
    assert stranger.taken() == []


def test_a_hint_names_no_more_than_the_log_shows(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    socket = product.connect(ann)
    ann.plan(room_id=room["id"])
    product.deliver()

    newest = ann.get(f"/rooms/{room['id']}/activity").json()["items"][0]

    assert max(hint["seq"] for hint in socket.taken() if hint["type"] == "changed") == newest["seq"]


def test_a_removed_member_gets_no_hint_of_a_later_change(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    product.deliver()
    socket = product.connect(bob)
    assert ann.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    product.deliver()
    assert socket.taken() == [{"type": "rooms"}]

    ann.plan(room_id=room["id"])
    product.deliver()

    assert socket.taken() == []


def test_who_is_told_is_read_when_it_is_told(product: Product) -> None:
    """Whoever was removed gets no hint of a change from before, if the hint is sent afterwards."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    product.deliver()
    socket = product.connect(bob)
    ann.plan(room_id=room["id"])
    product.deliver(to="ActivityFunction")
    assert bob.delete(f"/rooms/{room['id']}/users/me").status == 204

    product.deliver(to="LiveFunction")

    assert socket.taken() == []


def test_whoever_gains_or_loses_a_room_is_told_so(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    sockets = [product.connect(ann), product.connect(bob)]

    room = ann.open_room()
    product.deliver()
    assert [{"type": "rooms"} in socket.taken() for socket in sockets] == [True, False]

    assert ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id}).status == 201
    product.deliver()
    assert [{"type": "rooms"} in socket.taken() for socket in sockets] == [False, True]

    assert bob.delete(f"/rooms/{room['id']}/users/me").status == 204
    product.deliver()
    assert [{"type": "rooms"} in socket.taken() for socket in sockets] == [False, True]


def test_everybody_who_was_in_a_room_is_told_that_it_was_deleted(product: Product) -> None:
    ann, bob, eve = (product.register(name) for name in ("ann", "bob", "eve"))
    room = ann.open_room()
    for person in (bob, eve):
        person.join(room)
    assert eve.delete(f"/rooms/{room['id']}/users/me").status == 204
    product.deliver()
    sockets = [product.connect(person) for person in (ann, bob, eve)]

    assert ann.delete(f"/rooms/{room['id']}").status == 204
    product.deliver()

    assert [socket.taken() for socket in sockets] == [[{"type": "rooms"}], [{"type": "rooms"}], []]


def test_the_last_member_is_told_of_the_room_that_ends_with_their_membership(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    socket = product.connect(ann)

    assert ann.delete(f"/rooms/{room['id']}/users/me").status == 204
    product.deliver()

    assert socket.taken() == [{"type": "rooms"}]


def test_an_ended_session_gets_no_hint_even_before_its_connection_is_closed(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    socket = product.connect(ann)
    ann.plan(room_id=room["id"])
    product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})
    product.live.out_of_reach = True
    product.deliver(to="LiveFunction")
    product.live.out_of_reach = False

    product.deliver(to="ActivityFunction")
    product.deliver(to="LiveFunction")

    assert socket.taken() == []


def test_a_connection_that_is_gone_is_forgotten_unless_it_may_still_be_opening(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    product.connect(ann).vanish()

    ann.plan(room_id=room["id"])
    product.deliver()
    assert len(stored(product)) == 1

    clock.pass_by(10)
    ann.plan(room_id=room["id"])
    product.deliver()
    assert stored(product) == set()


def test_a_hint_that_cannot_be_sent_is_not_sent_again(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    socket = product.connect(ann)
    product.live.out_of_reach = True
    ann.plan(room_id=room["id"])

    deliveries = product.deliver()

    product.live.out_of_reach = False
    assert [delivery.failed for delivery in deliveries if delivery.function == "LiveFunction"] == [[]]
    assert socket.taken() == []


def test_a_room_whose_members_cannot_be_read_is_tried_again(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    socket = product.connect(ann)
    ann.plan(room_id=room["id"])
    product.deliver(to="ActivityFunction")
    with product.aws.permissions.outage("RoomsTable"):
        assert any(delivery.failed for delivery in product.deliver(to="LiveFunction"))

    product.deliver(to="LiveFunction")

    assert [hint["type"] for hint in socket.taken()] == ["changed"]


def test_the_epoch_of_all_logs_is_no_log(product: Product) -> None:
    ann = product.register("ann")
    socket = product.connect(ann)
    product.deliver()
    socket.taken()

    tables.put(product.aws, "LogTable", owner_id="epoch", item="head", epoch=1)

    assert not any(delivery.failed for delivery in product.deliver())
    assert socket.taken() == []


def test_the_time_from_a_change_to_its_hints_is_measured(
    product: Product, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(LogLevel="INFO")
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    product.connect(ann)
    ann.plan(room_id=room["id"])
    clock.pass_by(1.5)
    ann.plan(room_id=room["id"])
    clock.pass_by(2)
    capsys.readouterr()

    product.deliver()

    assert _hint_seconds(capsys) == [3.5]


def test_a_write_of_a_head_without_a_new_entry_has_no_hint(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    socket = product.connect(ann)
    product.deliver()

    assert ann.post(f"/rooms/{room['id']}/webhooks", json={"url": "https://example.org/hook"}).status == 201
    deliveries = product.deliver()

    assert "LiveFunction" not in {delivery.function for delivery in deliveries}
    assert socket.taken() == []


def _hint_seconds(capsys: pytest.CaptureFixture[str]) -> list[float]:
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line["hint_seconds"] for line in lines if line["event"] == "hints sent"]

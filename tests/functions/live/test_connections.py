"""Connections: at most 10 for each user, and none without its session."""

import json
from collections.abc import Callable

import pytest

from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.function_calls import call
from tests.support.product import Product

NEW_PASSWORD = "crimson lantern 44 boat"

End = Callable[[Product, Person], int]


def stored(product: Product) -> set[str]:
    """The ids of all stored connections."""
    return {
        connection_id
        for item in product.items("LiveTable")
        for name, connections in item.items()
        if name.startswith("ses_")
        for connection_id in connections
    }


def test_the_eleventh_connection_closes_the_oldest(product: Product) -> None:
    ann = product.register("ann")
    sockets = [product.connect(ann) for _ in range(11)]

    product.deliver()

    assert [socket.open for socket in sockets] == [False] + [True] * 10
    assert stored(product) == {socket.id for socket in sockets if socket.open}


def test_a_connection_that_its_client_closes_is_forgotten(product: Product) -> None:
    ann = product.register("ann")
    first, second = product.connect(ann), product.connect(ann)

    first.close()
    product.deliver()

    assert stored(product) == {second.id}
    assert second.open


def log_out(product: Product, ann: Person) -> int:
    return product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}).status


def end_session(_product: Product, ann: Person) -> int:
    [current] = [each for each in ann.list("/auth/sessions") if each["current"]]
    return ann.delete(f"/auth/sessions/{current['id']}").status


@pytest.mark.parametrize("end", [log_out, end_session])
def test_the_end_of_a_session_closes_its_connections_alone(product: Product, end: End) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username, ann.password)
    ended, kept = [product.connect(ann), product.connect(ann)], product.connect(elsewhere)

    assert end(product, ann) == 204
    product.deliver()

    assert [socket.open for socket in ended] == [False, False]
    assert kept.open
    assert stored(product) == {kept.id}


def end_all_sessions(_product: Product, ann: Person) -> int:
    return ann.delete("/auth/sessions").status


def change_password(_product: Product, ann: Person) -> int:
    body = {"current_password": ann.password, "new_password": NEW_PASSWORD}
    return ann.post("/auth/password", json=body).status


def recover(product: Product, ann: Person) -> int:
    body = {"token": product.recovery_token(ann.username), "new_password": NEW_PASSWORD}
    return product.anonymous.post("/auth/recovery/complete", json=body).status


def delete_account(_product: Product, ann: Person) -> int:
    return ann.delete("/users/me").status


@pytest.mark.parametrize("end", [end_all_sessions, change_password, recover, delete_account])
def test_what_ends_all_sessions_closes_all_connections(product: Product, end: End) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    elsewhere = product.anonymous.sign_in(ann.username, ann.password)
    ended, others = [product.connect(ann), product.connect(elsewhere)], product.connect(bob)

    assert end(product, ann) == 204
    product.deliver()

    assert [socket.open for socket in ended] == [False, False]
    assert others.open
    assert stored(product) == {others.id}


def test_a_stolen_refresh_token_closes_the_connections_of_its_session(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    socket = product.connect(ann)
    stolen = {"refresh_token": ann.refresh_token}
    assert product.anonymous.post("/auth/refresh", json=stolen).status == 200
    clock.pass_by(60)

    assert product.anonymous.post("/auth/refresh", json=stolen).status == 401
    product.deliver()

    assert not socket.open


def test_expired_connections_are_pruned_by_the_next_one(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    old = product.connect(ann)
    clock.pass_by(2 * 3600)

    new = product.connect(ann)
    product.deliver()

    assert stored(product) == {new.id}
    assert not old.open


def test_closing_is_tried_again_until_it_succeeds(product: Product) -> None:
    ann = product.register("ann")
    socket = product.connect(ann)
    product.live.out_of_reach = True
    log_out(product, ann)
    assert any(delivery.failed for delivery in product.deliver(to="LiveFunction"))

    product.live.out_of_reach = False
    product.deliver(to="LiveFunction")

    assert not socket.open


def test_a_connection_that_is_closed_before_it_is_open_is_closed_later(product: Product) -> None:
    """Its session ends between ``$connect`` and the end of the handshake: the gateway does not know it yet."""
    ann = product.register("ann")
    socket = product.connect(ann)
    del product.live.sockets[socket.id]
    log_out(product, ann)
    assert any(delivery.failed for delivery in product.deliver(to="LiveFunction"))

    product.live.sockets[socket.id] = socket
    product.deliver(to="LiveFunction")

    assert not socket.open


def test_a_sweep_counts_the_connections_that_have_not_expired(
    product: Product, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(LogLevel="INFO")
    ann, bob = product.register("ann"), product.register("bob")
    product.connect(ann)
    clock.pass_by(2 * 3600)
    for _ in range(2):
        product.connect(bob)
    bob.post("/live/tickets")
    capsys.readouterr()

    call(product.aws, "SweeperFunction", {})

    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["connections_open"] for line in lines if "connections_open" in line] == [2]

"""Connections that are too many, too long, left over or of sessions that ended are found by the auditor (I19)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tasksync.integrity.checks import Invariant
from tests.functions.auditor.test_change_logs import audit, faults
from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.product import Product
from tests.support.tables import change, forget, put

Json = dict[str, Any]
NEW_PASSWORD = "crimson lantern 44 boat"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


End = Callable[[Product, str], None]


@pytest.fixture
def ann(product: Product) -> Person:
    """Signed in twice, with a connection of each session, and a ticket."""
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username, ann.password)
    for person in (ann, elsewhere):
        product.connect(person)
    ann.post("/live/tickets")
    return ann


def delete(product: Product, table: str, **key: str) -> None:
    product.aws.dynamodb.delete_item(TableName=table, Key={name: {"S": value} for name, value in key.items()})


def of(ann: Person) -> str:
    return f"connections of {ann.id}"


def live_item(product: Product, ann: Person) -> Json:
    return next(item for item in product.items("LiveTable") if item["live_id"] == ann.id)


def sessions(product: Product, ann: Person) -> list[str]:
    return sorted(name for name in live_item(product, ann) if name.startswith("ses_"))


def found(product: Product) -> set[tuple[str, str | None]]:
    return faults(audit(product, Invariant.LIVE))


@pytest.mark.usefixtures("ann")
def test_what_the_product_stores_is_as_it_must_be(product: Product) -> None:
    finding = audit(product, Invariant.LIVE)

    assert (finding.violations, finding.checked) == (0, 2)


def test_more_than_ten_connections_are_reported(product: Product, ann: Person) -> None:
    session, other = sessions(product, ann)
    [(_, times_of)] = live_item(product, ann)[session].items()

    change(product.aws, "LiveTable", {"live_id": ann.id}, **{session: {f"c{n}": times_of for n in range(9)}})
    assert found(product) == set()

    change(product.aws, "LiveTable", {"live_id": ann.id}, **{other: {f"d{n}": times_of for n in range(2)}})
    assert found(product) == {(of(ann), "has 11 connections")}


def end_the_session(product: Product, session: str) -> None:
    delete(product, "SessionsTable", session_id=session)


def hand_the_session_over(product: Product, session: str) -> None:
    change(product.aws, "SessionsTable", {"session_id": session}, user_id="usr_other")


def leave_the_session_behind(product: Product, session: str) -> None:
    change(product.aws, "SessionsTable", {"session_id": session}, epoch=0)


@pytest.mark.parametrize("end", [end_the_session, hand_the_session_over, leave_the_session_behind])
def test_a_connection_of_a_session_that_ended_is_reported_until_it_expires(
    product: Product, ann: Person, clock: Clock, end: End
) -> None:
    session, _ = sessions(product, ann)

    end(product, session)

    assert found(product) == {(of(ann), f"has connections of {session}, which ended")}
    clock.pass_by(2 * 3600 + 1)
    assert found(product) == set()


def test_connections_of_somebody_who_is_not_there_are_reported(product: Product, ann: Person) -> None:
    delete(product, "UsersTable", user_id=ann.id)

    assert found(product) == {(of(ann), f"has connections of {', '.join(sessions(product, ann))}, which ended")}


@pytest.mark.parametrize(
    "end",
    [
        lambda ann: ann.delete("/auth/sessions"),
        lambda ann: ann.delete("/users/me"),
        lambda ann: ann.post("/auth/password", json={"current_password": ann.password, "new_password": NEW_PASSWORD}),
    ],
    ids=["sessions", "account", "password"],
)
def test_what_the_product_ends_leaves_nothing_to_report(
    product: Product, ann: Person, end: Callable[[Person], Any]
) -> None:
    assert end(ann).status == 204

    assert found(product) == set()


def test_a_connection_without_an_end_is_reported(product: Product, ann: Person) -> None:
    session, _ = sessions(product, ann)
    [(connection, (opened_at, expires_at))] = live_item(product, ann)[session].items()
    [longer] = [{connection: [opened_at, expires_at + 1000]}]

    change(product.aws, "LiveTable", {"live_id": ann.id}, **{session: longer})

    assert found(product) == {(of(ann), "has a connection for 2:00:01")}


def test_an_item_that_expires_before_its_connections_is_reported(product: Product, ann: Person) -> None:
    session, _ = sessions(product, ann)
    [(_, (opened_at, _))] = live_item(product, ann)[session].items()

    change(product.aws, "LiveTable", {"live_id": ann.id}, expires_at=int(opened_at) // 1000 + 60)

    [(item, fault)] = found(product)
    assert (item, str(fault).endswith("before its connections")) == (of(ann), True)


def test_what_is_expired_for_a_week_is_reported(product: Product, clock: Clock, ann: Person) -> None:
    # The clock stands still before the ticket is made, which expires after 30 seconds.
    ticket = next(str(item["live_id"]) for item in product.items("LiveTable") if item["live_id"] != ann.id)

    clock.pass_by(timedelta(days=7, seconds=29).total_seconds())
    assert found(product) == set()

    clock.pass_by(2)
    assert {item for item, _ in found(product)} == {ticket}

    clock.pass_by(timedelta(hours=26).total_seconds())
    assert {item for item, _ in found(product)} == {ticket, of(ann)}


@pytest.mark.parametrize("item", [{"live_id": "x"}, {"live_id": "ticket#x"}, {"live_id": "usr_x", "version": 1}])
def test_an_item_that_is_none_of_the_table_is_reported(product: Product, item: Json) -> None:
    put(product.aws, "LiveTable", **item)

    assert {name for name, _ in faults(audit(product, Invariant.READABLE))} == {f"item {item['live_id']} in LiveTable"}


def test_an_attribute_that_is_no_session_is_reported(product: Product, ann: Person) -> None:
    change(product.aws, "LiveTable", {"live_id": ann.id}, sessions={})

    assert faults(audit(product, Invariant.READABLE)) == {
        (f"item {ann.id} in LiveTable", "ValueError: attributes of no session: sessions")
    }


def test_an_item_without_its_version_is_reported(product: Product, ann: Person) -> None:
    forget(product.aws, "LiveTable", {"live_id": ann.id}, "version")

    assert {name for name, _ in faults(audit(product, Invariant.READABLE))} == {f"item {ann.id} in LiveTable"}

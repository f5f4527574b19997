"""Deadlines that are dates: the whole day in UTC, returned as they were given, listed as the end of their day."""

from typing import Any

import pytest

from tests.support.problems import field_errors
from tests.support.product import Product

DAY = "2027-01-31"
# In the order of their ends.
IN_ORDER = [
    "2027-01-30",
    "2027-01-31T00:00:00Z",
    "2027-01-31T23:59:59.999Z",
    DAY,
    "2027-02-01T00:00:00Z",
    "2027-02-01",
    "9999-12-31",
    None,
]
NONSENSE = [
    "2027-02-30",
    "2026-02-29",
    "2027-13-01",
    "2027-00-10",
    "2027-1-5",
    "20270131",
    "2027-W04-7",
    "2027-01-31Z",
    "2027-01-31+01:00",
    "2027-01-31 ",
    " 2027-01-31",
    "2027-01-31T24",
    "2027-01-31T",
    "0000-01-01",
    "10000-01-01",
    "-2027-01-31",
    "\uff12\uff10\uff12\uff17-01-31",
    "today",
    "",
]


@pytest.mark.parametrize("in_a_room", [True, False])
def test_a_date_is_returned_wherever_the_task_is(product: Product, in_a_room: bool) -> None:
    ann = product.register("ann")
    room_id = ann.open_room()["id"] if in_a_room else None

    task = ann.plan(room_id=room_id, deadline=DAY)

    assert task["deadline"] == DAY
    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert ann.list("/tasks") == [task]
    assert ann.list("/tasks", deadline_from=DAY, sort="-created_at") == [task]
    assert ann.get("/users/me/export").json()["tasks"] == [task]


def test_a_deadline_changes_between_its_two_forms(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], deadline="2027-01-31T12:00:00Z")
    path = f"/tasks/{task['id']}"

    whole_day = ann.patch(path, json={"deadline": DAY}, headers={"If-Match": '"1"'})
    unchanged = ann.put(path, json=whole_day.json())
    at_its_end = ann.patch(path, json={"deadline": "2027-01-31T23:59:59.999Z"})

    assert (whole_day.json()["deadline"], whole_day.tagged_version) == (DAY, 2)
    assert unchanged.json() == whole_day.json()
    assert (at_its_end.json()["deadline"], at_its_end.json()["version"]) == ("2027-01-31T23:59:59.999Z", 3)
    product.deliver()
    changes = [entry["changes"] for entry in ann.list(f"/rooms/{room['id']}/activity") if entry["resource"] == "task"]
    assert [each["deadline"] for each in changes] == [
        {"old": DAY, "new": "2027-01-31T23:59:59.999Z"},
        {"old": "2027-01-31T12:00:00Z", "new": DAY},
        {"old": None, "new": "2027-01-31T12:00:00Z"},
    ]


@pytest.mark.parametrize("in_a_room", [True, False])
def test_both_forms_are_listed_in_the_order_of_their_ends(product: Product, in_a_room: bool) -> None:
    ann = product.register("ann")
    room_id = ann.open_room()["id"] if in_a_room else None
    for deadline in (*IN_ORDER[::2], *IN_ORDER[1::2]):
        ann.plan(room_id=room_id, deadline=deadline)

    def listed(**parameters: Any) -> list[str | None]:
        """Page by page, so that a cursor points to each of them."""
        return [task["deadline"] for task in ann.list("/tasks", limit=1, **parameters)]

    assert listed(sort="deadline") == IN_ORDER
    assert listed(sort="-deadline") == [*reversed(IN_ORDER[:-1]), None]
    assert listed(status="pending", sort="deadline") == IN_ORDER
    for first, last, expected in (
        (DAY, DAY, IN_ORDER[1:4]),
        (DAY, None, IN_ORDER[1:-1]),
        (None, DAY, IN_ORDER[:4]),
        ("2027-01-31T12:00:00Z", "2027-02-01T00:00:00Z", IN_ORDER[2:5]),
        (None, "2027-01-31T23:59:59.999Z", IN_ORDER[:3]),
        ("2027-01-31T01:00:00+01:00", DAY, IN_ORDER[1:4]),
        ("2027-02-01", DAY, []),
        ("9999-12-31", "9999-12-31", ["9999-12-31"]),
    ):
        bounds = {name: bound for name, bound in (("deadline_from", first), ("deadline_to", last)) if bound is not None}
        assert listed(**bounds) == expected, bounds
        assert {*listed(**bounds, sort="created_at")} == {*expected}, bounds


@pytest.mark.parametrize("deadline", NONSENSE)
def test_what_is_neither_a_time_nor_a_date_is_refused(product: Product, deadline: str) -> None:
    ann = product.register("ann")
    task = ann.plan(deadline=DAY)
    path = f"/tasks/{task['id']}"

    responses = [
        ann.post("/tasks", json={"title": "x", "deadline": deadline}),
        ann.patch(path, json={"deadline": deadline}),
    ]

    assert [field_errors(response) for response in responses] == [{"/deadline": "bad_format"}] * 2
    refused = ann.get("/tasks", params={"deadline_from": deadline, "deadline_to": deadline})
    assert field_errors(refused, 400) == dict.fromkeys(("/deadline_from", "/deadline_to"), "bad_format")
    assert ann.list("/tasks") == [task]

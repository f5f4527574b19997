"""A copy that is kept by ``/sync`` is what the other routes show, whatever happened between two pages."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.sync.copies import Copy
from tests.functions.sync.logs import expire_entry, lose, next_epoch, set_head
from tests.support.client import Person
from tests.support.copies import held_for
from tests.support.problems import field_errors
from tests.support.product import Product


def team(product: Product) -> tuple[Person, Person, Any]:
    """Two people in one room."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Garden")
    bob.join(room)
    return ann, bob, room


def end_of(product: Product, log_id: str) -> int:
    """The last entry of a log."""
    [head] = [each for each in product.items("LogTable") if (each["owner_id"], each["item"]) == (log_id, "head")]
    return int(head["seq"])


def test_the_first_pages_have_everything_and_then_nothing_is_new(product: Product) -> None:
    ann, bob, room = team(product)
    ann.plan(room_id=room["id"], description="long " * 300, user_id=bob.id)
    ann.plan(title="Alone")
    ann.open_room()
    bob.open_room()
    trashed = ann.plan(room_id=room["id"])
    ann.delete(f"/tasks/{trashed['id']}")
    product.deliver()

    copy = Copy(ann)
    pages = copy.pull()

    assert [page["reset"] for page in pages] == [True, False]
    assert set(pages[0]["reset_rooms"]) == copy.rooms.keys()
    assert len(copy.rooms) == 2
    assert copy.content == held_for(ann)
    page = copy.next()
    assert {**page, "cursor": ""} == {
        "reset": False,
        "reset_rooms": [],
        "rooms": [],
        "members": {},
        "labels": {},
        "tasks": [],
        "users": [],
        "gone": {"rooms": [], "tasks": []},
        "cursor": "",
        "more": False,
    }


def test_changes_come_with_the_next_page(product: Product) -> None:
    ann, bob, room = team(product)
    other = ann.open_room()
    changed, trashed, purged, back = [ann.plan(room_id=room["id"]) for _ in range(4)]
    ann.delete(f"/tasks/{back['id']}")
    product.deliver()
    copy = Copy(ann)
    copy.pull()
    bob.patch(f"/tasks/{changed['id']}", json={"title": "By Bob", "description": "long " * 300})
    for task in (trashed, purged):
        bob.delete(f"/tasks/{task['id']}")
    bob.delete(f"/rooms/{room['id']}/trash/{purged['id']}")
    bob.post(f"/tasks/{back['id']}/restore")
    ann.patch(f"/rooms/{other['id']}", json={"name": "Other"})
    product.deliver()

    [page] = copy.pull()

    assert {task["id"] for task in page["tasks"]} == {changed["id"], back["id"]}
    assert set(page["gone"]["tasks"]) == {trashed["id"], purged["id"]}
    assert page["members"].keys() == {other["id"]}
    assert copy.content == held_for(ann)


def test_personal_tasks_and_the_profile_come_as_they_change(product: Product) -> None:
    ann, bob, _room = team(product)
    kept, trashed = ann.plan(title="Kept"), ann.plan(title="Trashed")
    product.deliver()
    copies = [Copy(ann), Copy(bob)]
    for copy in copies:
        copy.pull()
    ann.patch(f"/tasks/{kept['id']}", json={"title": "Changed"})
    ann.delete(f"/tasks/{trashed['id']}")
    ann.plan(title="New")
    ann.patch("/users/me", json={"username": "ann of the garden"})
    product.deliver()

    [page] = copies[0].pull()
    copies[1].pull()

    assert page["gone"]["tasks"] == [trashed["id"]]
    assert [user["username"] for user in page["users"]] == ["ann of the garden"]
    assert [copy.content for copy in copies] == [held_for(ann), held_for(bob)]


def test_an_expired_personal_log_resets_the_copy(product: Product) -> None:
    ann, _bob, _room = team(product)
    product.deliver()
    copy = Copy(ann)
    copy.pull()
    for number in range(3):
        ann.plan(title=str(number))
    product.deliver()

    expire_entry(product, {"id": ann.id}, end_of(product, ann.id) - 1)

    assert [page["reset"] for page in copy.pull()] == [True, False]
    assert copy.content == held_for(ann)


def test_members_come_and_go_with_their_roles(product: Product) -> None:
    ann, bob, room = team(product)
    cleo = product.register("cleo")
    product.deliver()
    copies = [Copy(ann), Copy(bob), Copy(cleo)]
    for copy in copies:
        copy.pull()
    cleo.join(room)
    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "viewer"})
    product.deliver()

    pages = [copy.pull() for copy in copies]

    assert [copy.content for copy in copies] == [held_for(ann), held_for(bob), held_for(cleo)]
    assert pages[2][0]["reset_rooms"] == [room["id"]]
    assert copies[1].rooms[room["id"]]["code"] is None
    assert copies[1].rooms[room["id"]]["role"] == "viewer"


def test_who_left_loses_the_room_and_who_came_back_gets_it_whole(product: Product) -> None:
    ann, bob, room = team(product)
    task = ann.plan(room_id=room["id"])
    product.deliver()
    away, back = Copy(bob), Copy(bob)
    away.pull()
    back.pull()
    bob.delete(f"/rooms/{room['id']}/users/me")
    product.deliver()

    [page] = away.pull()
    bob.join(room)
    ann.delete(f"/tasks/{task['id']}")
    product.deliver()
    gained, regained = away.pull(), back.pull()

    assert page["gone"] == {"rooms": [room["id"]], "tasks": []}
    assert page["rooms"] == page["tasks"] == []
    assert gained[0]["reset_rooms"] == [room["id"]]
    assert [each["reset_rooms"] for each in regained] == [[], [room["id"]], []]
    assert away.content == back.content == held_for(bob)


def test_a_membership_is_known_to_be_over_before_the_log_says_so(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(bob)
    copy.pull()

    ann.delete(f"/rooms/{room['id']}/users/{bob.id}")

    assert copy.pull()[0]["gone"]["rooms"] == [room["id"]]
    product.deliver()
    assert copy.content == held_for(bob)


def test_a_deleted_room_is_gone_also_when_its_log_has_gone(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(bob)
    copy.pull()
    ann.delete(f"/rooms/{room['id']}")
    product.deliver()
    later = Copy(bob)
    later.cursor = copy.cursor

    assert copy.pull()[0]["gone"]["rooms"] == [room["id"]]
    lose(product, room)
    assert later.pull()[0]["gone"]["rooms"] == [room["id"]]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_a_listing_in_small_pages_misses_nothing_that_happens_meanwhile(product: Product, limit: int) -> None:
    ann, bob, room = team(product)
    tasks = [ann.plan(room_id=room["id"]) for _ in range(8)]
    gone = [ann.plan(room_id=room["id"]) for _ in range(2)]
    for task in gone:
        ann.delete(f"/tasks/{task['id']}")
    ann.plan()
    product.deliver()
    copy = Copy(bob, limit)

    acts: list[Callable[[], Any]] = [
        lambda: ann.patch(f"/tasks/{tasks[0]['id']}", json={"title": "Changed"}),
        lambda: ann.delete(f"/tasks/{tasks[1]['id']}"),
        lambda: ann.post(f"/tasks/{gone[0]['id']}/restore"),
        lambda: ann.delete(f"/tasks/{tasks[7]['id']}"),
        lambda: ann.plan(room_id=room["id"]),
        lambda: ann.patch(f"/rooms/{room['id']}", json={"name": "Yard"}),
        lambda: ann.post(f"/tasks/{tasks[1]['id']}/restore"),
    ]

    for number, act in enumerate(acts):
        for _ in range(1 + number % 2):
            copy.apply(copy.next())
        act()
        if number % 3 == 0:
            product.deliver()
    product.deliver()
    copy.pull()

    assert copy.content == held_for(bob)


def test_a_room_left_in_the_middle_of_its_listing_is_gone(product: Product) -> None:
    ann, bob, room = team(product)
    for _ in range(3):
        ann.plan(room_id=room["id"])
    product.deliver()
    copy, other = Copy(bob, 2), Copy(bob, 2)
    for each in (copy, other):
        each.apply(each.next())
        each.apply(each.next())
        assert each.tasks
    bob.delete(f"/rooms/{room['id']}/users/me")

    gone = copy.pull()
    bob.join(room)
    product.deliver()
    again = other.pull()

    assert gone[0]["gone"]["rooms"] == [room["id"]]
    assert [page["reset_rooms"] for page in again if page["reset_rooms"]] == [[room["id"]]]
    copy.pull()
    assert copy.content == other.content == held_for(bob)


def test_a_room_whose_entries_have_expired_comes_whole(product: Product) -> None:
    ann, bob, room = team(product)
    task = ann.plan(room_id=room["id"])
    product.deliver()
    copy = Copy(bob)
    copy.pull()
    ann.delete(f"/tasks/{task['id']}")
    for number in range(3):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    product.deliver()

    expire_entry(product, room, end_of(product, room["id"]) - 1)

    assert [page["reset_rooms"] for page in copy.pull()] == [[], [room["id"]], []]
    assert copy.content == held_for(bob)


def test_after_a_restore_everything_comes_again(product: Product) -> None:
    ann, bob, room = team(product)
    task = ann.plan(room_id=room["id"])
    product.deliver()
    copy = Copy(bob)
    copy.pull()
    ann.delete(f"/tasks/{task['id']}")
    lose(product)
    next_epoch(product, 1_800_000_000)

    pages = copy.pull()

    assert [page["reset"] for page in pages] == [True, False]
    assert copy.content == held_for(bob)


def test_a_log_that_is_shorter_than_the_cursor_says_is_not_relied_on(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(bob)
    copy.pull()
    ann.plan(room_id=room["id"])
    set_head(product, room, 1)

    assert [page["reset_rooms"] for page in copy.pull()] == [[], [room["id"]], []]
    assert copy.content == held_for(bob)


def test_an_older_cursor_and_a_repeated_page_of_the_same_rooms_do_no_harm(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(bob, 2)
    cursors = [copy.cursor]
    tasks = [ann.plan(room_id=room["id"]) for _ in range(5)]
    for task in tasks[:2]:
        ann.delete(f"/tasks/{task['id']}")
    product.deliver()
    cursors += [page["cursor"] for page in copy.pull()]

    for cursor in [*cursors[1:], *cursors]:
        copy.cursor = cursor
        copy.apply(copy.next())
    copy.pull()

    assert copy.content == held_for(bob)


def test_a_busy_log_keeps_back_no_other(product: Product) -> None:
    ann, bob, room = team(product)
    other = ann.open_room()
    bob.join(other)
    product.deliver()
    copy = Copy(bob, 4)
    copy.pull()
    for number in range(20):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    ann.patch(f"/rooms/{other['id']}", json={"name": "Quiet"})
    product.deliver()

    page = copy.next()

    assert {each["id"] for each in page["rooms"]} == {room["id"], other["id"]}
    assert page["more"]


def test_pages_have_at_most_four_megabytes(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(bob)
    copy.pull()
    tasks = [ann.plan(room_id=room["id"], description="\N{CROISSANT}" * 10_000) for _ in range(102)]
    product.deliver()
    fresh = Copy(bob, 200)
    copy.limit = 200

    assert [len(page["tasks"]) for page in copy.pull()] == [98, 4]
    assert [len(page["tasks"]) for page in fresh.pull()] == [98, 4, 0]
    assert copy.tasks.keys() == fresh.tasks.keys() == {task["id"] for task in tasks}


def test_many_rooms_come_in_pages_and_their_cursor_is_short(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(45)]
    for room in rooms:
        ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id})
    product.deliver()

    copy = Copy(bob)
    pages = copy.pull()

    assert [len(page["rooms"]) for page in pages] == [19, 20, 6, 0]
    assert copy.rooms.keys() == {room["id"] for room in rooms}
    assert len(copy.cursor or "") / len(rooms) < 35


def test_the_body_takes_what_the_query_takes(product: Product) -> None:
    ann, _bob, room = team(product)
    product.deliver()
    first = ann.post("/sync", json={"limit": 5}, headers={"Idempotency-Key": "the same"})
    ann.plan(room_id=room["id"])
    product.deliver()
    copy = Copy(ann)
    copy.apply(first.json())
    copy.pull()
    ann.plan(room_id=room["id"])
    product.deliver()

    by_body = ann.post("/sync", json={"cursor": copy.cursor}, headers={"Idempotency-Key": "the same"})
    by_query = ann.get("/sync", params={"cursor": copy.cursor})

    assert by_body.status == 200
    assert by_body.json() == by_query.json()
    assert len(by_body.json()["tasks"]) == 1
    assert by_body.headers["ratelimit-policy"] == by_query.headers["ratelimit-policy"]
    assert "idempotency-replayed" not in by_body.headers
    assert ann.post("/sync").json()["reset"]
    assert ann.post("/sync", json={"cursor": None}).json()["reset"]


def test_a_cursor_of_somebody_else_or_of_another_route_is_refused(product: Product) -> None:
    ann, bob, room = team(product)
    product.deliver()
    copy = Copy(ann)
    copy.pull()
    of_room = ann.get(f"/rooms/{room['id']}/changes").json()["next_cursor"]

    for person, cursor in ((bob, copy.cursor), (ann, of_room), (ann, f"{copy.cursor}A"), (ann, "é")):
        assert field_errors(person.get("/sync", params={"cursor": cursor}), 400) == {"/cursor": "invalid_cursor"}
        assert field_errors(person.post("/sync", json={"cursor": cursor}), 400) == {"/cursor": "invalid_cursor"}


@pytest.mark.parametrize("limit", [0, 201, "x"])
def test_an_invalid_limit_is_refused(product: Product, limit: Any) -> None:
    ann = product.register("ann")

    assert field_errors(ann.get("/sync", params={"limit": limit}), 400).keys() == {"/limit"}
    assert field_errors(ann.post("/sync", json={"limit": limit}), 422).keys() == {"/limit"}


def test_copies_agree_after_any_history(product: Product) -> None:
    choices = random.Random(20)
    people = [product.register(name) for name in ("ann", "bob", "cleo")]
    rooms = [people[0].open_room() for _ in range(2)]
    for person in people[1:]:
        for room in rooms:
            person.join(room)
    copies = [Copy(person, choices.choice([1, 3, 100])) for person in people]
    tasks: list[Any] = []

    def plan() -> None:
        response = person.post("/tasks", json={"title": "New", "room_id": room["id"]})
        tasks.extend([response.json()] if response.status == 201 else [])

    acts: list[Callable[[], Any]] = [
        plan,
        lambda: person.patch(f"/tasks/{task_id}", json={"title": str(choices.random())}),
        lambda: person.delete(f"/tasks/{task_id}"),
        lambda: person.post(f"/tasks/{task_id}/restore"),
        lambda: person.delete(f"/rooms/{room['id']}/users/me"),
        lambda: person.post("/rooms/join", json={"code": room["code"]}),
        lambda: people[0].patch(f"/rooms/{room['id']}", json={"name": str(choices.random())}),
    ]
    for _ in range(60):
        person, room = choices.choice(people), choices.choice(rooms)
        task_id = choices.choice([*(task["id"] for task in tasks), "none"])
        choices.choice(acts)()
        if choices.random() < 0.3:
            product.deliver()
        copy = choices.choice(copies)
        page = copy.next()
        if choices.random() < 0.9:  # otherwise the response was lost
            copy.apply(page)
    product.deliver()

    for copy in copies:
        copy.pull()
        assert copy.content == held_for(copy.person)

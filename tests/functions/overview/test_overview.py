"""GET /: the caller's rooms, the people in them and what there is to do, at one price, and never somebody else's."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tests.functions.users.administrators import administrator, as_administrators_see
from tests.support import tables
from tests.support.aws import LOCK
from tests.support.client import Client, Person, Response
from tests.support.memberships import end_membership
from tests.support.product import Product

Json = dict[str, Any]

AFRESH = {"Cache-Control": "max-age=60, No-Cache"}


def overview(person: Client, **headers: str) -> Json:
    response = person.get("/", headers=headers or AFRESH)
    assert response.status == 200, response
    found: Json = response.json()
    return found


def ids(items: list[Json]) -> list[str]:
    return [item["id"] for item in items]


def calls(product: Product, person: Person, **headers: str) -> list[str]:
    """The calls to AWS that the overview takes, one after the other, without the authorizer's and the counting."""
    made = product.aws.permissions.calls
    made.clear()
    overview(person, **headers)
    return [call for call in made[1:] if call != "UpdateItem"]


def test_a_new_user_sees_only_themselves(product: Product) -> None:
    ann = product.register("ann")

    assert overview(ann) == {"users": [ann.get("/users/me").json()], "rooms": [], "tasks": [], "truncated": False}


def test_it_shows_rooms_users_and_open_tasks_as_their_own_routes_do(product: Product) -> None:
    ann, bob, cleo = (product.register(name) for name in ("ann", "bob", "cleo"))
    rooms = [ann.open_room(name="First"), bob.open_room(name="Second")]
    ann.join(rooms[1])
    cleo.join(rooms[1])
    tasks = [ann.plan(), bob.plan(room_id=rooms[1]["id"], user_id=ann.id), ann.plan(status="in progress")]

    found = overview(ann)

    assert found["rooms"] == ann.list("/rooms")
    assert found["tasks"] == tasks[::-1]
    assert found["users"][0] == ann.get("/users/me").json()
    assert {user["id"]: user for user in found["users"][1:]} == {
        person.id: {"id": person.id, "username": person.username} for person in (bob, cleo)
    }
    assert found["truncated"] is False


def test_completed_tasks_and_tasks_of_others_are_omitted(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.plan(status="completed")
    ann.plan(room_id=room["id"], user_id=bob.id)
    ann.plan(room_id=room["id"], user_id=None)
    done = ann.plan()
    ann.patch(f"/tasks/{done['id']}", json={"status": "completed"})

    assert overview(ann)["tasks"] == []


@pytest.mark.parametrize("way", ["left", "was removed", "whose room is gone"])
def test_a_former_room_is_not_shown(product: Product, way: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    bob.plan(room_id=room["id"])
    assert ids(overview(bob)["rooms"]) == [room["id"]]
    assert overview(bob)["tasks"]

    end_membership(way, ann, bob, room["id"])

    assert overview(bob) == {"users": [bob.get("/users/me").json()], "rooms": [], "tasks": [], "truncated": False}


def test_a_deleted_user_is_not_listed(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())

    bob.delete("/users/me")

    assert ids(overview(ann)["users"]) == [ann.id]


def test_an_administrator_sees_full_profiles_and_only_their_own_rooms(product: Product) -> None:
    root, ann = administrator(product), product.register("ann")
    ann.open_room()
    root.join(ann.open_room())

    found = overview(root)

    assert len(found["rooms"]) == 1
    assert as_administrators_see(ann) in found["users"]


def test_over_a_hundred_tasks_the_newest_are_shown(product: Product) -> None:
    ann = product.register("ann")
    newest = [ann.plan()["id"], ann.plan()["id"]]
    _copies_of_task(product, newest[0], 99)

    found = overview(ann)

    assert len(found["tasks"]) == 100
    assert found["tasks"][0]["id"] == newest[1]
    assert found["truncated"] is True
    ann.delete(f"/tasks/{newest[1]}")
    assert overview(ann)["truncated"] is False


def test_over_a_hundred_users_some_and_the_caller_are_shown(product: Product) -> None:
    ann = product.register("ann")
    rooms = [ann.open_room() for _ in range(2)]
    strangers = [f"usr_{number:032x}" for number in range(100)]
    _copies(product, "UsersTable", "user_id", ann.id, strangers)
    for room, half in zip(rooms, (strangers[:50], strangers[50:]), strict=True):
        key = {"room_id": room["id"], "item": "ROOM"}
        tables.change(product.aws, "RoomsTable", key, member_ids={ann.id, *half})

    found = overview(ann)

    assert len(found["users"]) == 100
    assert found["users"][0]["id"] == ann.id
    assert found["truncated"] is True


def test_over_a_hundred_rooms_the_oldest_are_shown(product: Product) -> None:
    ann = product.register("ann")
    newest = ann.open_room()["id"]
    rooms = [f"room_{number:032x}" for number in range(100)]
    _copies(product, "RoomsTable", "room_id", newest, rooms)

    found = overview(ann)

    assert ids(found["rooms"]) == rooms
    assert found["truncated"] is True


def test_rooms_to_which_others_added_the_caller_do_not_displace_their_own(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    eves = eve.open_room()["id"]
    assert eve.post(f"/rooms/{eves}/users", json={"user_id": ann.id}).status == 201
    _copies(product, "RoomsTable", "room_id", eves, [f"room_{number:032x}" for number in range(100)])
    own = ann.open_room()["id"]

    found = overview(ann)

    assert ids(found["rooms"]) == [*[f"room_{number:032x}" for number in range(99)], own]
    assert found["truncated"] is True


def test_a_hundred_rooms_take_as_many_sequential_round_trips_as_one(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.plan(room_id=room["id"])
    one = calls(product, ann)
    _copies(product, "RoomsTable", "room_id", room["id"], [f"room_{number:032x}" for number in range(99)])
    assert len(overview(ann)["rooms"]) == 100

    hundred = calls(product, ann)

    assert sorted(one) == ["BatchGetItem"] * 3 + ["Query"] * 4
    # The rooms are read by four calls at the same time, and the task at the same time as the rooms.
    assert sorted(hundred) == ["BatchGetItem"] * 6 + ["Query"] * 4


def test_a_room_without_member_ids_is_shown(product: Product) -> None:
    """One from before rooms named them, until the migration comes by."""
    ann = product.register("ann")
    room = ann.open_room()
    key = {"room_id": {"S": room["id"]}, "item": {"S": "ROOM"}}
    with LOCK:
        product.aws.dynamodb.update_item(TableName="RoomsTable", Key=key, UpdateExpression="REMOVE member_ids")

    assert ids(overview(ann)["rooms"]) == ids(ann.list("/rooms")) == [room["id"]]


def test_a_cached_overview_takes_one_round_trip(product: Product) -> None:
    ann = product.register("ann")
    ann.open_room()
    first = ann.get("/")
    ann.plan()

    made = calls(product, ann, Accept="application/json")
    again, afresh = ann.get("/"), ann.get("/", headers=AFRESH)

    assert made == ["BatchGetItem"]
    assert again.json() == first.json()
    assert first.headers["Age"] == afresh.headers["Age"] == "0"
    assert 0 <= int(again.headers["Age"]) <= 5
    assert len(afresh.json()["tasks"]) == 1
    # What was made afresh is what is kept from then on.
    assert ann.get("/").json() == afresh.json()


FRESH = [
    {"Cache-Control": "no-cache"},
    {"Cache-Control": "No-Store"},
    {"Cache-Control": "max-age=0"},
    {"Cache-Control": 'max-stale, Max-Age="0"'},
    {"Cache-Control": "max-age=soon"},
    {"Cache-Control": "min-fresh=3600"},
    {"Pragma": "no-cache"},
]
KEPT = [
    {},
    {"Cache-Control": "max-age=99999999999"},
    {"Cache-Control": "max-age=3, min-fresh=1"},
    {"Cache-Control": "no-transform, only-if-cached"},
    # Only where there is no Cache-Control (RFC 9111 §5.4).
    {"Cache-Control": "max-age=60", "Pragma": "no-cache"},
]


def test_a_no_cache_request_gets_a_fresh_overview(product: Product) -> None:
    ann = product.register("ann")
    tasks = 0
    ann.get("/")

    for headers in FRESH:
        ann.plan()
        tasks += 1
        assert len(ann.get("/", headers=headers).json()["tasks"]) == tasks, headers
    ann.plan()
    ann.get("/", headers={"Cache-Control": "no-store"})
    for headers in KEPT:
        # What was made for no-store is not kept.
        assert len(ann.get("/", headers=headers).json()["tasks"]) == tasks, headers


def test_a_cached_overview_is_never_given_to_another_caller(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    bob.join(room)
    before = [person.get("/").json() for person in (ann, bob)]

    after = [person.get("/").json() for person in (ann, bob)]

    assert after == before
    assert (len(before[0]["tasks"]), len(before[1]["tasks"])) == (1, 0)
    assert [kept["users"][0]["id"] for kept in after] == [ann.id, bob.id]


def test_a_removed_member_does_not_see_the_room_at_the_next_request(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    assert ids(bob.get("/").json()["rooms"]) == [room["id"]]

    ann.delete(f"/rooms/{room['id']}/users/{bob.id}")
    removed = bob.get("/")

    assert (removed.json()["rooms"], ids(removed.json()["users"])) == ([], [bob.id])


def test_a_changed_role_is_visible_at_the_next_request(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    assert bob.get("/").json()["rooms"][0]["role"] == "member"

    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "viewer"})

    assert bob.get("/").json()["rooms"][0]["role"] == "viewer"


def test_without_a_cache_time_overviews_are_built_each_time(product: Product) -> None:
    product.aws.stack.parameters["OverviewCacheSeconds"] = "0"
    ann = product.register("ann")
    ann.get("/")
    ann.plan()

    assert len(ann.get("/").json()["tasks"]) == 1


def test_an_unchanged_overview_is_a_304(product: Product) -> None:
    ann = product.register("ann")
    tag = ann.get("/").headers["ETag"]

    def asked(**headers: str) -> Response:
        return ann.get("/", headers={"If-None-Match": tag, **headers})

    kept, made = asked(), asked(**AFRESH)
    ann.plan()
    changed = asked(**AFRESH)

    assert [(response.status, response.text, response.headers["ETag"]) for response in (kept, made)] == [
        (304, "", tag)
    ] * 2
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


def _copies(product: Product, table: str, key: str, value: str, copies: list[str]) -> None:
    """All items of one room, person or task, stored once more under each of these ids: faster than asking for them."""
    write = TypeSerializer().serialize
    stored = [item for item in product.items(table) if item[key] == value]
    with LOCK:
        for copy in copies:
            for item in stored:
                raw = {name: write(each) for name, each in {**item, key: copy}.items()}
                product.aws.dynamodb.put_item(TableName=table, Item=raw)


def _copies_of_task(product: Product, task_id: str, number: int) -> None:
    """A personal task, stored so many times more under the smallest ids."""
    own = task_id.partition(".")[2]
    write = TypeSerializer().serialize
    stored = [item for item in product.items("TasksTableV2") if item["item"].endswith(task_id)]
    with LOCK:
        for count in range(number):
            for item in stored:
                copy = {
                    name: each.replace(own, f"{count:032x}") if isinstance(each, str) else each
                    for name, each in item.items()
                }
                product.aws.dynamodb.put_item(
                    TableName="TasksTableV2", Item={name: write(each) for name, each in copy.items()}
                )

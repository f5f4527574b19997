"""GET /rooms and GET /rooms/{room_id}."""

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product


def test_a_new_user_is_in_no_room(product: Product) -> None:
    ann = product.register("ann")

    response = ann.get("/rooms")

    assert (response.status, response.json()) == (200, {"items": [], "next_cursor": None})
    assert "Link" not in response.headers


def test_the_list_has_the_callers_rooms_only_oldest_first(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    first = ann.open_room(name="First")
    others = bob.open_room(name="Of Bob and Ann")
    bob.open_room(name="Of Bob alone")
    ann.join(others)

    rooms = ann.get("/rooms").json()["items"]

    assert [(room["id"], room["name"], room["role"], room["member_count"]) for room in rooms] == [
        (first["id"], "First", "admin", 1),
        (others["id"], "Of Bob and Ann", "member", 2),
    ]


def test_a_listed_room_equals_the_room_by_id(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    [listed] = ann.list("/rooms")

    # The list may leave out who is in the room.
    assert {"user_ids": room["user_ids"], **listed} == room


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_rooms_are_listed_page_by_page(product: Product, limit: int) -> None:
    ann = product.register("ann")
    expected = [ann.open_room(name=f"Room {number}")["id"] for number in range(5)]

    pages = []
    cursor = None
    while True:
        page = ann.get("/rooms", params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        pages.append([room["id"] for room in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [room_id for page in pages for room_id in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1] != []


def test_the_link_header_leads_to_the_next_page(product: Product) -> None:
    ann = product.register("ann")
    expected = [ann.open_room()["id"] for _ in range(3)]

    first = ann.get("/rooms", params={"limit": 2})
    target, _, relation = first.headers["Link"].partition(";")
    second = ann.get(target.strip("<>"))

    assert relation.strip() == 'rel="next"'
    assert [room["id"] for room in first.json()["items"] + second.json()["items"]] == expected
    assert "Link" not in second.headers


def test_a_room_left_meanwhile_is_missing_on_the_next_page(product: Product) -> None:
    ann = product.register("ann")
    rooms = [ann.open_room() for _ in range(4)]
    page = ann.get("/rooms", params={"limit": 2}).json()

    ann.delete(f"/rooms/{rooms[1]['id']}/users/{ann.id}")
    ann.delete(f"/rooms/{rooms[2]['id']}/users/{ann.id}")

    rest = ann.get("/rooms", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [room["id"] for room in rest["items"]] == [rooms[3]["id"]]


def test_every_member_sees_the_room_with_their_own_role(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": cleo.id, "role": "viewer"})

    seen = [person.get(f"/rooms/{room['id']}").json() for person in (ann, bob, cleo)]

    assert [each.pop("role") for each in seen] == ["admin", "member", "viewer"]
    assert [each.pop("code") for each in seen] == [room["code"], room["code"], None]
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["user_ids"] == [ann.id, bob.id, cleo.id]
    assert seen[0]["member_count"] == 3


def test_an_unchanged_room_is_a_304(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}"
    tag = ann.get(path).headers["ETag"]

    unchanged = [
        ann.get(path, headers={"If-None-Match": condition}) for condition in (tag, f"W/{tag}", f'"other", {tag}', "*")
    ]
    other = ann.get(path, headers={"If-None-Match": '"other"'})

    assert [(response.status, response.text, response.headers["ETag"]) for response in unchanged] == [
        (304, "", tag)
    ] * 4
    assert (other.status, other.headers["ETag"]) == (200, tag)


def test_every_change_of_a_room_or_its_members_makes_another_etag(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    path = f"/rooms/{room['id']}"

    versions = [ann.get(path).tagged_version]
    ann.patch(path, json={"name": "Another name"})
    versions.append(ann.get(path).tagged_version)
    bob.join(room)
    versions.append(ann.get(path).tagged_version)
    ann.patch(f"{path}/users/{bob.id}", json={"role": "admin"})
    versions.append(ann.get(path).tagged_version)
    ann.post(f"{path}/code")
    versions.append(ann.get(path).tagged_version)
    bob.delete(f"{path}/users/{bob.id}")
    versions.append(ann.get(path).tagged_version)

    assert versions == [1, 2, 3, 4, 5, 6]
    assert ann.get(path).json()["version"] == 6


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({"limit": "0"}, {"/limit"}),
        ({"limit": "101"}, {"/limit"}),
        ({"limit": "ten"}, {"/limit"}),
        ({"limit": ["5", "6"]}, {"/limit"}),
        ({"cursor": ""}, {"/cursor"}),
        ({"name": "Garden"}, {"/name"}),
        ({"limit": "-1", "page": "2"}, {"/limit", "/page"}),
    ],
)
def test_wrong_and_unknown_query_parameters_are_named(
    product: Product, parameters: dict[str, str], pointers: set[str]
) -> None:
    ann = product.register("ann")

    response = ann.get("/rooms", params=parameters)

    assert field_errors(response, 400).keys() == pointers


def test_a_single_room_accepts_no_query_parameters(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    response = ann.get(f"/rooms/{room['id']}", params={"limit": "5"})

    problem(response, 400, "invalid_query")

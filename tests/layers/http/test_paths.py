"""Ids in paths, the address of what was made, and conditions on versions."""

import itertools
from typing import Any

import pytest

from tests.layers.http import calls
from tests.support import builders
from tests.support.client import Client, Person
from tests.support.gateway import GATEWAY_HOST, STAGE
from tests.support.problems import problem
from tests.support.product import Product

ODD_IDS = [
    "x",
    "a%2Fb",
    "%2e%2e%2f",
    "%00",
    "%0A",
    "a%20b",
    "%E2%98%83",
    "%FF",
    "%ZZ",
    "%",
    "%25",
    "*",
    "NAME%23ann",
    "KEY%23x",
    "MEMBER%23x",
    "'",
    "{room_id}",
    "{0.__class__}",
    "%7Broom_id%7D",
    "x" * 101,
    "x" * 2000,
    "room_" + "0" * 32,
    "usr_" + "0" * 32,
    "room_" + "0" * 32 + "." + "0" * 32,
    "usr_" + "0" * 32 + "." + "0" * 32,
    "room_" + "0" * 32 + "." + "0" * 31,
]


def test_an_unknown_id_is_404_on_every_route(product: Product) -> None:
    ann = product.register("ann")
    bodies = {
        ("POST", "/rooms/{room_id}/users"): {"user_id": ann.id},
        ("PATCH", "/rooms/{room_id}/users/{user_id}"): {"role": "member"},
        ("POST", "/tasks/{task_id}/move"): {"after": None},
        ("POST", "/rooms/{room_id}/webhooks"): {"url": "https://example.org/hooks"},
        ("POST", "/rooms/{room_id}/webhooks/{webhook_id}/replay"): {"from": 1, "to": 2},
    }

    for route, an_id in itertools.product(calls.WITH_IDS, ODD_IDS):
        options: dict[str, Any] = {"json": bodies.get(route, {})} if route in calls.WITH_BODY else {}
        problem(calls.call(ann, route, an_id, **options), 404, "not_found")


def test_an_id_with_a_trailing_slash_is_the_same_or_404(product: Product) -> None:
    ann = product.register("ann")

    assert ann.get("/users/me/").status in (200, 404)


def test_missing_and_forbidden_resources_get_the_same_response(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    personal = ann.plan()

    for path, known in (
        ("/rooms/{}", room["id"]),
        ("/rooms/{}/users", room["id"]),
        ("/rooms/{}/tasks", room["id"]),
        ("/rooms/{}/trash", room["id"]),
        ("/tasks/{}", task["id"]),
        ("/tasks/{}", personal["id"]),
        ("/users/{}", ann.id),
        ("/users/{}/trash", ann.id),
    ):
        unknown = known[:-8] + "00000000"
        responses = [problem(eve.get(path.format(an_id)), 404, "not_found") for an_id in (known, unknown)]
        for response in responses:
            del response["request_id"]
        assert responses[0] == responses[1]


def resources(client: Client) -> list[tuple[str, str]]:
    """Makes one of each, under the address that ``client`` calls: the Location of each, and the path it should have."""
    registered = client.post("/auth/register", json=builders.person("ann"))
    ann = Person(client.connection, registered.json(), builders.PASSWORD)
    made = client.post("/users", json=builders.person("bob"))
    bob_id = made.json()["id"]
    room = ann.post("/rooms", json=builders.room())
    room_id = room.json()["id"]
    member = ann.post(f"/rooms/{room_id}/users", json={"user_id": bob_id})
    task = ann.post("/tasks", json=builders.task(room_id=room_id))
    responses = [registered, made, room, member, task]
    assert [response.status for response in responses] == [201] * 5
    paths = [
        f"/users/{ann.id}",
        f"/users/{bob_id}",
        f"/rooms/{room_id}",
        f"/rooms/{room_id}/users/{bob_id}",
        f"/tasks/{task.json()['id']}",
    ]
    return [(response.headers["Location"], path) for response, path in zip(responses, paths, strict=True)]


def test_behind_a_custom_domain_a_location_has_no_stage(product: Product) -> None:
    for location, path in resources(product.at("https://api.example.org")):
        assert location == path


def test_under_the_gateway_domain_a_location_has_the_stage(product: Product) -> None:
    for location, path in resources(product.at(f"https://{GATEWAY_HOST}/{STAGE}")):
        assert location == f"/{STAGE}{path}"


def test_under_the_gateway_domain_a_link_has_the_stage(product: Product) -> None:
    client = product.at(f"https://{GATEWAY_HOST}/{STAGE}")
    ann = client.register("ann")
    for _ in range(2):
        ann.open_room()

    response = ann.get("/rooms", params={"limit": 1})

    assert response.headers["Link"].startswith(f"</{STAGE}/rooms?limit=1&cursor=")


def test_the_version_is_the_entity_tag_of_creation_and_read(product: Product) -> None:
    ann = product.register("ann")
    made = [
        ann.post("/users", json=builders.person("bob")),
        ann.post("/rooms", json=builders.room()),
        ann.post("/tasks", json=builders.task()),
    ]

    read = [ann.get(path) for path in ("/users/me", *(response.headers["Location"] for response in made[1:]))]

    assert [response.tagged_version for response in made + read] == [1] * 6


@pytest.fixture
def task_path(product: Product) -> tuple[Person, str]:
    """A task of version 2, and who may change it."""
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"
    assert ann.patch(path, json={"title": "Order more desks"}).tagged_version == 2
    return ann, path


def test_an_unchanged_resource_is_not_sent_again(task_path: tuple[Person, str]) -> None:
    ann, path = task_path
    tag = ann.get(path).headers["ETag"]

    for tags in (tag, f'"1", {tag}', f'"7",{tag}', "*", f"W/{tag}", f'"x", W/{tag}'):
        response = ann.get(path, headers={"If-None-Match": tags})
        assert response.status == 304, (tags, response)
        assert response.headers["ETag"] == tag
        assert response.text == ""


def test_a_changed_resource_is_sent(task_path: tuple[Person, str]) -> None:
    """Reading compares the whole tag: what is shown may change without a new version."""
    ann, path = task_path

    for tags in ('"1"', '"22"', '""', 'W/"3"', '"x"', '"2"', '"2."', '"2.AAAAAAAA"', 'W/"2"'):
        response = ann.get(path, headers={"If-None-Match": tags})
        assert response.status == 200, (tags, response)
        assert response.json()["version"] == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_another_version_is_refused(task_path: tuple[Person, str], method: str) -> None:
    ann, path = task_path
    options: dict[str, Any] = {} if method == "DELETE" else {"json": {"title": "Too late"}}

    tag = ann.get(path).headers["ETag"]

    others = ('"1"', '"3"', 'W/"2"', '"1", "3"', '""', f"W/{tag}", tag.replace("2.", "1.", 1), '".2"', '"02"', '"2,x"')
    for tags in others:
        response = ann.request(method, path, headers={"If-Match": tags}, **options)
        problem(response, 412, "version_mismatch")

    assert ann.get(path).json()["title"] == "Order more desks"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_of_the_current_version_succeeds(task_path: tuple[Person, str], method: str) -> None:
    ann, path = task_path

    all_tags = ['"2"', '"1", "3"', "*", None, '"6.AAAAAAAA"', '"1.AAAAAAAA", "7."', '"8.a.b", W/"3"']
    for version, tags in enumerate(all_tags, start=2):
        headers = {} if tags is None else {"If-Match": tags}
        response = ann.request(method, path, json={"title": f"In time, {version}"}, headers=headers)
        assert response.status == 200, response
        assert response.tagged_version == version + 1
        assert response.json()["version"] == version + 1


@pytest.mark.parametrize("tags", ['"2"', '"2.AAAAAAAA"', "*", None])
def test_a_deletion_of_the_current_version_succeeds(task_path: tuple[Person, str], tags: str | None) -> None:
    ann, path = task_path

    response = ann.delete(path, headers={} if tags is None else {"If-Match": tags})

    assert response.status == 204, response
    problem(ann.get(path), 404, "not_found")


def test_preconditions_hold_for_rooms_and_users_too(product: Product) -> None:
    ann = product.register("ann")
    room = f"/rooms/{ann.open_room()['id']}"

    for path, change in ((room, {"name": "Elsewhere"}), ("/users/me", {"email": None})):
        tag = ann.get(path).headers["ETag"]
        assert ann.get(path, headers={"If-None-Match": tag}).status == 304
        problem(ann.patch(path, json=change, headers={"If-Match": '"9"'}), 412, "version_mismatch")
        assert ann.patch(path, json=change, headers={"If-Match": '"1"'}).status == 200
        problem(ann.delete(path, headers={"If-Match": '"1"'}), 412, "version_mismatch")
        assert ann.delete(path, headers={"If-Match": '"2"'}).status == 204

"""If-Match and If-None-Match (RFC 9110 §13.1) on writes: what has no version matches nothing but ``*``."""

from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSPreparedRequest

from tests.functions.requests.write_requests import WRITES, Scene, effects, send
from tests.support import builders
from tests.support.client import Response
from tests.support.faults import happening
from tests.support.problems import problem
from tests.support.product import Product


def test_a_nonmatching_tag_refuses_every_authenticated_write(product: Product) -> None:
    scene = Scene(product)
    requests = {name: (write.by(scene), write.request(scene)) for name, write in WRITES.items()}
    before = effects(product)

    for name, (person, request) in requests.items():
        refused = [send(person, request, If_Match=tag) for tag in ('"99"', 'W/"1"', '"None"', '""')]
        if request[0] != "POST":
            refused.append(send(person, request, If_None_Match="*"))
        for response in refused:
            assert response.status == 412, name
            problem(response, 412, "version_mismatch")

    assert effects(product) == before


def test_a_nonmatching_tag_refuses_changes_without_a_token(product: Product) -> None:
    ann = product.register("ann")
    name = {"username": ann.username, "password": ann.password}
    token = {"refresh_token": ann.refresh_token}
    requests = {
        "/auth/register": builders.person("bob"),
        "/users": builders.person("cleo"),
        "/auth/login": name,
        "/auth/refresh": token,
        "/auth/logout": token,
    }
    before = effects(product)

    for path, body in requests.items():
        problem(product.anonymous.post(path, json=body, headers={"If-Match": '"1"'}), 412, "version_mismatch")

    assert effects(product) == before
    for path, body in requests.items():
        assert product.anonymous.post(path, json=body, headers={"If-Match": "*"}).status < 300, path


@pytest.mark.parametrize("condition", [{"If-Match": '"1"'}, {"If-None-Match": "*"}])
def test_a_missing_or_forbidden_resource_wins_over_a_precondition(product: Product, condition: dict[str, str]) -> None:
    scene = Scene(product)
    session = scene.bob.list("/auth/sessions")[0]["id"]
    before = effects(product)

    def asked(method: str, path: str, **options: object) -> Response:
        return scene.ann.request(method, path, headers=condition, **options)  # type: ignore[arg-type]  # json alone

    for path in (f"/auth/sessions/{session}", "/auth/sessions/ses_1", f"{scene.path}/users/{scene.cleo.id}"):
        problem(asked("DELETE", path), 404, "not_found")
    for room in (scene.path, f"/rooms/{scene.cleos_room['id']}"):
        problem(asked("PATCH", f"{room}/users/{scene.cleo.id}", json={"role": "viewer"}), 404, "not_found")
    others = f"/rooms/{scene.cleos_room['id']}"
    problem(asked("POST", f"{others}/users", json={"user_id": scene.bob.id}), 404, "not_found")
    problem(asked("DELETE", others), 404, "not_found")

    assert effects(product) == before


def test_an_unchanged_role_is_checked_against_the_tag_too(product: Product) -> None:
    scene = Scene(product)
    path = f"{scene.path}/users/{scene.bob.id}"

    problem(scene.ann.patch(path, json={"role": "member"}, headers={"If-Match": '"1"'}), 412, "version_mismatch")
    assert scene.ann.patch(path, json={"role": "member"}, headers={"If-Match": "*"}).status == 200


def test_if_none_match_accepts_another_version(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    problem(ann.patch(path, json={"title": "B"}, headers={"If-None-Match": 'W/"1"'}), 412, "version_mismatch")
    assert ann.patch(path, json={"title": "B"}, headers={"If-None-Match": '"2"'}).status == 200


# A version without quotation marks, half a tag, a weak tag that is none, a list with * in it, and nothing at all.
NO_TAGS = [
    "1",
    '"1',
    '1"',
    "'1'",
    '"a"b',
    '"1" "2"',
    'w/"1"',
    'W/ "1"',
    "W/1",
    '"1", *',
    "*, *",
    '"1", 2',
    ",",
    "",
    '"a b"',
]


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_an_invalid_entity_tag_is_refused_by_name_on_every_write(product: Product, header: str) -> None:
    scene = Scene(product)
    requests = {name: (write.by(scene), write.request(scene)) for name, write in WRITES.items()}
    before = effects(product)

    for number, (name, (person, request)) in enumerate(requests.items()):
        for value in NO_TAGS[number % 3 :: 3]:
            response = send(person, request, **{header.replace("-", "_"): value})
            assert header in problem(response, 400, "invalid_precondition")["detail"], (name, value)

    assert effects(product) == before


def test_an_invalid_entity_tag_is_refused_on_reads_too(product: Product) -> None:
    ann = product.register("ann")
    paths = [
        "/users/me",
        f"/rooms/{ann.open_room()['id']}",
        f"/tasks/{ann.plan()['id']}",
        "/",
        "/rooms",
        "/openapi.json",
    ]

    for path in paths:
        for value in NO_TAGS:
            problem(ann.get(path, headers={"If-None-Match": value}), 400, "invalid_precondition")
        # Of a condition that reading does not look at, nothing is said.
        assert ann.get(path, headers={"If-Match": "1"}).status == 200


def test_entity_tags_are_parsed_as_the_standard_says(product: Product) -> None:
    """RFC 9110 §8.8.3 and §5.6.1.2: commas within a tag, empty entries of a list, any spacing."""
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    tag = ann.get(path).headers["ETag"]

    for value in (f'"a,b", {tag}', f",, {tag} ,", f"\t{tag}", f'{tag},"x"', " * ", f'{tag}  ,  W/"é"'):
        assert ann.get(path, headers={"If-None-Match": value}).status == 304, value
    problem(ann.patch(path, json={"title": "B"}, headers={"If-Match": '"x,"'}), 412, "version_mismatch")


VERSIONED: dict[str, Callable[[Scene], str]] = {
    "PUT a room": lambda scene: scene.path,
    "PATCH a room": lambda scene: scene.path,
    "delete a room": lambda scene: scene.path,
    "change the code": lambda scene: scene.path,
    "change the code without a body": lambda scene: scene.path,
    "PUT a task": lambda scene: f"/tasks/{scene.task['id']}",
    "PATCH a task": lambda scene: f"/tasks/{scene.task['id']}",
    "move a task": lambda scene: f"/tasks/{scene.task['id']}",
    "delete a task": lambda scene: f"/tasks/{scene.task['id']}",
    "PUT a profile": lambda _: "/users/me",
    "PATCH a profile": lambda scene: f"/users/{scene.ann.id}",
    "delete somebody": lambda scene: f"/users/{scene.bob.id}",
}
"""Writes of what has versions, and where it is read."""

OF_TRASH = {"restore a task", "delete a task for good", "delete a personal task for good"}
"""Of what has a version that is read in a list alone: ``tests/functions/tasks/test_trash.py``."""


def test_a_version_conflict_reports_the_current_version(product: Product) -> None:
    scene = Scene(product)

    for name, path in VERSIONED.items():
        write = WRITES[name]
        person, request = write.by(scene), write.request(scene)
        shown = person.get(path(scene))
        tag, version = shown.headers["ETag"], f'"{shown.tagged_version}"'
        other = send(person, request, If_Match='"99"')
        weak = send(person, request, If_Match=f"W/{tag}")
        weak_and_old = send(person, request, If_Match='W/"99"')
        present = send(person, request, If_None_Match="*") if request[0] != "POST" else other

        for response in (other, weak, weak_and_old, present):
            problem(response, 412, "version_mismatch")
            assert response.headers["ETag"] == version, name
        assert version in other.json()["detail"]
        assert "changed" in other.json()["detail"]
        for response in (weak, weak_and_old):
            assert "weak" in response.json()["detail"]
            assert version in response.json()["detail"]
            assert "changed" not in response.json()["detail"]


def test_a_resource_without_a_version_says_so(product: Product) -> None:
    scene = Scene(product)

    for name in WRITES.keys() - VERSIONED.keys() - OF_TRASH:
        write = WRITES[name]
        response = send(write.by(scene), write.request(scene), If_Match='"1"')
        assert "ETag" not in response.headers
        assert "no version" in problem(response, 412, "version_mismatch")["detail"], name


def test_an_old_version_in_the_body_is_refused_with_the_current_one(product: Product) -> None:
    scene = Scene(product)

    for path, change in (
        (scene.path, {"name": "B"}),
        (f"/tasks/{scene.task['id']}", {"title": "B"}),
        ("/users/me", {}),
    ):
        version = scene.ann.get(path).tagged_version
        response = scene.ann.patch(path, json={**change, "version": 99})
        assert "version 99" in problem(response, 412, "version_mismatch")["detail"]
        assert response.headers["ETag"] == f'"{version}"'


@pytest.mark.parametrize("name", [name for name in VERSIONED if name != "delete somebody"])
def test_a_concurrent_change_is_reported_with_its_version(product: Product, name: str) -> None:
    """The version was the one asked for when it was read, and another one when the transaction came."""
    scene = Scene(product)
    path = VERSIONED[name](scene)
    tag = scene.ann.get(path).headers["ETag"]
    changes = iter([{"name": "First"} if "room" in name or "code" in name else {"title": "First"}])
    if "profile" in name:
        changes = iter([{"added_by": "nobody"}])

    def first(_: AWSPreparedRequest) -> None:
        change = next(changes, None)
        if change is not None:
            assert scene.ann.patch(path, json=change).status == 200

    with happening(first, to={"TransactWriteItems"}):
        response = send(scene.ann, WRITES[name].request(scene), If_Match=tag)

    problem(response, 412, "version_mismatch")
    now = scene.ann.get(path)
    assert response.headers["ETag"] == f'"{now.tagged_version}"'
    assert now.headers["ETag"] != tag


def test_a_post_target_has_no_version_before(product: Product) -> None:
    ann = product.register("ann")

    assert ann.post("/rooms", json={}, headers={"If-None-Match": "*"}).status == 201

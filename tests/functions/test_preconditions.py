"""If-Match and If-None-Match (RFC 9110 §13.1) on writes: what has no version matches nothing but ``*``."""

import pytest

from tests.functions.writes import WRITES, Scene, effects, send
from tests.support import builders
from tests.support.client import Answer
from tests.support.problems import problem
from tests.support.product import Product


def test_a_tag_that_nothing_has_refuses_every_write_with_a_token(product: Product) -> None:
    scene = Scene(product)
    requests = {name: (write.by(scene), write.request(scene)) for name, write in WRITES.items()}
    before = effects(product)

    for name, (person, request) in requests.items():
        refused = [send(person, request, If_Match=tag) for tag in ('"99"', 'W/"1"', '"None"', "")]
        if request[0] != "POST":
            refused += [send(person, request, If_None_Match=tag) for tag in ("*", '"99", *')]
        for answer in refused:
            assert answer.status == 412, name
            problem(answer, 412, "version_mismatch")

    assert effects(product) == before


def test_a_tag_refuses_what_changes_without_a_token(product: Product) -> None:
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
def test_what_is_not_there_or_not_ones_own_is_so_whatever_is_asked_for(
    product: Product, condition: dict[str, str]
) -> None:
    scene = Scene(product)
    session = scene.bob.list("/auth/sessions")[0]["id"]
    before = effects(product)

    def asked(method: str, path: str, **options: object) -> Answer:
        return scene.ann.request(method, path, headers=condition, **options)  # type: ignore[arg-type]  # json alone

    for path in (f"/auth/sessions/{session}", "/auth/sessions/ses_1", f"{scene.path}/users/{scene.cleo.id}"):
        problem(asked("DELETE", path), 404, "not_found")
    for room in (scene.path, f"/rooms/{scene.cleos_room['id']}"):
        problem(asked("PATCH", f"{room}/users/{scene.cleo.id}", json={"role": "viewer"}), 404, "not_found")
    others = f"/rooms/{scene.cleos_room['id']}"
    problem(asked("POST", f"{others}/users", json={"user_id": scene.bob.id}), 404, "not_found")
    problem(asked("DELETE", others), 404, "not_found")

    assert effects(product) == before


def test_a_role_that_stays_is_held_against_the_tag_too(product: Product) -> None:
    scene = Scene(product)
    path = f"{scene.path}/users/{scene.bob.id}"

    problem(scene.ann.patch(path, json={"role": "member"}, headers={"If-Match": '"1"'}), 412, "version_mismatch")
    assert scene.ann.patch(path, json={"role": "member"}, headers={"If-Match": "*"}).status == 200


def test_another_version_than_the_one_named_may_be_there_for_if_none_match(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    problem(ann.patch(path, json={"title": "B"}, headers={"If-None-Match": 'W/"1"'}), 412, "version_mismatch")
    assert ann.patch(path, json={"title": "B"}, headers={"If-None-Match": '"2"'}).status == 200


def test_a_star_beside_tags_lets_nothing_through_that_they_do_not(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    problem(ann.patch(path, json={"title": "B"}, headers={"If-Match": '"7", *'}), 412, "version_mismatch")
    assert ann.patch(path, json={"title": "B"}, headers={"If-Match": '*, "1"'}).status == 200


def test_what_a_post_makes_is_not_there_before(product: Product) -> None:
    ann = product.register("ann")

    assert ann.post("/rooms", json={}, headers={"If-None-Match": "*"}).status == 201

"""What GET returned can be sent back with PUT or PATCH: a read-only field is let through if it says what is so."""

from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.openapi.routes import declared_routes
from tests.support.client import Person, Response
from tests.support.problems import field_errors, problem
from tests.support.product import Product

Json = dict[str, Any]

WEBHOOK = "/rooms/{room_id}/webhooks/{webhook_id}"


class Resource:
    """One that Ann may change: where it is, how it is read, and a change of it."""

    def __init__(self, owner: Person, route: str, path: str, change: Json, read: Callable[[], Json]) -> None:
        self.owner, self.route, self.path, self.change, self.read = owner, route, path, change, read

    def sent(self, method: str, body: Json, **headers: str) -> Response:
        return self.owner.request(method, self.path, json=body, headers=headers)

    @property
    def methods(self) -> list[str]:
        return [each.route.method for each in _changes() if each.route.path == self.route]


def _changes() -> list[Any]:
    return [each for each in declared_routes() if each.route.method in ("PUT", "PATCH")]


def resources(product: Product) -> list[Resource]:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Desks")
    bob.join(room)
    room_path = f"/rooms/{room['id']}"
    of_room = f"/tasks/{ann.plan(room_id=room['id'], user_id=bob.id, deadline='2027-01-31T12:00:00.5+01:00')['id']}"
    own = f"/tasks/{ann.plan(status='completed', description='x')['id']}"
    member = f"{room_path}/users/{bob.id}"

    webhook = ann.post(f"{room_path}/webhooks", json={"url": "https://hooks.example.org/"}).json()
    webhook_path = f"{room_path}/webhooks/{webhook['id']}"

    def getting(path: str) -> Callable[[], Json]:
        return lambda: ann.get(path).json()

    def listed() -> Json:
        return next(each for each in ann.list(f"{room_path}/users") if each["user_id"] == bob.id)

    return [
        Resource(ann, "/users/{user_id}", "/users/me", {"username": "anna"}, getting("/users/me")),
        Resource(ann, "/rooms/{room_id}", room_path, {"name": "Chairs"}, getting(room_path)),
        Resource(ann, "/tasks/{task_id}", of_room, {"status": "completed"}, getting(of_room)),
        Resource(ann, "/tasks/{task_id}", own, {"title": "Another"}, getting(own)),
        Resource(ann, "/rooms/{room_id}/users/{user_id}", member, {"role": "viewer"}, listed),
        Resource(ann, WEBHOOK, webhook_path, {"url": "https://example.org/"}, getting(webhook_path)),
    ]


@pytest.fixture
def all_resources(product: Product) -> list[Resource]:
    return resources(product)


def test_every_changeable_resource_is_covered(all_resources: list[Resource]) -> None:
    assert {each.route for each in all_resources} == {each.route.path for each in _changes()}


def test_a_read_resource_can_be_written_back_with_and_without_a_change(all_resources: list[Resource]) -> None:
    for resource in all_resources:
        before = resource.read()
        for method in resource.methods:
            same = resource.sent(method, before)
            assert (same.status, same.json()) == (200, before), same

        changed = resource.sent(resource.methods[0], {**before, **resource.change})

        assert changed.status == 200, changed
        [(name, value)] = resource.change.items()
        assert resource.read()[name] == value
        assert resource.read().get("version", 2) == before.get("version", 1) + 1


def test_a_changed_read_only_field_is_named_and_nothing_changes(
    all_resources: list[Resource],
) -> None:
    ignored = {"updated_at", "updated_by", "completed_at", "member_count", "tasks", "rank"}
    for resource in all_resources:
        before = resource.read()
        others: Json = {name: _another(value) for name, value in before.items()}
        read_only = before.keys() - _changeable(resource) - ignored - {"version"}
        assert read_only
        wrong = {name: others[name] for name in read_only}
        for method in resource.methods:
            response = resource.sent(method, {**before, **resource.change, **wrong})
            problem(response, 422, "validation_failed")
            assert field_errors(response) == {f"/{name}": "read_only" for name in read_only}
            assert resource.read() == before

            let_through = {name: others[name] for name in ignored & before.keys()}
            assert resource.sent(method, {**before, **let_through}).json() == before


def test_another_version_in_the_body_is_refused_like_another_entity_tag(all_resources: list[Resource]) -> None:
    for resource in all_resources:
        before = resource.read()
        if "version" not in before:
            continue
        for method in resource.methods:
            for body in ({"version": 99}, {**before, **resource.change, "version": 0, "id": "another"}):
                problem(resource.sent(method, body), 412, "version_mismatch")
            for no_version in ("1", True, None, 1.5):
                response = resource.sent(method, {"version": no_version})
                assert (response.status, field_errors(response)) == (422, {"/version": "read_only"})
        assert resource.read() == before
        assert resource.sent("PATCH", {**resource.change, "version": before["version"]}).status == 200


def test_all_wrong_fields_are_named_at_once_and_no_correct_one(all_resources: list[Resource]) -> None:
    for resource in all_resources:
        before = resource.read()
        read_only = sorted(before.keys() & {"id", "user_id", "created_at", "joined_at"} - _changeable(resource))
        right, *wrong = read_only
        sent = {**resource.change, right: before[right], **dict.fromkeys(wrong, "x"), "colour": "red"}
        for method in resource.methods:
            expected = {f"/{name}": "read_only" for name in wrong} | {"/colour": "unknown_field"}
            assert field_errors(resource.sent(method, sent)) == expected
        assert resource.read() == before


def test_me_is_the_caller_in_a_written_back_resource(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/tasks/{ann.plan(room_id=room['id'])['id']}"

    assert ann.patch(path, json={"created_by": "me", "title": "B"}).status == 200
    assert field_errors(bob.patch(path, json={"created_by": "me"})) == {"/created_by": "read_only"}
    assert ann.patch(f"/rooms/{room['id']}/users/me", json={"user_id": "me", "role": "admin"}).status == 200


def test_read_only_fields_reveal_nothing_that_is_hidden(product: Product) -> None:
    ann, bob, cleo = (product.register(name) for name in ("ann", "bob", "cleo"))
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    body = {"version": 1, "id": task["id"]}

    assert cleo.patch(f"/tasks/{task['id']}", json=body).status == 404
    assert cleo.patch(f"/rooms/{room['id']}", json={"code": room["code"]}).status == 404
    assert bob.patch(f"/rooms/{room['id']}", json={"version": 7}).status == 403
    assert bob.patch(f"/users/{ann.id}", json={"email": None, "version": 7}).status == 403


def _changeable(resource: Resource) -> set[str]:
    [body, *_] = [each.route.body for each in _changes() if each.route.path == resource.route]
    return set(body.__struct_fields__)


def _another(value: Any) -> Any:
    """A value of the same kind."""
    if isinstance(value, list):
        return value[1:]
    if isinstance(value, dict):
        return {name: _another(each) for name, each in value.items()}
    return value + 1 if isinstance(value, int) else f"{value}x"

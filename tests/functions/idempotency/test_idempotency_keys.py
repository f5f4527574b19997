"""Idempotency-Key on every write with a token: the same request under the same key has one effect and one response."""

import time

import pytest

from tests.functions.requests.write_requests import OTHER_PASSWORD, READS, WRITES, Request, Scene, effects, send
from tests.functions.room_cleanup.stream_deliveries import lost_responses, outage
from tests.support import builders
from tests.support.client import Person, Response
from tests.support.gateway import routes
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import change

KEY = "b1f6a1f2-7a53-4a3c-9d2b-0f6f5e1c9f10"


def keyed(person: Person, request: Request, key: str = KEY, **headers: str) -> Response:
    return send(person, request, Idempotency_Key=key, **headers)


def is_replay(response: Response) -> bool:
    return "Idempotency-Replayed" in response.headers and response.headers["Idempotency-Replayed"] == "true"


def test_every_authenticated_write_is_covered(product: Product) -> None:
    with_token = {
        f"{route.method} {route.path}"
        for route in routes(product.aws)
        if not route.public and route.method not in ("GET", "HEAD")
    }

    assert {write.route for write in WRITES.values()} == with_token - READS


@pytest.mark.parametrize("name", WRITES)
def test_a_repeated_write_has_one_effect_and_the_first_response(product: Product, name: str) -> None:
    scene, write = Scene(product), WRITES[name]
    person, request = write.by(scene), write.request(scene)
    before = effects(product)

    # The resource is there, whether or not it has a version.
    first = keyed(person, request, If_Match="*")
    if write.ends_token:
        # A key is its owner's, whichever token it comes with.
        person = product.anonymous.sign_in(person.username, person.password)
    after = effects(product)
    again = [keyed(person, request) for _ in range(2)]
    other = keyed(person, ("POST", "/rooms", {"name": "Another"}))

    assert first.status in (200, 201, 202, 204)
    assert not is_replay(first)
    assert after != before
    for response in again:
        assert is_replay(response)
        assert (response.status, response.text) == (first.status, first.text)
        for field in ("Content-Type", "Location", "ETag", "Cache-Control"):
            assert response.headers.get(field) == first.headers.get(field)
        assert response.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    problem(other, 422, "idempotency_key_reused")
    assert effects(product) == after


def test_the_stored_response_is_returned_after_later_changes(product: Product) -> None:
    scene = Scene(product)
    first = keyed(scene.ann, ("POST", "/tasks", {"title": "Once", "room_id": scene.room["id"]}))
    scene.bob.patch(f"/tasks/{first.json()['id']}", json={"title": "Changed"})
    scene.bob.delete_for_good(first.json())

    again = keyed(scene.ann, ("POST", "/tasks", {"title": "Once", "room_id": scene.room["id"]}))

    assert (again.status, again.json(), is_replay(again)) == (201, first.json(), True)
    assert scene.ann.get(f"/tasks/{first.json()['id']}").status == 404


def test_without_a_key_or_with_another_key_the_write_is_repeated(product: Product) -> None:
    ann = product.register("ann")
    request = ("POST", "/tasks", {"title": "Each time"})

    responses = [keyed(ann, request, "first"), keyed(ann, request, "second"), ann.post("/tasks", json=request[2])]

    assert [(response.status, is_replay(response)) for response in responses] == [(201, False)] * 3
    assert len({response.json()["id"] for response in responses}) == 3


@pytest.mark.parametrize(
    "other",
    [
        ("POST", "/rooms", {"name": "Twice"}),
        ("POST", "/rooms", {}),
        ("POST", "/rooms", None),
        ("POST", "/tasks", {"title": "Twice"}),
        ("PATCH", "/users/me", {"email": None}),
    ],
)
def test_a_key_used_for_another_request_is_refused(product: Product, other: Request) -> None:
    ann = product.register("ann")
    keyed(ann, ("POST", "/rooms", {"name": "Once"}))
    before = effects(product)

    response = keyed(ann, other)

    problem(response, 422, "idempotency_key_reused")
    assert effects(product) == before


def test_keys_of_different_users_are_independent(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    request = ("POST", "/rooms", {"name": "Once each"})

    responses = [keyed(person, request) for person in (ann, bob)]

    assert [(response.status, is_replay(response)) for response in responses] == [(201, False)] * 2
    assert [response.json()["created_by"] for response in responses] == [ann.id, bob.id]
    assert keyed(ann, request).json() == responses[0].json()


def test_a_failed_request_can_be_retried_under_its_key(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = bob.open_room(join_role=None)
    request = ("POST", "/rooms/join", {"code": room["code"]})

    refused = [keyed(ann, request) for _ in range(2)]
    bob.patch(f"/rooms/{room['id']}", json={"join_role": "member"})
    joined = keyed(ann, request)
    again = keyed(ann, request)

    for response in refused:
        problem(response, 404, "unknown_code")
        assert not is_replay(response)
    assert (joined.status, is_replay(joined)) == (200, False)
    assert (again.json(), is_replay(again)) == (joined.json(), True)


def test_an_unreadable_request_leaves_its_key_unused(product: Product) -> None:
    ann = product.register("ann")

    refused = keyed(ann, ("POST", "/tasks", {"title": ""}))
    corrected = keyed(ann, ("POST", "/tasks", {"title": "Now right"}))

    assert (refused.status, corrected.status, is_replay(corrected)) == (422, 201, False)


def test_a_repeated_change_does_not_conflict_with_its_own_version(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    request = ("PATCH", f"/tasks/{task['id']}", {"title": "Once"})

    first = keyed(ann, request, If_Match='"1"')
    again = keyed(ann, request, If_Match='"1"')
    unkeyed = ann.patch(request[1], json=request[2], headers={"If-Match": '"1"'})

    assert (first.status, first.json()["version"]) == (200, 2)
    assert (again.status, again.json(), again.tagged_version, is_replay(again)) == (200, first.json(), 2, True)
    problem(unkeyed, 412, "version_mismatch")


def test_a_repeated_deletion_is_no_not_found(product: Product) -> None:
    scene = Scene(product)

    for path in (f"/tasks/{scene.task['id']}", scene.path):
        responses = [keyed(scene.ann, ("DELETE", path, None), key=path) for _ in range(2)]
        assert [(response.status, is_replay(response)) for response in responses] == [(204, False), (204, True)]
        assert scene.ann.delete(path).status == 404


def test_a_repeated_password_change_does_not_fail_on_the_old_password(product: Product) -> None:
    ann = product.register("ann")
    request = WRITES["change the password"].request(Scene(product))

    responses = [keyed(ann, request) for _ in range(2)]
    unkeyed = ann.post(request[1], json=request[2])

    assert [(response.status, is_replay(response)) for response in responses] == [(204, False), (204, True)]
    problem(unkeyed, 401, "invalid_credentials")
    assert product.anonymous.sign_in(ann.username, OTHER_PASSWORD).get("/users/me").status == 200


def test_a_write_whose_database_response_was_lost_is_found(product: Product) -> None:
    ann = product.register("ann")
    request = ("POST", "/tasks", {"title": "Once"})

    with lost_responses("TasksTableV2"):
        first = keyed(ann, request)
    again = keyed(ann, request)

    assert (first.status, again.status, is_replay(again)) == (201, 201, True)
    assert first.json() == again.json()
    assert ann.list("/tasks") == [first.json()]


def test_after_an_outage_the_same_key_carries_the_request_out(product: Product) -> None:
    ann = product.register("ann")
    request = ("POST", "/tasks", {"title": "Once"})

    with outage("TasksTableV2"):
        failed = keyed(ann, request)
    with outage("IdempotencyTable"):
        failed_too = keyed(ann, request)
    done = keyed(ann, request)

    problem(failed, 503, "dependency_failed")
    problem(failed_too, 503, "dependency_failed")
    assert (done.status, is_replay(done)) == (201, False)
    assert ann.list("/tasks") == [done.json()]


def test_a_key_is_stored_for_a_day(product: Product) -> None:
    ann = product.register("ann")
    request = ("POST", "/tasks", {"title": "Once a day"})
    now = time.time()
    first = keyed(ann, request)

    [record] = product.items("IdempotencyTable")
    day_left = int(record["expires_at"]) - now
    # DynamoDB deletes it some time after; until then it must count for nothing.
    change(product.aws, "IdempotencyTable", {"receipt_id": record["receipt_id"]}, expires_at=int(now) - 1)
    next_day = keyed(ann, request)
    again = keyed(ann, request)

    assert 86_390 < day_left < 86_460
    assert (next_day.status, is_replay(next_day)) == (201, False)
    assert next_day.json()["id"] != first.json()["id"]
    assert (again.json(), is_replay(again)) == (next_day.json(), True)


def test_an_expired_key_can_be_used_for_another_request(product: Product) -> None:
    ann = product.register("ann")
    keyed(ann, ("POST", "/tasks", {"title": "Yesterday"}))
    [record] = product.items("IdempotencyTable")
    change(product.aws, "IdempotencyTable", {"receipt_id": record["receipt_id"]}, expires_at=1)

    response = keyed(ann, ("POST", "/tasks", {"title": "Today"}))

    assert (response.status, response.json()["title"]) == (201, "Today")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "\x7f"])
def test_a_key_is_printable_and_limited_in_length(product: Product, key: str) -> None:
    ann = product.register("ann")

    response = keyed(ann, ("POST", "/rooms", {}), key)

    problem(response, 400, "invalid_idempotency_key")
    assert ann.list("/rooms") == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "with space", '"quoted, as the draft has it"', "!#$%&'*+-.^_`|~"])
def test_any_other_key_is_accepted(product: Product, key: str) -> None:
    ann = product.register("ann")

    responses = [keyed(ann, ("POST", "/rooms", {}), key) for _ in range(2)]

    assert [(response.status, is_replay(response)) for response in responses] == [(201, False), (201, True)]


def test_reads_ignore_a_key(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan(title="Before")
    before = keyed(ann, ("GET", f"/tasks/{task['id']}", None))
    ann.patch(f"/tasks/{task['id']}", json={"title": "After"})

    after = keyed(ann, ("GET", f"/tasks/{task['id']}", None))

    assert (before.json()["title"], after.json()["title"]) == ("Before", "After")
    assert product.items("IdempotencyTable") == []


def test_an_idempotency_record_contains_no_password(product: Product) -> None:
    ann = product.register("ann")

    keyed(ann, WRITES["change the password"].request(Scene(product)))

    kept = str(product.items("IdempotencyTable"))
    assert builders.PASSWORD not in kept
    assert OTHER_PASSWORD not in kept
    assert KEY not in kept


def test_a_change_without_effect_gets_the_same_response_again(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="Desks")
    key = {"Idempotency-Key": "a-rename"}
    first = ann.patch(f"/rooms/{room['id']}", json={"name": "Desks"}, headers=key)
    ann.patch(f"/rooms/{room['id']}", json={"name": "Chairs"})

    again = ann.patch(f"/rooms/{room['id']}", json={"name": "Desks"}, headers=key)

    assert (again.status, again.json()) == (first.status, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ann.get(f"/rooms/{room['id']}").json()["name"] == "Chairs"


def test_a_key_of_a_deleted_user_is_free(product: Product) -> None:
    scene = Scene(product)

    responses = [keyed(person, ("DELETE", "/users/me", None)) for person in (scene.bob, scene.cleo)]

    assert [(response.status, is_replay(response)) for response in responses] == [(204, False)] * 2
    kept = {item["receipt_id"].partition("#")[0] for item in product.items("IdempotencyTable")}
    assert kept == {scene.bob.id, scene.cleo.id}

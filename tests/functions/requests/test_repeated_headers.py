"""A header line sent twice: lists are one list, and of a field that takes one value different ones are refused."""

from tests.functions.requests.write_requests import effects
from tests.support.client import Person, Response
from tests.support.problems import problem
from tests.support.product import Product

JSON = ("Content-Type", "application/json")
TEXT = ("Content-Type", "text/plain; as=application/json")


def rename(person: Person, path: str, *lines: tuple[str, str]) -> Response:
    return person.request("PATCH", path, content='{"name": "Anew"}', headers=[JSON, *lines])


def test_entity_tags_may_be_on_several_lines(product: Product) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}"
    current, other = ann.get(path).headers["ETag"], '"7"'

    problem(rename(ann, path, ("If-Match", other), ("If-Match", '"8"')), 412, "version_mismatch")
    problem(rename(ann, path, ("If-None-Match", current), ("If-None-Match", other)), 412, "version_mismatch")
    read = [
        ann.get(path, headers=[("If-None-Match", first), ("if-none-match", second)])
        for first, second in ((current, other), (other, current))
    ]
    changed = rename(ann, path, ("If-Match", current), ("If-Match", other))

    assert [response.status for response in read] == [304, 304]
    assert changed.status == 200


def test_cache_directives_may_be_on_several_lines(product: Product) -> None:
    ann = product.register("ann")
    first = ann.get("/")
    ann.open_room()

    kept = ann.get("/")
    anew = ann.get("/", headers=[("Cache-Control", "no-cache"), ("Cache-Control", "no-transform")])

    assert kept.json() == first.json()
    assert len(anew.json()["rooms"]) == 1


def test_two_different_idempotency_keys_are_refused(product: Product) -> None:
    ann = product.register("ann")
    before = effects(product)
    keys = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]

    refused = ann.request("POST", "/rooms", content="{}", headers=[JSON, *keys])
    refresh = {"refresh_token": ann.refresh_token}
    refreshed = product.anonymous.post("/auth/refresh", json=refresh, headers=[JSON, *keys])

    problem(refused, 400, "invalid_idempotency_key")
    problem(refreshed, 400, "invalid_idempotency_key")
    assert effects(product) == before
    assert ann.get("/rooms", headers=keys).status == 200


def test_two_equal_idempotency_keys_are_accepted(product: Product) -> None:
    ann = product.register("ann")
    key = ("Idempotency-Key", "one")

    responses = [ann.request("POST", "/rooms", content="{}", headers=[JSON, *lines]) for lines in ([key, key], [key])]

    assert [response.status for response in responses] == [201, 201]
    assert responses[0].json() == responses[1].json()


def test_two_media_types_are_refused(product: Product) -> None:
    ann = product.register("ann")

    for lines in ([JSON, TEXT], [TEXT, JSON]):
        problem(ann.request("POST", "/rooms", content="{}", headers=lines), 415, "not_json")
    assert ann.request("POST", "/rooms", content="{}", headers=[JSON, JSON]).status == 201


def test_two_tokens_are_refused(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    tokens = [("Authorization", f"Bearer {person.access_token}") for person in (ann, bob)]

    for lines in (tokens, tokens[::-1]):
        problem(ann.get("/users/me", headers=lines), 401, "token_malformed")
    assert ann.get("/users/me", headers=[tokens[0]] * 2).json()["id"] == ann.id

"""How often what may be done: registering, joining, reading and writing, and what the responses say of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.template import load
from tests.support import builders
from tests.support.client import Response
from tests.support.clock import Clock
from tests.support.gateway import start_cold
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import drop

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def cold(product: Product, function: str) -> None:
    """Let the next request to a function meet a container that has served none before."""
    start_cold(product.aws.stack.functions[function]["Handler"])


def limit_status(response: Response) -> tuple[str, int, int]:
    """Name, remaining requests and seconds of the first limit named in a response."""
    found = re.match(r'"([a-z-]+)";r=(\d+);t=(\d+)', response.headers["RateLimit"])
    assert found is not None, response
    return found[1], int(found[2]), int(found[3])


def let_through(call: Callable[[], Response], most: int) -> list[Response]:
    """The responses until the first 429, of at most so many."""
    responses: list[Response] = []
    while len(responses) < most:
        response = call()
        if response.status == 429:
            break
        responses.append(response)
    return responses


def test_the_defaults_are_those_of_the_contract() -> None:
    parameters = load()["Parameters"]

    quotas = {
        name: parameters[name]["Default"] for name in parameters if re.search("(PerAccount|PerIp|PerUser)$", name)
    }

    assert quotas == {
        "SignInFailuresPerAccount": 10,
        "SignInAttemptsPerIp": 100,
        "RegistrationsPerIp": 20,
        "PasswordChangesPerUser": 20,
        "JoinsPerUser": 20,
        "JoinsPerIp": 100,
        "StrangersAddedPerUser": 20,
        "SessionRequestsPerIp": 300,
        "PublicReadsPerIp": 600,
        "ReadsPerUser": 600,
        "WritesPerUser": 120,
        "MaxRoomsPerUser": 100,
    }


def test_a_response_reports_the_remaining_quota(product: Product) -> None:
    product.aws.deploy(ReadsPerUser="600")
    ann = product.register("ann")

    responses = [ann.get("/rooms") for _ in range(3)]

    assert {response.headers["RateLimit-Policy"] for response in responses} == {'"read";q=600;w=60'}
    assert [limit_status(response)[1] for response in responses] == [599, 598, 597]
    assert all(0 < limit_status(response)[2] <= 60 for response in responses)


def test_a_refusal_reports_when_to_retry_and_the_retry_succeeds(product: Product, clock: Clock) -> None:
    product.aws.deploy(ReadsPerUser="5")
    ann = product.register("ann")
    assert len(let_through(lambda: ann.get("/rooms"), 9)) == 5

    refused = ann.get("/rooms")

    problem(refused, 429, "rate_limited")
    assert limit_status(refused) == ("read", 0, int(refused.headers["Retry-After"]))
    clock.pass_by(int(refused.headers["Retry-After"]) - 1)
    problem(ann.get("/rooms"), 429)
    clock.pass_by(1)
    assert ann.get("/rooms").status == 200


@pytest.mark.parametrize("quota", [40, 120])
def test_many_containers_admit_the_quota_and_no_tenth_less(product: Product, quota: int) -> None:
    product.aws.deploy(ReadsPerUser=str(quota))
    ann = product.register("ann")
    paths = ["/rooms", "/tasks", "/users/me", "/auth/sessions"]  # of four functions, each with a share of its own

    passed = refused = 0
    for number in range(quota + 20):
        response = ann.get(paths[number % 4])
        passed += response.status == 200
        refused += response.status == 429

    assert passed + refused == quota + 20
    assert 0.9 * quota <= passed <= quota


def test_containers_that_end_with_a_lease_never_exceed_the_quota(product: Product) -> None:
    product.aws.deploy(ReadsPerUser="40")
    ann = product.register("ann")

    def read_in_a_new_container() -> Response:
        cold(product, "RoomsFunction")
        return ann.get("/rooms")

    assert 36 <= len(let_through(read_in_a_new_container, 99)) <= 40


def test_each_user_has_their_own_quota(product: Product) -> None:
    product.aws.deploy(ReadsPerUser="2")
    ann, bob = product.register("ann"), product.register("bob")

    assert len(let_through(lambda: ann.get("/rooms"), 9)) == 2
    assert len(let_through(lambda: bob.get("/rooms"), 9)) == 2


def test_writes_and_reads_are_counted_separately(product: Product) -> None:
    product.aws.deploy(WritesPerUser="4", ReadsPerUser="10")
    ann = product.register("ann")

    written = let_through(lambda: ann.post("/tasks", json=builders.task()), 9)

    assert len(written) == 4
    assert written[0].headers["RateLimit-Policy"] == '"write";q=4;w=60'
    assert len(ann.list("/tasks")) == 4
    problem(ann.delete(f"/tasks/{written[0].json()['id']}"), 429, "rate_limited")


def test_requests_refused_for_another_reason_count_too(product: Product) -> None:
    product.aws.deploy(WritesPerUser="3")
    ann = product.register("ann")

    problem(ann.post("/tasks", json={}), 422)
    problem(ann.post("/tasks", content="{", headers={"Content-Type": "application/json"}), 400)
    problem(ann.patch("/tasks/nothing", json={}), 404)
    refused = ann.post("/tasks", json={})

    problem(refused, 429, "rate_limited")


def test_a_stored_response_counts_like_any_other(product: Product, clock: Clock) -> None:
    product.aws.deploy(WritesPerUser="2")
    ann = product.register("ann")
    headers = {"Idempotency-Key": "once"}
    first, again, refused = (ann.post("/tasks", json=builders.task(), headers=headers) for _ in range(3))

    assert (first.status, again.status) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert limit_status(again)[1] == 0, "not that of the first answer"
    problem(refused, 429, "rate_limited")
    clock.pass_by(60)
    assert ann.post("/tasks", json=builders.task(), headers=headers).json() == first.json()


def test_code_guesses_are_limited_to_twenty_per_minute(product: Product, clock: Clock) -> None:
    product.aws.deploy(JoinsPerUser="20")
    ann, bob = product.register("ann"), product.register("bob")
    room = bob.open_room()
    for number in range(20):
        response = ann.post("/rooms/join", json={"code": f"AAAAAA{number:03}"})
        problem(response, 404, "unknown_code")
        assert limit_status(response)[:2] == ("join", 19 - number)

    refused = ann.post("/rooms/join", json={"code": room["code"]})

    problem(refused, 429, "rate_limited")
    assert bob.post("/rooms/join", json={"code": room["code"]}).status == 409, "others are not held up"
    clock.pass_by(int(refused.headers["Retry-After"]))
    assert ann.join(room)["id"] == room["id"]


def test_code_guesses_of_many_users_from_one_address_are_limited(product: Product) -> None:
    product.aws.deploy(JoinsPerIp="5")
    crowd = [product.register(f"person-{number}") for number in range(6)]

    responses = [person.post("/rooms/join", json={"code": "AAAAAAAAA"}) for person in crowd]

    assert [response.status for response in responses] == [404] * 5 + [429]
    assert limit_status(responses[-1])[0] == "join-from"
    product.gateway.source_ip = "198.51.100.9"
    problem(crowd[-1].post("/rooms/join", json={"code": "AAAAAAAAA"}), 404)


def test_both_ways_to_register_share_a_counter(product: Product) -> None:
    product.aws.deploy(RegistrationsPerIp="4", BcryptCost="4")
    ways = ["/auth/register", "/users", "/users", "/auth/register", "/users", "/auth/register"]

    responses = [product.anonymous.post(path, json=builders.person()) for path in ways]

    assert [response.status for response in responses] == [201] * 4 + [429] * 2
    assert 0 < int(responses[-1].headers["Retry-After"]) <= 3600
    assert len([item for item in product.items("UsersTable") if item["kind"] == "user"]) == 4
    product.gateway.source_ip = "198.51.100.9"
    assert product.anonymous.post("/users", json=builders.person()).status == 201


PUBLIC_WRITES = ("/auth/register", "/users", "/auth/login", "/auth/recovery/complete", "/auth/refresh", "/auth/logout")


@pytest.mark.parametrize("path", [*PUBLIC_WRITES, "/auth/password", "/rooms/join"])
def test_unread_and_invalid_requests_are_counted_before_validation(product: Product, path: str) -> None:
    ann = product.register("ann")
    quotas = ("RegistrationsPerIp", "SignInAttemptsPerIp", "SessionRequestsPerIp", "PasswordChangesPerUser")
    product.aws.deploy(**dict.fromkeys([*quotas, "JoinsPerUser"], "5"))
    product.gateway.source_ip = "198.51.100.9"
    weak = {"current_password": 1, "new_password": "passwordpassword", "password": "passwordpassword", "code": "-"}
    kinds: list[dict[str, Any]] = [
        {"json": {}},
        {"json": weak},
        {"content": "{", "headers": {"Content-Type": "application/json"}},
        {"content": "{}", "headers": {"Content-Type": "text/plain"}},
        {"json": {}, "params": {"unknown": "1"}},
    ]

    refused = [ann.post(path, **kind).status for kind in kinds]

    assert set(refused) <= {400, 415, 422}
    assert {ann.post(path, **kind).status for kind in kinds} == {429}


def test_checking_whether_a_name_exists_counts_as_registering(product: Product) -> None:
    product.register(username="bob", email="bob@example.org")
    ann = product.register(username="ann", email="ann@example.org")
    product.aws.deploy(RegistrationsPerIp="4", BcryptCost="4")
    product.gateway.source_ip = "198.51.100.9"
    for same in ({}, {"username": "ann"}, {"username": "ann", "email": "ann@example.org"}):
        assert ann.put("/users/me", json=same).status == 200, "nothing is asked"

    problem(ann.patch("/users/me", json={"email": "Bob@example.org"}), 409, "email_taken")
    problem(ann.put("/users/me", json={"username": "bob"}), 409, "username_taken")
    asked = ann.patch(f"/users/{ann.id}", json={"email": "free@example.org"})
    assert asked.status == 200
    assert '"registration";r=1;' in asked.headers["RateLimit"]
    assert product.anonymous.post("/users", json=builders.person()).status == 201

    for send in (ann.put, ann.patch):
        problem(send("/users/me", json={"email": "bob@example.org"}), 429, "rate_limited")
    problem(product.anonymous.post("/users", json=builders.person()), 429, "rate_limited")
    assert ann.get("/users/me").json()["email"] == "free@example.org"
    assert ann.patch("/users/me", json={"username": "ann"}).status == 200


def test_checking_whether_a_code_exists_counts_as_joining(product: Product) -> None:
    product.aws.deploy(JoinsPerUser="3", JoinsPerIp="5")
    ann, bob = product.register("ann"), product.register("bob")
    code = bob.open_room()["code"]

    problem(ann.post("/rooms", json={"code": code}), 409, "code_taken")
    problem(ann.post("/rooms", json={"code": code.lower()}), 409, "code_taken")
    problem(ann.post("/rooms/join", json={"code": "AAAAAAAAA"}), 404)
    refused = ann.post("/rooms", json={"code": "FREE00001"})

    problem(refused, 429, "rate_limited")
    assert limit_status(refused)[0] == "join"
    assert ann.post("/rooms", json={}).status == 201, "a code that is made up tells nothing"
    assert bob.post("/rooms", json={"code": "FREE00001"}).status == 201
    problem(bob.post("/rooms", json={"code": code}), 409)
    refused = bob.post("/rooms", json={"code": code})
    assert limit_status(refused)[0] == "join-from"


def test_successful_password_changes_are_limited(product: Product, clock: Clock) -> None:
    product.aws.deploy(PasswordChangesPerUser="3", BcryptCost="4")
    ann, bob = product.register("ann"), product.register("bob")

    def change(turn: int) -> Response:
        current = builders.PASSWORD if turn == 0 else f"another long enough password {turn}"
        new = f"another long enough password {turn + 1}"
        return ann.post("/auth/password", json={"current_password": current, "new_password": new})

    responses = [change(turn) for turn in range(4)]

    assert [response.status for response in responses] == [204] * 3 + [429]
    assert limit_status(responses[-1])[0] == "password"
    body = {"current_password": bob.password, "new_password": "another long enough password"}
    assert bob.post("/auth/password", json=body).status == 204, "each has their own quota"
    clock.pass_by(int(responses[-1].headers["Retry-After"]))
    assert change(3).status == 204


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_refreshing_and_signing_out_are_counted_by_address(product: Product, path: str) -> None:
    product.aws.deploy(SessionRequestsPerIp="3")

    responses = let_through(lambda: product.anonymous.post(path, json={"refresh_token": "nobody's"}), 9)

    assert len(responses) == 3
    assert limit_status(responses[0])[0] == "session"


def test_public_routes_are_counted_by_address(product: Product) -> None:
    path = "/.well-known/jwks.json"
    product.aws.deploy(PublicReadsPerIp="3")

    responses = let_through(lambda: product.anonymous.get(path, headers={"X-Forwarded-For": "198.51.100.9"}), 9)

    assert [response.status for response in responses] == [200] * 3
    assert limit_status(responses[0])[0] == "public"
    product.gateway.source_ip = "198.51.100.9"
    assert product.anonymous.get(path).status == 200


def test_reads_and_writes_continue_while_the_counter_is_unavailable(product: Product) -> None:
    ann = product.register("ann")
    drop(product.aws, "RateLimitsTable")

    responses = [ann.get("/rooms"), ann.post("/tasks", json=builders.task()), ann.post("/rooms", json={})]

    assert [response.status for response in responses] == [200, 201, 201]
    assert all("RateLimit" not in response.headers for response in responses)


def test_guessable_routes_are_refused_while_the_counter_is_unavailable(product: Product) -> None:
    ann = product.register("ann")
    drop(product.aws, "RateLimitsTable")

    problem(ann.post("/rooms/join", json={"code": "AAAAAAAAA"}), 503, "dependency_failed")
    problem(product.anonymous.post("/users", json=builders.person()), 503, "dependency_failed")


def test_a_lease_is_one_write_for_many_requests(product: Product) -> None:
    product.aws.deploy(ReadsPerUser="600")
    ann = product.register("ann")

    def counted() -> list[int]:
        return [int(item["spent"]) for item in product.items("RateLimitsTable") if item["limit_id"].startswith("read#")]

    seen = [(ann.get("/rooms"), counted())[1] for _ in range(16)]

    assert seen == [[15]] * 15 + [[30]]

"""POST /auth/login and /auth/password: how many passwords may be tried (OWASP ASVS 5.0.0 §6.3.1, §6.3.8)."""

import bcrypt
import pytest

from tests.support import builders
from tests.support.client import Response
from tests.support.clock import Clock
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import drop

HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
WRONG = "not the password at all"
DAY = 24 * 3600

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def clock(product: Product, monkeypatch: pytest.MonkeyPatch) -> Clock:
    product.aws.deploy(BcryptCost="4")  # hundreds are computed here
    return Clock(monkeypatch)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords whose hash has been computed to look at them."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def noted(password: bytes, hashed: bytes) -> bool:
        seen.append(password)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    return seen


def login(product: Product, username: str, password: str = WRONG, ip: str = HOME) -> Response:
    product.gateway.source_ip = ip
    return product.anonymous.post("/auth/login", json={"username": username, "password": password})


def retry_after(response: Response) -> int:
    problem(response, 429, "rate_limited")
    return int(response.headers["Retry-After"])


def guess(product: Product, username: str, times: int = 10, ip: str = HOME) -> None:
    for _ in range(times):
        problem(login(product, username, ip=ip), 401, "invalid_credentials")


def test_after_ten_failures_no_password_is_checked(product: Product, computed: list[bytes]) -> None:
    product.register(username="ann")

    guess(product, "ann")

    assert len(computed) == 10
    assert retry_after(login(product, "ann")) == 60
    assert retry_after(login(product, "ann", builders.PASSWORD)) == 60, "the right one is not looked at either"
    assert len(computed) == 10


def test_the_response_does_not_reveal_whether_a_name_exists(product: Product, computed: list[bytes]) -> None:
    product.register(username="ann", email="ann@example.org")

    def refusals(ip: str = HOME, **names: str) -> list[tuple[object, dict[str, str]]]:
        product.gateway.source_ip = ip
        seen: list[tuple[object, dict[str, str]]] = []
        for _ in range(12):
            response = product.anonymous.post("/auth/login", json={**names, "password": WRONG})
            document = response.json()
            del document["request_id"]
            headers = {k: v for k, v in response.headers.items() if k != "x-request-id"}
            if response.status == 401:
                del headers["ratelimit"]  # of the address, which goes down with every attempt
            seen.append((document, headers))
        return seen

    known = refusals(username="ann")

    assert len(computed) == 10
    assert refusals(username="nobody") == known
    assert refusals(ip=ELSEWHERE, email="ann@example.org") == known
    assert refusals(ip=ELSEWHERE, email="nobody@example.org") == known
    assert len(computed) == 40


def test_failures_are_counted_per_account_across_its_names_and_routes(product: Product, computed: list[bytes]) -> None:
    ann = product.register(username="ann", email="ann@example.org")

    def by_username(password: str) -> Response:
        return login(product, "ann", password)

    def by_address(password: str) -> Response:
        return product.anonymous.post("/auth/login", json={"email": "ANN@example.org", "password": password})

    def with_a_token(password: str) -> Response:
        body = {"current_password": password, "new_password": "another long enough password"}
        return ann.post("/auth/password", json=body)

    for guess_once in [by_username, by_address, with_a_token] * 3 + [by_address]:
        problem(guess_once(WRONG), 401, "invalid_credentials")

    assert len(computed) == 10
    for way in (by_username, by_address, with_a_token):
        assert retry_after(way(builders.PASSWORD)) == 60
    assert len(computed) == 10


def test_a_correct_password_by_one_name_resets_the_failures_of_the_other(product: Product) -> None:
    ann = product.register(username="ann", email="ann@example.org")

    for _ in range(3):
        guess(product, "ann", 9)
        body = {"email": "ann@example.org", "password": builders.PASSWORD}
        assert product.anonymous.post("/auth/login", json=body).status == 200
        guess(product, "ann", 9)
        body = {"current_password": builders.PASSWORD, "new_password": "passwordpassword"}
        problem(ann.post("/auth/password", json=body), 422)


def test_a_refused_new_password_does_not_count_as_a_failure(product: Product, computed: list[bytes]) -> None:
    ann = product.register(username="zemtavel")
    right, wrong = {"current_password": builders.PASSWORD}, {"current_password": WRONG}
    refused = ("too short", "passwordpassword", "quoxbrin-zemtavel", builders.PASSWORD)

    for new in refused * 3:
        problem(ann.post("/auth/password", json={**right, "new_password": new}), 422, "validation_failed")

    assert ann.post("/auth/password", json={**right, "new_password": "another long enough password"}).status == 204
    product.aws.deploy(BcryptCost="4", PasswordChangesPerUser="99")
    computed.clear()
    for _ in range(10):
        problem(ann.post("/auth/password", json={**wrong, "new_password": "passwordpassword"}), 401)
    retry_after(ann.post("/auth/password", json={**wrong, "new_password": "passwordpassword"}))
    assert len(computed) == 10


def test_spellings_of_one_name_share_a_counter(product: Product) -> None:
    product.register(username="ann")
    for name in ("ann", "ANN", "Ann", "\uff41nn", "aNN"):
        guess(product, name, 2)

    retry_after(login(product, "anN"))


def test_each_further_failure_doubles_the_wait_up_to_an_hour(product: Product, clock: Clock) -> None:
    guess(product, "ann")

    for seconds in (60, 120, 240, 480, 960, 1920, 3600, 3600, 3600):
        assert retry_after(login(product, "ann")) == seconds
        clock.pass_by(seconds - 1)
        assert retry_after(login(product, "ann")) == 1
        clock.pass_by(1)
        problem(login(product, "ann"), 401, "invalid_credentials")


def test_a_correct_password_after_the_wait_resets_the_counter(product: Product, clock: Clock) -> None:
    product.register(username="ann")
    guess(product, "ann")
    clock.pass_by(retry_after(login(product, "ann")))

    assert login(product, "ann", builders.PASSWORD).status == 200

    guess(product, "ann")
    assert retry_after(login(product, "ann")) == 60


def test_a_successful_sign_in_resets_the_counter(product: Product) -> None:
    product.register(username="ann")

    for _ in range(3):
        guess(product, "ann", 9)
        assert login(product, "ann", builders.PASSWORD).status == 200


def test_a_few_failures_expire_after_fifteen_minutes(product: Product, clock: Clock) -> None:
    guess(product, "ann", 9)
    clock.pass_by(899)
    guess(product, "ann", 1)
    retry_after(login(product, "ann"))

    guess(product, "bob", 9)
    clock.pass_by(900)
    guess(product, "bob", 10)
    retry_after(login(product, "bob"))


def test_waits_expire_a_day_after_the_last_failure(product: Product, clock: Clock) -> None:
    guess(product, "ann")
    clock.pass_by(60 + DAY - 1)
    problem(login(product, "ann"), 401)
    assert retry_after(login(product, "ann")) == 120

    clock.pass_by(120 + DAY)
    guess(product, "ann")
    assert retry_after(login(product, "ann")) == 60


def test_another_network_is_not_locked_out(product: Product) -> None:
    product.register(username="ann")
    guess(product, "ann", ip=ELSEWHERE)
    retry_after(login(product, "ann", ip=ELSEWHERE))

    assert login(product, "ann", builders.PASSWORD, ip=HOME).status == 200

    retry_after(login(product, "ann", ip=ELSEWHERE))


def attack(product: Product, username: str) -> None:
    """A hundred failures in a row, from ten networks."""
    for number in range(10):
        guess(product, username, 10, ip=f"203.0.113.{number}")


def test_after_a_hundred_consecutive_failures_a_new_network_waits_an_hour(
    product: Product, clock: Clock, computed: list[bytes]
) -> None:
    product.register(username="ann")
    attack(product, "ann")
    computed.clear()

    assert retry_after(login(product, "ann", builders.PASSWORD, ip=ELSEWHERE)) == 3600
    assert retry_after(login(product, "ann", ip="203.0.113.0")) == 60
    clock.pass_by(60)
    assert retry_after(login(product, "ann", ip="203.0.113.0")) == 3600
    assert computed == []


def test_an_attacker_cannot_lock_out_a_user_forever(product: Product, clock: Clock) -> None:
    product.register(username="ann")
    attack(product, "ann")
    clock.pass_by(retry_after(login(product, "ann", builders.PASSWORD, ip=ELSEWHERE)) - 1)
    for number in range(10, 20):
        retry_after(login(product, "ann", ip=f"203.0.113.{number}"))
    clock.pass_by(1)

    assert login(product, "ann", builders.PASSWORD, ip=ELSEWHERE).status == 200


def test_a_new_network_has_one_attempt_after_each_wait(product: Product, clock: Clock) -> None:
    product.register(username="ann")
    attack(product, "ann")
    clock.pass_by(retry_after(login(product, "ann", ip=ELSEWHERE)))

    problem(login(product, "ann", ip=ELSEWHERE), 401, "invalid_credentials")

    assert retry_after(login(product, "ann", builders.PASSWORD, ip=ELSEWHERE)) == 3600


def test_a_known_network_can_still_sign_in(product: Product) -> None:
    product.register(username="ann")
    assert login(product, "ann", builders.PASSWORD, ip=HOME).status == 200
    attack(product, "ann")
    guess(product, "ann", 9, ip=HOME)

    assert login(product, "ann", builders.PASSWORD, ip=HOME).status == 200
    assert login(product, "ann", builders.PASSWORD, ip=ELSEWHERE).status == 200, "the row of failures is over"


def test_a_network_is_known_for_ninety_days(product: Product, clock: Clock) -> None:
    product.register(username="ann")
    assert login(product, "ann", builders.PASSWORD, ip=HOME).status == 200
    clock.pass_by(90 * DAY + 1)
    attack(product, "ann")

    assert retry_after(login(product, "ann", builders.PASSWORD, ip=HOME)) == 3600


def test_addresses_of_one_ipv6_network_are_counted_together(product: Product) -> None:
    """A /56, which is what a customer has."""
    for number in range(10):
        guess(product, "ann", 1, ip=f"2001:db8:0:1{number:02x}:{number}::1")

    retry_after(login(product, "ann", ip="2001:db8:0:1ff:ffff::1"))
    problem(login(product, "ann", ip="2001:db8:0:200::1"), 401, "invalid_credentials")


def test_an_ipv4_mapped_ipv6_address_is_counted_as_ipv4(product: Product) -> None:
    guess(product, "ann", 10, ip=f"::ffff:{HOME}")

    retry_after(login(product, "ann", ip=HOME))
    problem(login(product, "ann", ip=f"::ffff:{ELSEWHERE}"), 401)


def test_forwarding_headers_of_a_client_are_ignored(product: Product) -> None:
    def claiming(address: str) -> Response:
        names = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP")
        headers = {**dict.fromkeys(names, address), "Forwarded": f"for={address}"}
        return product.anonymous.post("/auth/login", json={"username": "ann", "password": WRONG}, headers=headers)

    responses = [claiming(f"198.51.100.{number}") for number in range(11)]

    assert [response.status for response in responses[:10]] == [401] * 10
    retry_after(responses[-1])


def test_one_address_has_a_hundred_attempts_across_all_names(product: Product, clock: Clock) -> None:
    product.aws.deploy(SignInAttemptsPerIp="12")
    for number in range(12):
        response = login(product, f"person-{number}")
        assert response.headers["RateLimit-Policy"] == '"sign-in";q=12;w=900'
        assert response.headers["RateLimit"].startswith(f'"sign-in";r={11 - number};t=')

    refused = login(product, "person-13")

    assert 0 < retry_after(refused) <= 900
    assert refused.headers["RateLimit"] == f'"sign-in";r=0;t={refused.headers["Retry-After"]}'
    problem(login(product, "person-13", ip=ELSEWHERE), 401)
    clock.pass_by(int(refused.headers["Retry-After"]))
    problem(login(product, "person-13"), 401)


def test_invalid_fields_count_for_the_address_and_for_no_account(product: Product) -> None:
    product.aws.deploy(SignInFailuresPerAccount="1", SignInAttemptsPerIp="4", BcryptCost="4")
    for body in ({}, {"username": "ann"}, {"username": "ann", "password": 7}):
        problem(product.anonymous.post("/auth/login", json=body), 422)

    problem(login(product, "ann"), 401)
    refused = product.anonymous.post("/auth/login", json={})
    problem(refused, 429, "rate_limited")
    assert refused.headers["RateLimit"].startswith('"sign-in";r=0;'), "the address has to wait"


def test_the_current_password_cannot_be_guessed_with_a_stolen_token(
    product: Product, clock: Clock, computed: list[bytes]
) -> None:
    ann = product.register(username="ann")
    body = {"current_password": WRONG, "new_password": "another long enough password"}
    for _ in range(10):
        problem(ann.post("/auth/password", json=body), 401, "invalid_credentials")

    refused = ann.post("/auth/password", json={**body, "current_password": builders.PASSWORD})

    assert retry_after(refused) == 60
    assert len(computed) == 10
    clock.pass_by(60)
    assert ann.post("/auth/password", json={**body, "current_password": builders.PASSWORD}).status == 204


def test_no_typed_name_or_password_is_stored(product: Product) -> None:
    product.register(username="ann", email="ann@example.org")
    product.anonymous.post("/auth/login", json={"email": "ann@example.org", "password": builders.PASSWORD})
    login(product, "ann")
    login(product, "nobody-of-this-name")

    kept = repr(product.items("RateLimitsTable"))

    assert "ann" not in kept
    assert "nobody" not in kept
    assert all(item["expires_at"] for item in product.items("RateLimitsTable"))


def test_without_the_counter_no_password_is_checked(product: Product, computed: list[bytes]) -> None:
    product.register(username="ann")
    drop(product.aws, "RateLimitsTable")

    problem(login(product, "ann", builders.PASSWORD), 503, "dependency_failed")

    assert computed == []

"""What a sign-in costs tells nothing of the account: OWASP ASVS 5.0.0 6.3.8. And old hashes are made anew: 11.4.2."""

from collections.abc import Iterator
from contextlib import contextmanager

import bcrypt
import pytest

from tasksync.security.passwords import hash_password
from tests.support.aws import environment
from tests.support.client import Response
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import change, drop

PASSWORD = "a password of some length"


@pytest.fixture
def product(product: Product) -> Product:
    """With the least cost that the template allows: elsewhere it is lower than that."""
    product.aws.deploy(BcryptCost="10")
    return product


class Work:
    """The rounds of each bcrypt computation, as powers of two, and the reads and writes in tables."""

    def __init__(self) -> None:
        self.costs: list[int] = []
        self.calls: list[str] = []

    @property
    def rounds(self) -> int:
        return sum(2**cost for cost in self.costs)


@contextmanager
def measured(product: Product) -> Iterator[Work]:
    work = Work()
    check, make = bcrypt.checkpw, bcrypt.hashpw

    def checked(password: bytes, hashed: bytes) -> bool:
        work.costs.append(int(hashed.split(b"$")[2]))
        return check(password, hashed)

    def made(password: bytes, salt: bytes) -> bytes:
        work.costs.append(int(salt.split(b"$")[2]))
        return make(password, salt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcrypt, "checkpw", checked)
        patch.setattr(bcrypt, "hashpw", made)
        product.aws.permissions.calls.clear()
        yield work
        work.calls = list(product.aws.permissions.calls)


def login(product: Product, password: str = PASSWORD, **names: str) -> Response:
    return product.anonymous.post("/auth/login", json={**names, "password": password})


def hash_of(product: Product, user_id: str) -> str:
    [user] = [item for item in product.items("UsersTable") if item["user_id"] == user_id]
    return str(user["password_hash"])


def make_older(product: Product, user_id: str, cost: int) -> None:
    """Give the user a hash of the same password as the service would have made it with this cost."""
    with product.aws.running("AuthFunction"), environment({"BCRYPT_COST": str(cost)}):
        older = hash_password(PASSWORD)
    change(product.aws, "UsersTable", {"user_id": user_id}, password_hash=older)


def deleting(product: Product, user_id: str) -> None:
    change(product.aws, "UsersTable", {"user_id": user_id}, status="deleting")


def test_every_refusal_has_the_same_cost_and_the_same_response(product: Product) -> None:
    ann = product.register(username="ann", email="ann@example.org", password=PASSWORD)
    bob = product.register(username="bob", password=PASSWORD)
    deleting(product, bob.id)
    login(product, username="ann", password="warmed up")
    attempts: dict[str, dict[str, str]] = {
        "wrong": {"username": "ann", "password": "not the password"},
        "wrong, by address": {"email": "ann@example.org", "password": "not the password"},
        "empty but for a space": {"username": "ann", "password": " "},
        "unknown": {"username": "nobody"},
        "unknown, by address": {"email": "nobody@example.org"},
        "an id": {"username": ann.id},
        "being deleted": {"username": "bob"},
        "being deleted, and wrong": {"username": "bob", "password": "not the password"},
    }

    refusals = {}
    for name, attempt in attempts.items():
        with measured(product) as work:
            response = login(product, **attempt)
        document = problem(response, 401, "invalid_credentials")
        del document["request_id"]
        # What is left of the limit falls with each attempt, whatever the name.
        changing = {"x-request-id", "ratelimit"}
        headers = {key: value for key, value in response.headers.items() if key not in changing}
        refusals[name] = (work.costs, work.calls, document, headers)

    assert refusals["wrong"][0] == [10], "one computation of the cost that is set"
    for name, refusal in refusals.items():
        assert refusal == refusals["wrong"], name


@pytest.mark.parametrize("cost", [4, 8, 9])
def test_an_account_with_a_cheaper_hash_is_refused_at_the_same_cost(product: Product, cost: int) -> None:
    ann = product.register(username="ann", password=PASSWORD)
    make_older(product, ann.id, cost)

    with measured(product) as wrong:
        problem(login(product, username="ann", password="not the password"), 401, "invalid_credentials")
    with measured(product) as unknown:
        problem(login(product, username="nobody"), 401, "invalid_credentials")

    assert wrong.rounds == unknown.rounds == 2**10
    assert hash_of(product, ann.id).startswith(f"$2b${cost:02}$")


@pytest.mark.parametrize("cost", [4, 9, 11])
def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(product: Product, cost: int) -> None:
    ann = product.register(username="ann", password=PASSWORD)
    make_older(product, ann.id, cost)
    before = ann.get("/users/me").json()

    response = login(product, username="ann")

    assert response.status == 200, response
    assert hash_of(product, ann.id).startswith("$2b$10$")
    assert ann.get("/users/me").json() == before, "no change of the user that anybody sees"
    with measured(product) as work:
        assert login(product, username="ann").status == 200
    assert work.costs == [10], "once"


def test_a_sign_in_succeeds_although_the_hash_renewal_conflicts(product: Product) -> None:
    ann = product.register(username="ann", password=PASSWORD)
    make_older(product, ann.id, 4)
    older = hash_of(product, ann.id)
    other = f"{older[:-1]}{'/' if older.endswith('.') else '.'}"
    make = bcrypt.hashpw

    def made(password: bytes, salt: bytes) -> bytes:
        change(product.aws, "UsersTable", {"user_id": ann.id}, password_hash=other)
        return make(password, salt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcrypt, "hashpw", made)
        response = login(product, username="ann")

    assert response.status == 200, response
    assert hash_of(product, ann.id) == other, "somebody else's change stands"


def test_a_sign_in_succeeds_although_the_hash_renewal_meets_an_outage(product: Product) -> None:
    ann = product.register(username="ann", password=PASSWORD)
    make_older(product, ann.id, 4)
    make = bcrypt.hashpw

    def made(password: bytes, salt: bytes) -> bytes:
        everything = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
        with product.aws.permissions.of("an outage", everything):
            drop(product.aws, "UsersTable")
        return make(password, salt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcrypt, "hashpw", made)
        response = login(product, username="ann")

    assert response.status == 200, response

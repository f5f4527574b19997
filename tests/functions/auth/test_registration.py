"""POST /auth/register: who may have which name and which password, and what comes back."""

from typing import Any

import pytest

from tests.support import builders
from tests.support.problems import field_errors, problem
from tests.support.product import Product

CLAIMS = ("NAME#", "EMAIL#")


def test_registering_returns_the_user_and_a_pair_of_tokens(product: Product) -> None:
    body = builders.person("ann")

    response = product.anonymous.post("/auth/register", json=body)

    assert response.status == 201, response
    found = response.json()
    assert found.keys() == {
        *("user", "access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in")
    }
    assert found["user"].keys() == {
        "id",
        "username",
        "email",
        "role",
        "created_at",
        "updated_at",
        "version",
        "added_by",
    }
    assert found["user"]["username"] == body["username"]
    assert found["user"]["email"] == body["email"]
    assert found["user"]["role"] == "user"
    assert found["user"]["version"] == 1
    assert found["user"]["created_at"] == found["user"]["updated_at"]
    assert found["user"]["created_at"].endswith("Z")
    assert found["token_type"] == "Bearer"
    assert found["expires_in"] == 600
    assert 604_790 <= found["refresh_expires_in"] <= 604_800
    assert response.headers["Location"] == f"/users/{found['user']['id']}"


def test_a_registered_user_is_signed_in(product: Product) -> None:
    ann = product.register("ann")

    response = ann.get("/users/me")

    assert response.status == 200, response
    assert response.json()["id"] == ann.id


def test_a_username_is_sufficient(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json={"username": "ann", "password": builders.PASSWORD})

    assert response.status == 201, response
    assert response.json()["user"]["email"] is None


def test_an_address_is_sufficient_and_a_username_is_generated(product: Product) -> None:
    names = []
    for address in ("ann@example.org", "bob@example.org"):
        response = product.anonymous.post("/auth/register", json={"email": address, "password": builders.PASSWORD})
        assert response.status == 201, response
        names.append(response.json()["user"]["username"])

    assert all(names)
    assert len(set(names)) == 2
    assert product.anonymous.sign_in(names[0]).email == "ann@example.org"


@pytest.mark.parametrize("nobody", [{}, {"username": None, "email": None}], ids=["absent", "null"])
def test_a_username_or_an_address_is_required(product: Product, nobody: dict[str, Any]) -> None:
    response = product.anonymous.post("/auth/register", json={**nobody, "password": builders.PASSWORD})

    assert field_errors(response) == {"/username": "missing"}


@pytest.mark.parametrize(
    ("field", "first", "second", "code"),
    [
        ("username", "ann", "ann", "username_taken"),
        ("username", "Ann", "aNN", "username_taken"),
        ("username", "ÉMILE Straße", "émile strasse", "username_taken"),
        ("email", "Ann@Example.org", "ann@example.ORG", "email_taken"),
    ],
)
def test_a_name_is_taken_in_any_case(product: Product, field: str, first: str, second: str, code: str) -> None:
    assert product.anonymous.post("/auth/register", json={field: first, "password": builders.PASSWORD}).status == 201
    before = product.items("UsersTable"), product.items("SessionsTable")

    response = product.anonymous.post("/auth/register", json={field: second, "password": builders.PASSWORD})

    problem(response, 409, code)
    assert field_errors(response, 409) == {f"/{field}": code}
    assert (product.items("UsersTable"), product.items("SessionsTable")) == before


def test_a_taken_address_leaves_the_new_username_free(product: Product) -> None:
    product.register("ann", email="ann@example.org")

    response = product.anonymous.post("/auth/register", json=builders.person(username="eve", email="ann@example.org"))

    problem(response, 409, "email_taken")
    assert product.register(username="eve").username == "eve"


@pytest.mark.parametrize(
    "password",
    [
        "only words and spaces",
        "72910461838274651",
        "пароль из букв!",
        "\N{CAT FACE}\N{DOG FACE}\N{COW FACE}\N{HORSE FACE}\N{MOUSE FACE} on a farm",
        ("eighteen zebras run by " * 45)[:1024],
        "nul \x00 and tab \t inside",
        " fifteen spaces ",
    ],
)
def test_any_long_and_hard_to_guess_password_is_accepted(product: Product, password: str) -> None:
    """OWASP ASVS 5.0.0 6.2.5, 6.2.8, 6.2.9; NIST SP 800-63B-4 §3.1.1.2: no rule of composition."""
    ann = product.register("ann", password=password)

    assert product.anonymous.sign_in(ann.username, password).id == ann.id


def test_a_password_has_15_characters_whatever_its_bytes(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json=builders.person(password="\N{CAT FACE}" * 14))

    assert field_errors(response) == {"/password": "too_short"}
    assert "15" in response.json()["errors"][0]["detail"]


def test_password_length_counts_composed_characters(product: Product) -> None:
    decomposed = "e\N{COMBINING ACUTE ACCENT}"

    response = product.anonymous.post("/auth/register", json=builders.person(password=decomposed * 14))

    assert field_errors(response) == {"/password": "too_short"}


def test_all_characters_of_a_64_character_four_byte_password_count(product: Product) -> None:
    password = "\N{CAT FACE}" * 64
    ann = product.register("ann", password=password)

    response = product.anonymous.post(
        "/auth/login", json={"username": ann.username, "password": password[:-1] + "\N{DOG FACE}"}
    )

    problem(response, 401, "invalid_credentials")
    assert product.anonymous.sign_in(ann.username, password).id == ann.id


def test_composed_and_decomposed_passwords_are_equal(product: Product) -> None:
    composed = "caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait et tartine"
    decomposed = "cafe\N{COMBINING ACUTE ACCENT} au lait et tartine"

    ann = product.register("ann", password=decomposed)

    assert product.anonymous.sign_in(ann.username, composed).id == ann.id
    assert product.anonymous.sign_in(ann.username, decomposed).id == ann.id


def test_a_password_of_more_than_1024_characters_is_refused(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json=builders.person(password="x" * 1025))

    assert field_errors(response) == {"/password": "too_long"}


@pytest.mark.parametrize("username", ["", " ann", "ann ", "an\nn", "an\x00n", "\x7f", "x" * 81, 7, True, [], {}])
def test_a_username_is_printable_and_limited_in_length(product: Product, username: object) -> None:
    response = product.anonymous.post("/auth/register", json=builders.person(username=username))

    assert field_errors(response).keys() == {"/username"}


@pytest.mark.parametrize(
    "email", ["", "ann", "@example.org", "ann@", "ann@example", "a nn@example.org", "ann@example.org\n", "a@b@c.org", 1]
)
def test_an_address_has_the_form_of_an_email_address(product: Product, email: object) -> None:
    response = product.anonymous.post("/auth/register", json=builders.person(email=email))

    assert field_errors(response).keys() == {"/email"}


def test_a_username_of_80_characters_of_any_script_is_accepted(product: Product) -> None:
    name = "Ж" * 80

    assert product.register(username=name).username == name


@pytest.mark.parametrize("field", ["id", "role", "version", "created_at", "status", "token_epoch", "password_hash"])
def test_fields_that_clients_cannot_set_are_refused(product: Product, field: str) -> None:
    response = product.anonymous.post("/auth/register", json=builders.person(**{field: "admin"}))

    assert field_errors(response) == {f"/{field}": "unknown_field"}
    assert product.items("UsersTable") == []


def test_all_field_errors_are_reported_at_once(product: Product) -> None:
    response = product.anonymous.post(
        "/auth/register", json={"username": 7, "email": "nowhere", "password": None, "role": "admin", "x/y~z": 1}
    )

    assert field_errors(response) == {
        "/username": "wrong_type",
        "/email": "bad_format",
        "/password": "wrong_type",
        "/role": "unknown_field",
        "/x~1y~0z": "unknown_field",
    }


def test_a_short_password_is_reported_with_the_other_field_errors(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json={"username": 7, "password": "short"})

    assert field_errors(response) == {"/username": "wrong_type", "/password": "too_short"}


def test_a_missing_name_is_reported_with_a_short_password(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json={"password": "short"})

    assert field_errors(response) == {"/username": "missing", "/password": "too_short"}


def test_passwords_and_tokens_are_not_stored_in_clear(product: Product) -> None:
    ann = product.register("ann")

    kept = repr(product.items("UsersTable") + product.items("SessionsTable"))

    assert ann.username in kept
    assert ann.password not in kept
    assert not any(part in kept for part in ann.refresh_token.split(".")[1:])
    assert str(ann.access_token) not in kept


def test_the_bcrypt_input_is_a_hash_of_the_password(product: Product) -> None:
    product.aws.deploy(BcryptCost="10")
    product.register("ann", password="a password kept with care")
    product.register("bob", password="a password kept with care")

    hashes = [user["password_hash"] for user in product.items("UsersTable") if "password_hash" in user]

    assert all(each.startswith("$2b$10$") for each in hashes)
    assert len(set(hashes)) == 2

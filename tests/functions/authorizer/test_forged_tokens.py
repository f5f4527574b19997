"""Tokens that must not be believed: RFC 8725 §2 and §3, RFC 9068 §4, OWASP ASVS 5.0.0 §9."""

import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tasksync.model.errors import InvalidToken
from tests.functions.authorizer import forged_tokens
from tests.functions.authorizer.forged_tokens import Forger, assembled, right_claims
from tests.support.client import Person
from tests.support.problems import problem
from tests.support.product import Product

NOW = int(time.time())
YEAR = 365 * 24 * 3600


@pytest.fixture
def published(product: Product) -> Forger:  # noqa: ARG001  # there must be an account to publish in
    """A key of the product's own, in the hands of the test."""
    forger = Forger()
    forger.publish()
    return forger


def believed(person: Person, token: str) -> bool:
    """Whether the gateway lets the token in; if not, a forged one is answered as every other forged one.

    What is said beyond is plain to whoever made the token: that it has not the form of one, and, where the signature is
    right, that its time or its session is over.
    """
    response = Person(person.connection, _with_token(person, token), "").get("/users/me")
    if response.status == 200:
        return True
    document = problem(response, 401)
    if document["code"] == "invalid_token":
        assert document["detail"] == InvalidToken.detail
    else:
        assert document["code"] in ("token_malformed", "token_expired", "token_revoked")
    return False


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _with_token(person: Person, token: str) -> dict[str, Any]:
    user = {"id": person.id, "username": person.username, "email": person.email}
    return {"access_token": token, "refresh_token": "", "user": user}


def test_a_valid_token_is_accepted(product: Product, published: Forger) -> None:
    ann = product.register("ann")

    assert believed(ann, published.token(right_claims(ann)))


def test_two_keys_can_be_active_at_once(product: Product, published: Forger) -> None:
    ann = product.register("ann")
    later = Forger()
    later.publish()

    assert believed(ann, str(ann.access_token))
    assert believed(ann, published.token(right_claims(ann)))
    assert believed(ann, later.token(right_claims(ann)))


def test_a_small_clock_skew_is_accepted(product: Product, published: Forger) -> None:
    ann = product.register("ann")
    now = int(time.time())

    assert believed(ann, published.token({**right_claims(ann), "iat": now + 3}))


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "role", "client_id"])
def test_every_claim_is_required(product: Product, published: Forger, claim: str) -> None:
    """RFC 9068 §2.2 and §4; RFC 8725 §3.10; OWASP ASVS 5.0.0 9.2.1: each claim that a token must have."""
    ann = product.register("ann")
    claims = right_claims(ann)
    del claims[claim]

    assert not believed(ann, published.token(claims))


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "urn:tasksync:prod"},
    {"iss": ""},
    {"iss": ["urn:tasksync:dev"]},
    {"aud": "another-api"},
    {"aud": []},
    {"aud": "TASKSYNC-API"},
    {"exp": NOW - 3600},
    {"exp": "never"},
    {"exp": None},
    {"iat": NOW + YEAR},
    {"iat": "today"},
    {"nbf": NOW + YEAR},
    {"sub": 7},
    {"sub": None},
    {"sub": "usr_" + "0" * 32},
    {"sid": 7},
    {"sid": ["ses_" + "0" * 32]},
    {"sid": "ses_" + "0" * 32},
    {"sid": ""},
    {"sub": ""},
    {"jti": 7},
    {"auth_time": NOW + YEAR},
    {"auth_time": -1},
    {"auth_time": "0"},
    {"auth_time": True},
    {"auth_time": None},
]


def test_every_claim_is_checked(product: Product, published: Forger) -> None:
    """RFC 8725 §3.8 to 3.10; OWASP ASVS 5.0.0 9.2.1 to 9.2.4: issuer, audience, subject, time, session."""
    ann = product.register("ann")

    for wrong in WRONG_CLAIMS:
        assert not believed(ann, published.token({**right_claims(ann), **wrong})), wrong


def test_a_session_of_another_user_is_refused(product: Product, published: Forger) -> None:
    """RFC 8725 §3.8."""
    ann, eve = product.register("ann"), product.register("eve")
    claims = {**right_claims(eve), "sid": right_claims(ann)["sid"]}

    assert not believed(eve, published.token(claims))


def test_a_token_is_expired_from_its_expiry_on(product: Product, published: Forger) -> None:
    """OWASP ASVS 5.0.0 9.2.1."""
    ann = product.register("ann")
    now = int(time.time())

    response = ann.get(
        "/users/me", headers=_bearer(published.token({**right_claims(ann), "iat": now - 610, "exp": now - 10}))
    )

    problem(response, 401, "token_expired")


def test_a_forged_token_is_reported_only_as_invalid(product: Product, published: Forger) -> None:
    """Signed by somebody else: not that its time is over, nor that its session is."""
    ann = product.register("ann")
    now = int(time.time())
    over = {**right_claims(ann), "iat": now - 610, "exp": now - 10}

    for claims in (over, {**right_claims(ann), "sid": "ses_" + "0" * 32}, right_claims(ann)):
        forged = Forger().token(claims, {"kid": published.kid})
        problem(ann.get("/users/me", headers=_bearer(forged)), 401, "invalid_token")


def test_a_missing_signature_is_refused(product: Product) -> None:
    """RFC 8725 §3.2; OWASP ASVS 5.0.0 9.1.1 and 9.1.2: ``alg`` none."""
    ann = product.register("ann")
    header = jwt.get_unverified_header(str(ann.access_token))
    claims = right_claims(ann)

    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        assert not believed(ann, assembled({**header, "alg": algorithm}, claims)), algorithm
        assert not believed(ann, assembled({**header, "alg": algorithm}, claims).rstrip(".")), algorithm
    assert not believed(ann, assembled(header, claims))


def test_the_public_key_is_refused_as_a_shared_secret(product: Product, published: Forger) -> None:
    """RFC 8725 §2.1 and §3.1: the public key taken for a secret of HMAC."""
    ann = product.register("ann")
    claims = right_claims(ann)
    jwk = product.anonymous.get("/.well-known/jwks.json").json()["keys"][0]
    guesses = [
        (published.kid, published.public_pem),
        (published.kid, published.public_pem.strip()),
        (published.kid, forged_tokens.decoded(published.jwk["x"])),
        (jwk["kid"], forged_tokens.decoded(jwk["x"])),
        (jwk["kid"], json.dumps(jwk).encode()),
        (jwk["kid"], b""),
    ]

    for kid, secret in guesses:
        header = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
        assert not believed(ann, forged_tokens.hmac_signed(header, claims, secret))


@pytest.mark.parametrize("header", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_embedded_in_the_token_is_ignored(product: Product, published: Forger, header: str) -> None:
    """RFC 8725 §3.10; OWASP ASVS 5.0.0 9.1.3: ``jwk``, ``jku``, ``x5u`` and ``x5c``."""
    ann = product.register("ann")
    eve = Forger()
    brought: dict[str, Any] = {
        "jwk": eve.jwk,
        "jku": "https://keys.example.org/jwks.json",
        "x5u": "https://keys.example.org/key.pem",
        "x5c": [forged_tokens.encoded(eve.public_pem)],
    }

    for kid in (eve.kid, published.kid, jwt.get_unverified_header(str(ann.access_token))["kid"]):
        assert not believed(ann, eve.token(right_claims(ann), {header: brought[header], "kid": kid}))


def test_only_the_named_key_verifies(product: Product, published: Forger) -> None:
    """RFC 8725 §3.3; OWASP ASVS 5.0.0 9.1.1."""
    ann = product.register("ann")
    others = [Forger().kid, jwt.get_unverified_header(str(ann.access_token))["kid"]]

    for kid in others:
        assert not believed(ann, published.token(right_claims(ann), {"kid": kid}))


def test_an_unknown_key_id_is_refused(product: Product) -> None:
    """RFC 8725 §3.10: ``kid`` is looked up, and may be anything."""
    ann = product.register("ann")

    for kid in ("", "x", "../../dev/null", "KEY#x", "' OR 1=1 --", "x" * 4000, "\x00", "é", 7, None, ["a"], {"a": "b"}):
        header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
        assert not believed(ann, assembled(header, right_claims(ann), b"x" * 64)), kid


def test_a_token_must_name_its_key(product: Product, published: Forger) -> None:
    ann = product.register("ann")
    token = jwt.encode(right_claims(ann), published.key, algorithm="ES256", headers={"typ": "at+jwt"})

    assert not believed(ann, token)


def test_only_the_access_token_type_is_accepted(product: Product, published: Forger) -> None:
    """RFC 9068 §4; RFC 8725 §3.11 and §3.12; OWASP ASVS 5.0.0 9.2.2: ``typ``."""
    ann = product.register("ann")

    for typ in ("JWT", "jwt", "refresh+jwt", "id+jwt", "", None, 7):
        assert not believed(ann, published.token(right_claims(ann), {"typ": typ})), typ


def test_unknown_critical_extensions_are_refused(product: Product, published: Forger) -> None:
    """RFC 7515 §4.1.11."""
    ann = product.register("ann")

    assert not believed(ann, published.token(right_claims(ann), {"crit": ["exp"]}))
    assert not believed(ann, published.token(right_claims(ann), {"crit": ["x"], "x": 1}))


def test_other_algorithms_are_refused_with_any_key(product: Product) -> None:
    """RFC 8725 §3.1; OWASP ASVS 5.0.0 9.1.2."""
    ann = product.register("ann")
    claims = right_claims(ann)
    p384 = Forger(ec.SECP384R1())
    p384.publish()
    rs = Forger()
    rs.publish()
    rsa_key = rsa.generate_private_key(65537, 2048)

    assert not believed(ann, p384.token(claims, algorithm="ES384"))
    for algorithm in ("RS256", "PS256"):
        assert not believed(ann, jwt.encode(claims, rsa_key, algorithm=algorithm, headers=rs.headers()))


def test_a_signature_of_another_curve_under_our_algorithm_is_refused(product: Product) -> None:
    """RFC 8725 §3.4."""
    ann = product.register("ann")
    p384 = Forger(ec.SECP384R1())
    p384.publish()

    assert not believed(ann, assembled(p384.headers({"alg": "ES256"}), right_claims(ann), b"x" * 96))


@pytest.mark.parametrize(
    "signature",
    [
        b"\x00" * 64,
        b"\x00" * 31 + b"\x01" + b"\x00" * 31 + b"\x01",
        b"\xff" * 64,
        encode_dss_signature(1, 1),
        b"x",
        b"x" * 5000,
    ],
    ids=["zeros", "ones", "above the order", "DER", "short", "long"],
)
def test_a_random_signature_is_refused(product: Product, signature: bytes) -> None:
    """RFC 8725 §3.3 and §3.4; zeros: CVE-2022-21449."""
    ann = product.register("ann")
    header = jwt.get_unverified_header(str(ann.access_token))

    assert not believed(ann, assembled(header, right_claims(ann), signature))


def test_a_token_with_altered_content_is_refused(product: Product) -> None:
    """OWASP ASVS 5.0.0 9.1.1."""
    ann, eve = product.register("ann"), product.register("eve")
    header, claims, signature = str(eve.access_token).split(".")
    issued = jwt.decode(str(eve.access_token), options={"verify_signature": False})
    altered = [
        {**issued, "sub": ann.id, "sid": right_claims(ann)["sid"]},
        {**issued, "role": "admin"},
        {**issued, "exp": issued["exp"] + YEAR},
    ]

    for each in altered:
        token = assembled(forged_tokens.decoded(header), each, forged_tokens.decoded(signature))
        assert not believed(eve, token), each
    assert not believed(eve, assembled(forged_tokens.decoded(header) + b" ", forged_tokens.decoded(claims), b"x" * 64))
    assert believed(eve, str(eve.access_token))


def test_a_refresh_token_is_refused(product: Product) -> None:
    """RFC 8725 §3.12; OWASP ASVS 5.0.0 9.2.2."""
    ann = product.register("ann")

    assert not believed(ann, ann.refresh_token)


def test_a_corrupted_token_is_refused(product: Product) -> None:
    ann = product.register("ann")
    token = str(ann.access_token)
    header, claims, signature = token.split(".")

    for spoilt in (
        token[:-1],
        f"{token}A",
        f"{token}.",
        f"{token}.x",
        f"x.{token}",
        f"{header}. {claims}.{signature}",
        f"{header}..{claims}.{signature}",
        f"{header},{claims},{signature}",
        f"{header}.{signature}.{claims}",
        f"{header}.{claims}",
        header,
        token.upper(),
        f"{token} {token}",
        f"{token}, Bearer {token}",
        f'"{token}"',
        f"{token}%00",
    ):
        assert not believed(ann, spoilt), spoilt


def test_only_the_canonical_encoding_of_a_token_is_accepted(product: Product) -> None:
    """RFC 7515 §2 and §3.1, RFC 6750 §2.1: nothing is passed over in it, or around it but the blanks before."""
    ann = product.register("ann")
    token = str(ann.access_token)
    # The last of 86 characters has two bits of the signature's 64 bytes; the other four are nobody's.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [f"{token[:-1]}{alphabet[alphabet.index(token[-1]) + spare]}" for spare in (1, 7, 15)]
    parts = [f"{token[:-20]}{junk}{token[-20:]}" for junk in ("!", "%", "~", "=", "\t", "\xa0")]
    around = [f"{token}{end}" for end in ("=", "==", "!", "%", "\t", " ", "\xa0", "\x85")]
    around += [f"\t{token}", f"\xa0{token}"]

    for spelling in twins + parts + around:
        headers = [(b"authorization", f"Bearer {spelling}".encode("latin-1"))]
        response = product.anonymous.connection.get("/users/me", headers=headers)
        assert response.status_code == 401, repr(spelling)
    assert believed(ann, f"  {token}")


@pytest.mark.parametrize(
    "header",
    [
        "x",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer ...",
        "Bearer a.b.c",
        "Bearer null",
        "Bearer undefined",
        "Bearer " + "." * 5000,
        "Bearer " + "x" * 7000,
        "Bearer é.é.é",
        "Basic YW5uOnBhc3N3b3Jk",
        "Digest username=ann",
        'Bearer {"alg":"none"}',
        "Bearer eyJ9.e30.",
        "Bearer bnVsbA.bnVsbA.bnVsbA",
        "Bearer W10.W10.W10",
        "Bearer ////.////.////",
        "\t",
        ",",
    ],
)
def test_garbage_is_refused(product: Product, header: str) -> None:
    response = product.anonymous.connection.get("/users/me", headers=[(b"authorization", header.encode("latin-1"))])

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_token_parts_that_are_not_objects_are_refused(product: Product) -> None:
    ann = product.register("ann")
    header = jwt.get_unverified_header(str(ann.access_token))
    claims = right_claims(ann)

    for content in (
        b"[" * 3000,
        b'{"a":' * 1500 + b"1" + b"}" * 1500,
        b"\xff\xfe",
        b"7",
        b'"text"',
        b'{"alg": NaN}',
        b'{"alg": ' + b"9" * 3000 + b"}",
        b"",
    ):
        assert not believed(ann, assembled(content, claims, b"x" * 64)), content[:20]
        assert not believed(ann, assembled(header, content, b"x" * 64)), content[:20]


def test_unexpected_claims_are_refused_even_when_signed(product: Product, published: Forger) -> None:
    ann = product.register("ann")
    right = json.dumps(right_claims(ann)).encode()

    for claims in (b"[" * 3000, b"7", b"{", right.replace(b'"iat": ', b'"iat": 1e999, "x": '), right + b" x"):
        token = jwt.api_jws.encode(claims, published.key, algorithm="ES256", headers=published.headers())
        assert not believed(ann, token), claims[:40]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_is_case_insensitive(product: Product, scheme: str) -> None:
    ann = product.register("ann")

    response = product.anonymous.get("/users/me", headers={"Authorization": f"{scheme} {ann.access_token!s}"})

    assert response.status == 200, response


def test_a_token_outside_the_header_is_ignored(product: Product) -> None:
    ann = product.register("ann")
    token = str(ann.access_token)

    problem(product.anonymous.get("/users/me", params={"access_token": token}), 401)
    problem(product.anonymous.get("/users/me", headers={"Cookie": f"access_token={token}"}), 401)
    problem(product.anonymous.get("/users/me", headers={"X-Access-Token": token}), 401)

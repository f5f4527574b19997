"""Sign-outs and the list of sign-ins: /auth/logout and /auth/sessions."""

import pytest

from tests.support import builders
from tests.support.client import Person
from tests.support.gateway import SOURCE_IP
from tests.support.problems import field_errors, problem
from tests.support.product import Product


def sign_in(product: Product, person: Person, user_agent: str = "a test") -> Person:
    body = {"username": person.username, "password": person.password}
    response = product.anonymous.post("/auth/login", json=body, headers={"User-Agent": user_agent})
    assert response.status == 200, response
    return Person(person.connection, response.json(), person.password)


def test_logging_out_ends_access_and_refresh(product: Product) -> None:
    ann = product.register("ann")

    response = product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})

    assert response.status == 204, response
    assert response.text == ""
    problem(ann.get("/users/me"), 401, "token_revoked")
    problem(product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}), 401, "invalid_token")


def test_logging_out_twice_is_no_error(product: Product) -> None:
    ann = product.register("ann")

    responses = [product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}) for _ in range(2)]

    assert [response.status for response in responses] == [204, 204]


def test_a_forged_token_logs_nobody_out(product: Product) -> None:
    ann = product.register("ann")
    session, family, own = ann.refresh_token.split(".")

    for token in (f"{session}.{own}.{family}", f"{session}.{'A' * 43}.{own}"):
        assert product.anonymous.post("/auth/logout", json={"refresh_token": token}).status == 204

    assert ann.get("/users/me").status == 200


def test_a_malformed_refresh_token_is_refused_and_not_ignored(product: Product) -> None:
    """Whoever is told 204 believes to be signed out."""
    ann = product.register("ann")
    token = ann.refresh_token
    around = [f"{token}{end}" for end in ("\n", "\r\n", " ", "\t", "\x00", "\u2028", "\u00a0", "=", ".", '"')]
    around += [f"{start}{token}" for start in ("\n", " ", '"', "Bearer ", "\ufeff")]
    other = [token[:-1], token.upper(), token.replace(".", " "), f"{token} {token}", token.partition(".")[0], "x"]

    for text in around + other:
        response = product.anonymous.post("/auth/logout", json={"refresh_token": text})
        assert field_errors(response) == {"/refresh_token": "bad_format"}, repr(text)
        problem(product.anonymous.post("/auth/refresh", json={"refresh_token": text}), 401, "invalid_token")

    assert ann.get("/users/me").status == 200
    assert product.anonymous.post("/auth/logout", json={"refresh_token": token}).status == 204
    problem(ann.get("/users/me"), 401, "token_revoked")


def test_any_token_of_a_session_ends_it(product: Product) -> None:
    ann = product.register("ann")
    newest = ann.refresh_token
    for _ in range(3):
        newest = product.anonymous.post("/auth/refresh", json={"refresh_token": newest}).json()["refresh_token"]

    response = product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})

    assert response.status == 204, response
    problem(ann.get("/users/me"), 401, "token_revoked")
    problem(product.anonymous.post("/auth/refresh", json={"refresh_token": newest}), 401, "invalid_token")
    ben = product.register("ben")
    spoilt = f"{ben.refresh_token.rpartition('.')[0]}.{'A' * 43}"
    assert product.anonymous.post("/auth/logout", json={"refresh_token": spoilt}).status == 204
    assert ben.get("/users/me").status == 401, "nobody but its holder knows what all tokens of a session share"


def test_a_session_shows_when_and_from_where_it_was_opened(product: Product) -> None:
    ann = product.register("ann")
    phone = sign_in(product, ann, user_agent='TaskPhone/1.0 ("quoted")')

    sessions = phone.list("/auth/sessions")

    assert [session["current"] for session in sessions].count(True) == 1
    [current] = [session for session in sessions if session["current"]]
    assert current.keys() == {"id", "created_at", "last_used_at", "user_agent", "ip", "current"}
    assert current["user_agent"] == 'TaskPhone/1.0 ("quoted")'
    assert current["ip"] == SOURCE_IP
    assert current["created_at"].endswith("Z")
    assert current["last_used_at"] == current["created_at"]


def test_the_address_of_a_session_ignores_forwarding_headers(product: Product) -> None:
    body = builders.person("ann")
    forwarded = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    tokens = product.anonymous.post("/auth/register", json=body, headers=forwarded).json()
    ann = Person(product.anonymous.connection, tokens, body["password"])

    [session] = ann.list("/auth/sessions")

    assert session["ip"] == SOURCE_IP


def test_a_very_long_user_agent_is_truncated(product: Product) -> None:
    phone = sign_in(product, product.register("ann"), user_agent="x" * 4000)

    [current] = [session for session in phone.list("/auth/sessions") if session["current"]]

    assert current["user_agent"] == "x" * 255


def test_a_refresh_is_visible_in_the_list(product: Product) -> None:
    ann = product.register("ann")
    product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token})

    [session] = ann.list("/auth/sessions")

    assert session["last_used_at"] > session["created_at"]


def test_sessions_are_listed_page_by_page(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(4):
        sign_in(product, ann)
    everything = ann.list("/auth/sessions")

    first = ann.get("/auth/sessions", params={"limit": 2})

    assert len(everything) == 5
    assert first.json()["items"] == everything[:2]
    assert first.json()["next_cursor"] is not None
    assert ann.list("/auth/sessions", limit=2) == everything
    assert ann.list("/auth/sessions", limit=5) == everything
    assert ann.list("/auth/sessions", limit=1) == everything


def test_ended_sessions_do_not_shorten_a_page(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(3):
        sign_in(product, ann)
    ann.delete("/auth/sessions")
    again = [sign_in(product, ann) for _ in range(3)][-1]

    response = again.get("/auth/sessions", params={"limit": 3})

    assert len(response.json()["items"]) == 3
    assert response.json()["next_cursor"] is None


def test_the_next_page_is_linked(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(2):
        sign_in(product, ann)
    pages = []
    path = "/auth/sessions?limit=1"

    while path:
        response = ann.get(path)
        pages.append(response.json()["items"])
        link = response.headers.get("Link", "")
        assert bool(link) == (response.json()["next_cursor"] is not None)
        assert link == "" or link.endswith('>; rel="next"')
        path = link.partition(">")[0].removeprefix("<")

    assert [len(page) for page in pages] == [1, 1, 1]
    assert [item for page in pages for item in page] == ann.list("/auth/sessions")


def test_sessions_of_other_users_are_not_visible(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    ids = [{session["id"] for session in person.list("/auth/sessions")} for person in (ann, bob)]

    assert ids[0].isdisjoint(ids[1])


def test_one_session_can_be_ended_by_its_id(product: Product) -> None:
    ann = product.register("ann")
    lost = sign_in(product, ann)
    [session_id] = [session["id"] for session in lost.list("/auth/sessions") if session["current"]]

    response = ann.delete(f"/auth/sessions/{session_id}")

    assert response.status == 204, response
    assert lost.get("/users/me").status == 401
    assert ann.get("/users/me").status == 200
    assert session_id not in [session["id"] for session in ann.list("/auth/sessions")]
    problem(product.anonymous.post("/auth/refresh", json={"refresh_token": lost.refresh_token}), 401, "invalid_token")
    problem(ann.delete(f"/auth/sessions/{session_id}"), 404, "not_found")


def test_a_session_of_another_user_gets_the_response_of_an_unknown_one(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    [session] = ann.list("/auth/sessions")

    foreign = problem(eve.delete(f"/auth/sessions/{session['id']}"), 404, "not_found")
    unknown = problem(eve.delete(f"/auth/sessions/ses_{'0' * 32}"), 404, "not_found")

    del foreign["request_id"], unknown["request_id"]
    assert foreign == unknown
    assert ann.get("/users/me").status == 200


@pytest.mark.parametrize("kind", ["a user", "a public key"])
def test_only_session_ids_end_a_session(product: Product, kind: str) -> None:
    ann = product.register("ann")
    keys = [item["session_id"] for item in product.items("SessionsTable") if item["session_id"].startswith("KEY#")]
    wanted = ann.id if kind == "a user" else keys[0].replace("#", "%23")
    before = product.items("SessionsTable")

    problem(ann.delete(f"/auth/sessions/{wanted}"), 404, "not_found")

    assert product.items("SessionsTable") == before


def test_all_sessions_can_be_ended_at_once(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    elsewhere = sign_in(product, ann)

    response = ann.delete("/auth/sessions")

    assert response.status == 204, response
    for person in (ann, elsewhere):
        assert person.get("/users/me").status == 401
        problem(
            product.anonymous.post("/auth/refresh", json={"refresh_token": person.refresh_token}), 401, "invalid_token"
        )
    assert bob.get("/users/me").status == 200
    again = sign_in(product, ann)
    assert [session["current"] for session in again.list("/auth/sessions")] == [True]

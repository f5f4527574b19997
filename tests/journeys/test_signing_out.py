"""The end of a session is the end of access, over HTTP and with the authorizer asked each time."""

import time

from tests.journeys.service import Service, at_once
from tests.support.client import Person
from tests.support.problems import problem


def test_logging_out_ends_access(service: Service) -> None:
    ann = service.register("ann")
    elsewhere = service.anonymous.sign_in(ann.username)

    response = service.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})

    assert response.status == 204, response
    problem(ann.get("/users/me"), 401, "token_revoked")
    assert elsewhere.get("/users/me").status == 200


def test_a_changed_password_leaves_one_session(service: Service) -> None:
    ann = service.register("ann")
    elsewhere = service.anonymous.sign_in(ann.username)
    body = {"current_password": ann.password, "new_password": "a new and long password"}

    assert ann.post("/auth/password", json=body).status == 204

    problem(elsewhere.get("/users/me"), 401, "token_revoked")
    assert [session["current"] for session in ann.list("/auth/sessions")] == [True]
    assert service.anonymous.sign_in(ann.username, "a new and long password").id == ann.id


def test_logging_out_everywhere_leaves_none(service: Service) -> None:
    ann = service.register("ann")
    others = [service.anonymous.sign_in(ann.username) for _ in range(2)]

    assert ann.delete("/auth/sessions").status == 204

    for person in (ann, *others):
        problem(person.get("/users/me"), 401, "token_revoked")


def test_of_concurrent_refreshes_one_succeeds_and_the_session_stays(service: Service) -> None:
    ann = service.register("ann")
    began = time.monotonic()
    late: list[float] = []

    def refresh() -> Person | None:
        response = service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token})
        if response.status == 200:
            return Person(ann.connection, response.json(), ann.password)
        if response.status == 401:
            late.append(time.monotonic() - began)
        else:
            problem(response, 409, "refresh_in_progress")
        return None

    renewed = [person for person in at_once([refresh] * 4) if person is not None]

    assert len(renewed) == 1
    # On a machine that is very busy one may come so late that it counts as reuse, which ends the session.
    assert all(seconds >= 10 for seconds in late)
    assert renewed[0].get("/users/me").status == (401 if late else 200)

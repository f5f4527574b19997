"""What must be true in the moments that conditions are for."""

# ruff: noqa: ARG005  # requests are functions of one shape; not all need everything

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from tests.mutation.environment import Response, Scenario, Stage
from tests.simulation.tables import Change
from tests.simulation.task_items import crowded
from tests.simulation.task_items import tasks as tasks_of
from tests.support.aws import environment
from tests.support.builders import PASSWORD

DAY = 24 * 3600

SCENARIOS: dict[str, Scenario] = {}

Json = dict[str, Any]


def scenario(play: Scenario) -> Scenario:
    """Register a scenario under its name."""
    SCENARIOS[play.__name__] = play
    return play


class Person:
    """Somebody who has registered."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        tokens = self.anonymous("POST", "/auth/register", {"username": name, "password": PASSWORD, **_address(name)})
        assert tokens.status == 201, tokens
        self.id: str = tokens.body["user"]["id"]
        self.refresh_token: str = tokens.body["refresh_token"]

    @property
    def session_id(self) -> str:
        return self.refresh_token.partition(".")[0]

    @functools.cached_property
    def another_session_id(self) -> str:
        return str(self.login().body["refresh_token"]).partition(".")[0]

    def anonymous(self, method: str, resource: str, body: Json) -> Response:
        return self.stage.call("", method, resource, body)

    def do(self, method: str, resource: str, body: Json | None = None, **options: Any) -> Response:
        return self.stage.call(self.id, method, resource, body, session=self.session_id, **options)

    def well(self, method: str, resource: str, body: Json | None = None, **options: Any) -> Response:
        """What must be carried out."""
        response = self.do(method, resource, body, **options)
        assert response.status < 300, response
        return response

    # --------------------------------------------------------------------------------------- what people do
    def open(self, **fields: Any) -> Json:
        room: Json = self.well("POST", "/rooms", {"name": "Move", **fields}).body
        return room

    def join(self, room: Json) -> Response:
        return self.do("POST", "/rooms/join", {"code": room["code"]})

    def add(self, room: Json, other: "Person", role: str = "member") -> Response:
        body = {"user_id": other.id, "role": role}
        return self.do("POST", "/rooms/{room_id}/users", body, room_id=room["id"])

    def remove(self, room: Json, other: "Person", **options: Any) -> Response:
        ids = {"room_id": room["id"], "user_id": other.id}
        return self.do("DELETE", "/rooms/{room_id}/users/{user_id}", **ids, **options)

    def leave(self, room: Json, **options: Any) -> Response:
        return self.remove(room, self, **options)

    def set_role(self, room: Json, other: "Person", role: str, **options: Any) -> Response:
        ids = {"room_id": room["id"], "user_id": other.id}
        return self.do("PATCH", "/rooms/{room_id}/users/{user_id}", {"role": role}, **ids, **options)

    def rename(self, room: Json, name: str, **options: Any) -> Response:
        return self.do("PATCH", "/rooms/{room_id}", {"name": name}, room_id=room["id"], **options)

    def set_join_role(self, room: Json, role: str | None, **options: Any) -> Response:
        return self.do("PATCH", "/rooms/{room_id}", {"join_role": role}, room_id=room["id"], **options)

    def renew_code(self, room: Json, **options: Any) -> Response:
        return self.do("POST", "/rooms/{room_id}/code", room_id=room["id"], **options)

    def close(self, room: Json, **options: Any) -> Response:
        return self.do("DELETE", "/rooms/{room_id}", room_id=room["id"], **options)

    def plan(self, room: Json | None = None, **fields: Any) -> Response:
        return self.do("POST", "/tasks", {"title": "Desks", **({"room_id": room["id"]} if room else {}), **fields})

    def change(self, task: Json, headers: Mapping[str, str] | None = None, **fields: Any) -> Response:
        return self.do("PATCH", "/tasks/{task_id}", fields, task_id=task["id"], headers=headers)

    def move(self, task: Json, after: Json | None, headers: Mapping[str, str] | None = None, **fields: Any) -> Response:
        body = {"after": after and after["id"], **fields}
        return self.do("POST", "/tasks/{task_id}/move", body, task_id=task["id"], headers=headers)

    def trash(self, task: Json, **options: Any) -> Response:
        return self.do("DELETE", "/tasks/{task_id}", task_id=task["id"], **options)

    def restore(self, task: Json, **options: Any) -> Response:
        return self.do("POST", "/tasks/{task_id}/restore", task_id=task["id"], **options)

    def purge(self, task: Json, **options: Any) -> Response:
        """From the trash of its room."""
        ids = {"room_id": task["room_id"], "task_id": task["id"]}
        return self.do("DELETE", "/rooms/{room_id}/trash/{task_id}", **ids, **options)

    def edit_profile(self, **fields: Any) -> Response:
        return self.do("PATCH", "/users/{user_id}", fields, user_id=self.id)

    def go(self, **options: Any) -> Response:
        return self.do("DELETE", "/users/{user_id}", user_id=self.id, **options)

    def login(self, password: str = PASSWORD) -> Response:
        return self.anonymous("POST", "/auth/login", {"username": self.name, "password": password})

    def refresh(self, refresh_token: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
        body = {"refresh_token": refresh_token or self.refresh_token}
        return self.stage.call("", "POST", "/auth/refresh", body, headers=headers)

    def change_password(self, new: str, session_id: str | None = None, **options: Any) -> Response:
        body = {"current_password": PASSWORD, "new_password": new}
        session_id = session_id or self.session_id
        return self.stage.call(self.id, "POST", "/auth/password", body, session=session_id, **options)

    def reauthenticate(self, session_id: str | None = None, **options: Any) -> Response:
        body = {"password": PASSWORD}
        session_id = session_id or self.session_id
        return self.stage.call(self.id, "POST", "/auth/reauthenticate", body, session=session_id, **options)

    def recovery_token(self) -> str:
        return self.stage.issue_recovery_token(self.name)

    def recover(self, token: str, new: str) -> Response:
        return self.anonymous("POST", "/auth/recovery/complete", {"token": token, "new_password": new})

    def end_session(self, whose: "Person") -> Response:
        return self.do("DELETE", "/auth/sessions/{session_id}", session_id=whose.session_id)

    def end_all_sessions(self) -> Response:
        return self.do("DELETE", "/auth/sessions")

    def logout(self) -> Response:
        return self.anonymous("POST", "/auth/logout", {"refresh_token": self.refresh_token})

    def ticket(self, **options: Any) -> str:
        """For a WebSocket."""
        return str(self.well("POST", "/live/tickets", **options).body["url"]).partition("ticket=")[2]

    # ------------------------------------------------------------------------------------- what can be seen
    def see(self, task: Json) -> Response:
        return self.do("GET", "/tasks/{task_id}", task_id=task["id"])

    def order_of(self, room: Json) -> str:
        """The titles in the manual order."""
        parameters = {"sort": ["rank"]}
        response = self.do("GET", "/rooms/{room_id}/tasks", room_id=room["id"], parameters=parameters)
        return "".join(str(task["title"]) for task in response.body["items"])

    def role_in(self, room: Json) -> str | None:
        found = self.stage.item("RoomsTable", room["id"], f"MEMBER#{self.id}")
        return None if found is None else str(found["role"])


def _address(name: str) -> Json:
    return {"email": f"{name}@example.org"}


def people(stage: Stage, *names: str) -> list[Person]:
    return [Person(stage, name) for name in names]


def room_of(stage: Stage, *roles: str) -> tuple[Json, list[Person]]:
    """A room of its first person, and further people in it with these roles."""
    first, *others = people(stage, *(f"person-{number}" for number in range(len(roles) + 1)))
    room = first.open()
    for other, role in zip(others, roles, strict=True):
        assert first.add(room, other, role).status == 201
    return room, [first, *others]


def key(name: str = "a key") -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": name}}


def refused(response: Response, status: int, code: str | None = None) -> None:
    assert response.status == status, response
    assert code in (None, response.code), response


# ------------------------------------------------------------------------------------------ idempotency keys


def keyed(operation: str, request: Callable[[Person, Person, Json, Json], Response]) -> None:
    """Scenarios of a key that another request takes meanwhile, of one whose time is over, and of a new one."""

    def key_of_two_requests_at_once(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        task = ann.plan(room).body
        stage.before(operation, lambda: ann.well("POST", "/tasks", {"title": "Chairs"}, **key()))
        response = request(ann, bob, room, task)
        refused(response, 422, "idempotency_key_reused")
        again = ann.do("POST", "/tasks", {"title": "Chairs"}, **key())
        assert (again.status, again.replayed) == (201, True), again

    def key_whose_time_is_over(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        task = ann.plan(room).body
        ann.well("POST", "/tasks", {"title": "Chairs"}, **key())
        stage.time += DAY + 1
        response = request(ann, bob, room, task)
        assert response.status < 300, response
        assert not response.replayed, response
        again = request(ann, bob, room, task)
        assert (again.status, again.replayed) == (response.status, True), again

    def key_in_the_second_in_which_its_time_is_over(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        task = ann.plan(room).body
        ann.well("POST", "/tasks", {"title": "Chairs"}, **key())
        stage.time = int(stage.time) + DAY
        response = request(ann, bob, room, task)
        assert response.status < 300, response

    def key_that_nobody_used_before(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        response = request(ann, bob, room, ann.plan(room).body)
        assert response.status < 300, response

    for each in (
        key_of_two_requests_at_once,
        key_whose_time_is_over,
        key_in_the_second_in_which_its_time_is_over,
        key_that_nobody_used_before,
    ):
        SCENARIOS[f"{each.__name__}: {operation}"] = each


keyed("RoomChanges.create", lambda ann, bob, room, task: ann.do("POST", "/rooms", {}, **key()))
keyed("RoomChanges.add", lambda ann, bob, room, task: _add_somebody(ann, room))
keyed("RoomChanges.remove", lambda ann, bob, room, task: ann.remove(room, bob, **key()))
keyed("RoomChanges.change_role", lambda ann, bob, room, task: ann.set_role(room, bob, "viewer", **key()))
keyed("RoomChanges.change", lambda ann, bob, room, task: ann.rename(room, "Anew", **key()))
keyed("IdempotencyRepository.store", lambda ann, bob, room, task: ann.rename(room, str(room["name"]), **key()))
keyed("RoomChanges.change_code", lambda ann, bob, room, task: ann.renew_code(room, **key()))
keyed("RoomChanges.close", lambda ann, bob, room, task: ann.close(room, **key()))
keyed("TaskChanges.create", lambda ann, bob, room, task: ann.do("POST", "/tasks", {"title": "Lamps"}, **key()))
keyed("TaskChanges.update", lambda ann, bob, room, task: ann.change(task, key()["headers"], title="Tables"))
keyed(
    "TaskChanges.move", lambda ann, bob, room, task: ann.move(task, None, headers=key()["headers"], status="completed")
)
keyed("TaskChanges.trash", lambda ann, bob, room, task: ann.trash(task, **key()))
keyed("TaskChanges.restore", lambda ann, bob, room, task: _trashed(ann, task).restore(task, **key()))
keyed("TaskChanges.delete", lambda ann, bob, room, task: _trashed(ann, task).purge(task, **key()))
keyed(
    "UserChanges.change_profile",
    lambda ann, bob, room, task: ann.do("PATCH", "/users/{user_id}", {"username": "anna"}, user_id=ann.id, **key()),
)
keyed("SessionChanges.reauthenticate", lambda ann, bob, room, task: ann.reauthenticate(**key()))
keyed(
    "SessionChanges.change_password",
    lambda ann, bob, room, task: ann.change_password("another long enough password", **key()),
)
keyed(
    "SessionChanges.end",
    lambda ann, bob, room, task: ann.do(
        "DELETE", "/auth/sessions/{session_id}", session_id=ann.another_session_id, **key()
    ),
)
keyed("TicketsRepository.put", lambda ann, bob, room, task: ann.do("POST", "/live/tickets", **key()))
keyed("SessionChanges.end_all", lambda ann, bob, room, task: ann.do("DELETE", "/auth/sessions", **key()))
keyed("UserChanges.begin_removal", lambda ann, bob, room, task: ann.go(**key()))


def _add_somebody(ann: Person, room: Json) -> Response:
    name = "somebody"
    found = ann.stage.item("UsersTable", f"NAME#{name}")
    somebody = str(found["owner"]) if found else Person(ann.stage, name).id
    return ann.do("POST", "/rooms/{room_id}/users", {"user_id": somebody}, room_id=room["id"], **key())


def _trashed(person: Person, task: Json) -> Person:
    """The person, who has moved the task to the trash."""
    person.trash(task)
    return person


def _join_with_key(person: Person, room: Json) -> Response:
    return person.do("POST", "/rooms/join", {"code": room["code"]}, **key())


@scenario
def key_of_a_join_taken_meanwhile(stage: Stage) -> None:
    room, _ = room_of(stage)
    (cleo,) = people(stage, "cleo")
    stage.before("RoomChanges.join", lambda: cleo.well("POST", "/tasks", {"title": "Chairs"}, **key()))
    refused(_join_with_key(cleo, room), 422, "idempotency_key_reused")
    assert cleo.role_in(room) is None


@scenario
def key_of_a_join_whose_time_is_over(stage: Stage) -> None:
    room, _ = room_of(stage)
    (cleo,) = people(stage, "cleo")
    cleo.well("POST", "/tasks", {"title": "Chairs"}, **key())
    stage.time += DAY + 1
    response = _join_with_key(cleo, room)
    assert response.status == 200, response
    assert _join_with_key(cleo, room).replayed


@scenario
def key_of_a_join_in_the_second_in_which_its_time_is_over(stage: Stage) -> None:
    room, _ = room_of(stage)
    (cleo,) = people(stage, "cleo")
    cleo.well("POST", "/tasks", {"title": "Chairs"}, **key())
    stage.time = int(stage.time) + DAY
    response = _join_with_key(cleo, room)
    assert response.status == 200, response


@scenario
def key_of_a_join_that_nobody_used_before(stage: Stage) -> None:
    room, _ = room_of(stage)
    (cleo,) = people(stage, "cleo")
    assert _join_with_key(cleo, room).status == 200


# ------------------------------------------------------------------------------------------- ids drawn twice


@scenario
def two_rooms_draw_the_same_id(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    stage.draws.ids, now = [b"0123456789", b"0123456789"], stage.time
    room = ann.open()
    stage.time = now
    bob.do("POST", "/rooms", {})
    assert ann.role_in(room) == "admin"
    assert bob.role_in(room) is None


@scenario
def two_tasks_draw_the_same_id(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.draws.ids, now = [b"0123456789", b"0123456789"], stage.time
    first = ann.plan(title="first").body
    stage.time = now
    second = ann.plan(title="second").body
    assert first["id"] != second["id"]


@scenario
def two_people_draw_the_same_id(stage: Stage) -> None:
    for resource in ("/users", "/auth/register"):
        stage.draws.ids, now = [b"0123456789"], stage.time
        (ann,) = people(stage, f"ann{resource[-5:]}".replace("/", "-"))
        stage.draws.ids, stage.time = [b"0123456789"], now
        ann.anonymous("POST", resource, {"username": f"bob{resource[-5:]}".replace("/", "-"), "password": PASSWORD})
        item = stage.item("UsersTable", ann.id)
        assert item is not None
        assert item["username"] == ann.name
        stage.time += 1


@scenario
def two_sessions_draw_the_same_id(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    stage.draws.ids, now = [b"0123456789"], stage.time
    first = ann.login()
    stage.draws.ids, stage.time = [b"0123456789"], now
    bob.login()
    assert ann.refresh(first.body["refresh_token"]).status == 200


@scenario
def a_session_of_somebody_new_draws_the_id_of_another(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.draws.ids, now = [b"0123456789"], stage.time
    first = ann.login()
    stage.draws.ids, stage.time = [b"an id more", b"0123456789"], now
    ann.anonymous("POST", "/auth/register", {"username": "bob", "password": PASSWORD})
    assert ann.refresh(first.body["refresh_token"]).status == 200


# ------------------------------------------------------------------------------------------ names and codes


@scenario
def a_username_is_taken_meanwhile(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for operation, resource in (("SessionChanges.register", "/auth/register"), ("UsersRepository.create", "/users")):
        name = f"bob{resource[-5:]}".replace("/", "-")
        stage.before(operation, lambda name=name: people(stage, name))  # type: ignore[misc]  # mypy infers no type for such a lambda
        body = {"username": name, "password": PASSWORD}
        refused(ann.anonymous("POST", resource, body), 409, "username_taken")
    stage.before("UserChanges.change_profile", lambda: people(stage, "cleo"))
    refused(ann.edit_profile(username="cleo"), 409, "username_taken")


@scenario
def an_address_is_taken_meanwhile(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for operation, resource in (("SessionChanges.register", "/auth/register"), ("UsersRepository.create", "/users")):
        name = f"bob{resource[-5:]}".replace("/", "-")
        stage.before(operation, lambda name=name: people(stage, name))  # type: ignore[misc]  # mypy infers no type for such a lambda
        body = {"username": f"not {name}", "password": PASSWORD, **_address(name)}
        refused(ann.anonymous("POST", resource, body), 409, "email_taken")
    stage.before("UserChanges.change_profile", lambda: people(stage, "cleo"))
    refused(ann.edit_profile(**_address("cleo")), 409, "email_taken")


@scenario
def a_code_is_taken_meanwhile(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    stage.before("RoomChanges.create", lambda: bob.open(code="SPRINT001"))
    refused(ann.do("POST", "/rooms", {"code": "SPRINT001"}), 409, "code_taken")


@scenario
def a_new_code_is_that_of_another_room(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    first = ann.open()
    second = bob.open()
    stage.draws.letters.seed(2)
    drawn = ann.renew_code(first).body["code"]
    stage.draws.letters.seed(2)
    code = bob.renew_code(second).body["code"]
    assert code != drawn


@scenario
def a_retired_code_is_free_when_its_time_is_over_and_not_a_second_before(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    room, other = ann.open(code="SPRINT001"), bob.open()
    ann.renew_code(room)
    stage.time = _free_at(stage, "SPRINT001") - 1
    refused(bob.do("POST", "/rooms", {"code": "SPRINT001"}), 409, "code_taken")
    stage.time += 1
    assert bob.open(code="SPRINT001")["id"] != room["id"]
    stage.draws.letters.seed(2)
    drawn = ann.renew_code(room).body["code"]
    ann.renew_code(room)
    stage.time = _free_at(stage, drawn) - 1
    stage.draws.letters.seed(2)
    assert bob.renew_code(other).body["code"] != drawn
    stage.time += 1
    stage.draws.letters.seed(2)
    assert bob.renew_code(other).body["code"] == drawn


def _free_at(stage: Stage, code: str) -> int:
    """Of a retired code, in seconds since 1970."""
    found = stage.item("RoomsTable", f"CODE#{code}", "CODE")
    assert found is not None
    return int(found["expires_at"])


@scenario
def names_of_somebody_gone_belong_to_whoever_took_them(stage: Stage) -> None:
    (ann,) = people(stage, "ann")

    def overtaken() -> None:
        stage.hand_over("UserRemovalFunction", user_id=ann.id)
        successors.extend(people(stage, "ann"))

    successors: list[Person] = []
    stage.before("UsersRepository.free_claims", overtaken)
    assert ann.go().status == 204
    (successor,) = successors
    assert successor.login().status == 200
    refused(ann.anonymous("POST", "/users", {"username": "another", "password": PASSWORD, **_address("ann")}), 409)


# ---------------------------------------------------------------------------------------- coming in and going


def _gone_meanwhile(operation: str, request: Callable[[Person, Person, Json], Response], status: int) -> None:
    def the_user_is_deleted_meanwhile(stage: Stage) -> None:
        room, (ann,) = room_of(stage)
        (cleo,) = people(stage, "cleo")
        stage.before(operation, cleo.go)
        refused(request(ann, cleo, room), status)
        assert cleo.role_in(room) is None
        assert not [
            key
            for table in ("RoomsTable", "TasksTableV2")
            for key in stage.database.tables[table].items
            if cleo.id in f"{key[0]} {key[1]}"
        ]

    SCENARIOS[f"{the_user_is_deleted_meanwhile.__name__}: {operation}"] = the_user_is_deleted_meanwhile


_gone_meanwhile("RoomChanges.create", lambda ann, cleo, room: cleo.do("POST", "/rooms", {}), 404)
_gone_meanwhile("RoomChanges.join", lambda ann, cleo, room: cleo.join(room), 404)
_gone_meanwhile("RoomChanges.add", lambda ann, cleo, room: ann.add(room, cleo), 422)
_gone_meanwhile("TaskChanges.create", lambda ann, cleo, room: cleo.plan(), 404)


@scenario
def the_last_member_leaves_before_somebody_joins(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    (cleo,) = people(stage, "cleo")
    stage.before("RoomChanges.join", lambda: ann.leave(room))
    refused(cleo.join(room), 404, "unknown_code")


@scenario
def the_code_changes_before_somebody_joins(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    (cleo,) = people(stage, "cleo")
    stage.before("RoomChanges.join", lambda: ann.renew_code(room))
    refused(cleo.join(room), 404, "unknown_code")


@scenario
def the_room_changes_before_somebody_is_added(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    (cleo,) = people(stage, "cleo")
    stage.before("RoomChanges.add", lambda: bob.rename(room, "Anew"))
    assert ann.add(room, cleo).status == 201
    stage.before("RoomChanges.add", lambda: cleo.leave(room))
    (dora,) = people(stage, "dora")
    ann.add(room, dora)
    shown = ann.do("GET", "/rooms/{room_id}", room_id=room["id"]).body
    assert shown["member_count"] == 3, shown


@scenario
def somebody_refuses_to_be_added_before_they_are(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    (cleo,) = people(stage, "cleo")
    stage.before("RoomChanges.add", lambda: cleo.edit_profile(added_by="nobody"))
    refused(ann.add(room, cleo), 409, "adding_refused")
    assert cleo.role_in(room) is None
    assert cleo.join(room).status == 200


@scenario
def the_room_is_closed_to_codes_before_somebody_joins(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    cleo, dora = people(stage, "cleo", "dora")
    stage.before("RoomChanges.join", lambda: ann.set_join_role(room, "viewer"))
    assert cleo.join(room).body["role"] == "viewer"
    stage.before("RoomChanges.join", lambda: ann.set_join_role(room, None))
    refused(dora.join(room), 404, "unknown_code")


@scenario
def somebody_joins_and_is_removed_while_they_join(stage: Stage) -> None:
    """What they left as was read before, the room after: its version is the newest, what they left as is not."""
    room, (ann,) = room_of(stage)
    cleo, dora = people(stage, "cleo", "dora")

    def removed(person: Person) -> None:
        assert person.join(room).status == 200
        assert ann.remove(room, person).status == 204

    stage.during_a_read(lambda: removed(cleo))
    refused(cleo.join(room), 404, "unknown_code")
    assert dora.join(room).status == 200
    assert dora.leave(room).status == 204
    stage.during_a_read(lambda: removed(dora))
    refused(dora.join(room), 404, "unknown_code")


def dated_later(operation: str, role: str, request: Callable[[Person, Person, Json], Response]) -> None:
    """A scenario of a change by a function whose clock is ahead. No version of the room is dated before that one."""

    def a_change_dated_later_comes_before(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, role)
        (guest,) = people(stage, "guest")

        def ahead() -> None:
            with stage.clock_ahead(60):
                assert guest.join(room).status == 200

        stage.before(operation, ahead)
        assert request(ann, bob, room).status < 300
        assert guest.role_in(room) == "member", guest.role_in(room)

    SCENARIOS[f"{a_change_dated_later_comes_before.__name__}: {operation}, {role}"] = a_change_dated_later_comes_before


for _role in ("member", "admin"):
    dated_later("RoomChanges.remove", _role, lambda ann, bob, room: bob.leave(room))
    dated_later("RoomChanges.change_role", _role, lambda ann, bob, room: ann.set_role(room, bob, "viewer"))
    dated_later("RoomsRepository.leave", _role, lambda ann, bob, room: bob.go())
dated_later("RoomsRepository.leave_to", "member", lambda ann, bob, room: ann.go())


@scenario
def a_change_dated_later_comes_before_the_last_one_goes(stage: Stage) -> None:
    requests: dict[str, Callable[[Person, Json], Response]] = {
        "RoomChanges.remove": lambda ann, room: ann.leave(room),
        "RoomsRepository.leave": lambda ann, _: ann.go(),
    }
    for number, (operation, request) in enumerate(requests.items()):
        (ann,) = people(stage, f"ann-{number}")
        room = ann.open()

        def ahead(ann: Person = ann, room: Json = room) -> None:
            with stage.clock_ahead(60):
                assert ann.rename(room, "Anew").status == 200

        stage.before(operation, ahead)
        assert request(ann, room).status == 204
        assert ann.role_in(room) is None


@scenario
def answers_of_joins_count_who_came_meanwhile(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    cleo, dora, emil = people(stage, "cleo", "dora", "emil")
    stage.before("RoomChanges.join", lambda: dora.join(room))
    assert cleo.join(room).body["member_count"] == 4
    stage.before("RoomChanges.add", lambda: bob.rename(room, "Anew"))
    assert ann.add(room, emil).status == 201


@scenario
def the_last_place_is_taken_before_somebody_is_added(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    most = int(os.environ["MAX_ROOM_MEMBERS"])
    *crowd, late, later = people(stage, *(f"guest-{number}" for number in range(most - 1)))
    for guest in crowd:
        assert ann.add(room, guest).status == 201
    stage.before("RoomChanges.add", lambda: bob.add(room, late))
    refused(ann.add(room, later), 409, "room_full")


@scenario
def somebody_joins_twice_while_the_room_is_read(stage: Stage) -> None:
    """As many as were read are in the room, but not those: one left behind the reading, and the caller came in."""
    first, second, third = sorted(people(stage, "ann", "bob", "cleo"), key=lambda person: person.id)
    for way in ("join", "add"):
        room = second.open()
        assert second.add(room, third, "admin").status == 201

        def swap(room: Json = room) -> None:
            assert first.join(room).status == 200
            assert second.leave(room).status == 204

        stage.during_a_read(swap)
        if way == "join":
            refused(first.join(room), 409, "already_member")
        else:
            assert third.add(room, first).status in (201, 409)
        assert first.role_in(room) == "member"


@scenario
def roles_change_before_somebody_leaves(stage: Stage) -> None:
    for before, after in (("member", "admin"), ("admin", "member")):
        room, (ann, bob) = _fresh(stage, before)
        stage.before("RoomChanges.remove", lambda: ann.set_role(room, bob, after))  # noqa: B023  # called before the loop goes on
        assert bob.leave(room).status == 204
        assert bob.role_in(room) is None


@scenario
def a_late_leave_ends_no_later_membership(stage: Stage) -> None:
    for role in ("member", "admin"):
        room, (ann, bob) = _fresh(stage, role)

        def back(room: Json = room, bob: Person = bob, ann: Person = ann, role: str = role) -> None:
            assert bob.leave(room).status == 204
            assert ann.add(room, bob, role).status == 201

        stage.before("RoomChanges.remove", back)
        refused(bob.leave(room), 404)
        assert bob.role_in(room) == role
        stage.before("RoomChanges.remove", back)
        refused(ann.remove(room, bob), 404)
        assert bob.role_in(room) == role


@scenario
def two_leaves_at_once(stage: Stage) -> None:
    for role in ("member", "admin"):
        room, (_, bob) = _fresh(stage, role)
        stage.before("RoomChanges.remove", lambda: bob.leave(room))  # noqa: B023  # called before the loop goes on
        refused(bob.leave(room), 404)


@scenario
def two_admins_leave_at_once(stage: Stage) -> None:
    room, (ann, bob, _) = room_of(stage, "admin", "member")
    stage.before("RoomChanges.remove", lambda: bob.leave(room))
    refused(ann.leave(room), 409, "last_admin")


@scenario
def the_last_one_leaves(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    assert ann.leave(room).status == 204
    stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")
    assert stage.item("RoomsTable", room["id"], "ROOM") is None


@scenario
def somebody_joins_before_the_last_one_leaves(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    (bob,) = people(stage, "bob")
    stage.before("RoomChanges.remove", lambda: bob.join(room))
    refused(ann.leave(room), 409, "last_admin")
    assert bob.role_in(room) == "member"


@scenario
def an_admin_is_demoted_before_they_remove_somebody(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "admin", "member")
    stage.before("RoomChanges.remove", lambda: ann.set_role(room, bob, "member"))
    refused(bob.remove(room, cleo), 403)
    assert cleo.role_in(room) == "member"


@scenario
def an_admin_has_left_before_they_remove_somebody(stage: Stage) -> None:
    room, (_, bob, cleo) = room_of(stage, "admin", "member")
    stage.before("RoomChanges.remove", lambda: bob.leave(room))
    refused(bob.remove(room, cleo), 404)
    assert cleo.role_in(room) == "member"


# ------------------------------------------------------------------------------------------ changes of rooms


@scenario
def two_admins_demote_each_other(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    stage.before("RoomChanges.change_role", lambda: ann.set_role(room, bob, "member"))
    refused(bob.set_role(room, ann, "member"), 403)
    assert ann.role_in(room) == "admin"


@scenario
def two_admins_step_down_at_once(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    stage.before("RoomChanges.change_role", lambda: bob.set_role(room, bob, "member"))
    refused(ann.set_role(room, ann, "member"), 409, "last_admin")


@scenario
def an_admin_has_been_demoted_before_they_promote(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "admin", "member")
    stage.before("RoomChanges.change_role", lambda: ann.set_role(room, bob, "viewer"))
    refused(bob.set_role(room, cleo, "admin"), 403)
    assert cleo.role_in(room) == "member"


@scenario
def an_admin_has_been_demoted_before_they_demote(stage: Stage) -> None:
    room, (ann, bob, cleo, _) = room_of(stage, "admin", "admin", "admin")
    stage.before("RoomChanges.change_role", lambda: ann.set_role(room, bob, "viewer"))
    refused(bob.set_role(room, cleo, "member"), 403)
    assert cleo.role_in(room) == "admin"


@scenario
def somebody_has_left_before_their_role_changes(stage: Stage) -> None:
    for before, after in (("member", "viewer"), ("member", "admin"), ("admin", "member")):
        room, (ann, bob) = _fresh(stage, before)
        stage.before("RoomChanges.change_role", lambda: bob.leave(room))  # noqa: B023  # called before the loop goes on
        refused(ann.set_role(room, bob, after), 404)


@scenario
def roles_change_twice_at_once(stage: Stage) -> None:
    for before, between, after in (
        ("member", "admin", "viewer"),
        ("viewer", "admin", "admin"),
        ("admin", "viewer", "member"),
    ):
        room, (ann, bob) = _fresh(stage, before)
        stage.before("RoomChanges.change_role", lambda: ann.set_role(room, bob, between))  # noqa: B023  # called before the loop goes on
        assert ann.set_role(room, bob, after).status == 200
        assert bob.role_in(room) == after


@scenario
def an_admin_is_demoted_while_they_read_the_room(stage: Stage) -> None:
    """Their membership was read before, the room after: its version is the newest, their role is not."""
    ann, bob = sorted(people(stage, "ann", "bob"), key=lambda person: person.id)
    (cleo,) = people(stage, "cleo")
    requests: list[Callable[[Json], Response]] = [
        lambda room: ann.rename(room, "Anew"),
        ann.renew_code,
        lambda room: ann.add(room, cleo),
        ann.close,
    ]
    for request in requests:
        room = bob.open()
        assert bob.add(room, ann, "admin").status == 201
        stage.during_a_read(lambda room=room: bob.set_role(room, ann, "member"))  # type: ignore[misc]  # mypy infers no type for such a lambda
        refused(request(room), 403)
        shown = bob.do("GET", "/rooms/{room_id}", room_id=room["id"]).body
        assert (shown["name"], shown["code"], shown["member_count"]) == (room["name"], room["code"], 2), shown


@scenario
def somebody_has_left_while_an_admin_reads_the_room_to_close_it(stage: Stage) -> None:
    ann, bob, cleo = sorted(people(stage, "ann", "bob", "cleo"), key=lambda person: person.id)
    room = bob.open()
    assert bob.add(room, ann).status == 201

    def swap() -> None:
        assert ann.leave(room).status == 204
        assert bob.add(room, cleo).status == 201

    stage.during_a_read(swap)
    assert bob.close(room).status == 204
    assert cleo.role_in(room) is None


@scenario
def somebody_leaves_and_comes_back_while_an_admin_closes_the_room(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")

    def back() -> None:
        assert bob.leave(room).status == 204
        assert bob.join(room).status == 200

    stage.before("RoomChanges.close", back)
    assert ann.close(room).status == 204


@scenario
def a_room_is_changed_with_the_version_that_was_read(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    version = ann.do("GET", "/rooms/{room_id}", room_id=room["id"]).body["version"]
    requests: list[tuple[str, Callable[..., Response]]] = [
        ("RoomChanges.change", lambda **options: ann.rename(room, "Anew", **options)),
        ("RoomChanges.change_code", lambda **options: ann.renew_code(room, **options)),
        ("RoomChanges.close", lambda **options: ann.close(room, **options)),
    ]
    for number, (operation, request) in enumerate(requests):
        stage.before(operation, lambda number=number: bob.rename(room, f"Bob's {number}"))  # type: ignore[misc]  # mypy infers no type for such a lambda
        refused(request(headers={"If-Match": f'"{version + number}"'}), 412)


@scenario
def two_new_codes_at_once(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "admin")
    stage.before("RoomChanges.change_code", lambda: bob.renew_code(room))
    assert ann.renew_code(room).status == 200


# ----------------------------------------------------------------------------------------------------- tasks


def _task_requests() -> dict[str, Callable[[Person, Json, Json], Response]]:
    return {
        "TaskChanges.create": lambda person, room, task: person.plan(room),
        "TaskChanges.update": lambda person, room, task: person.change(task, title="Changed"),
        "TaskChanges.move": lambda person, room, task: person.move(task, None, status="completed"),
        "TaskChanges.trash": lambda person, room, task: person.trash(task),
        "TaskChanges.restore": lambda person, room, task: _trashed(person, task).restore(task),
        "TaskChanges.delete": lambda person, room, task: _trashed(person, task).purge(task),
    }


def writing(operation: str, request: Callable[[Person, Json, Json], Response]) -> None:
    """Scenarios of somebody who may write no more when the write is sent."""

    def the_writer_leaves_before_the_write(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        task = ann.plan(room).body
        stage.before(operation, lambda: bob.leave(room))
        refused(request(bob, room, task), 404)

    def the_writer_becomes_viewer_before_the_write(stage: Stage) -> None:
        room, (ann, bob) = room_of(stage, "member")
        task = ann.plan(room).body
        stage.before(operation, lambda: ann.set_role(room, bob, "viewer"))
        refused(request(bob, room, task), 403)

    for each in (the_writer_leaves_before_the_write, the_writer_becomes_viewer_before_the_write):
        SCENARIOS[f"{each.__name__}: {operation}"] = each


for _operation, _request in _task_requests().items():
    writing(_operation, _request)


@scenario
def whoever_plans_for_nobody_may_write_no_more(stage: Stage) -> None:
    room, (_, bob) = room_of(stage, "member")
    assert bob.plan(room, user_id=None).status == 201
    room, (ann, bob) = _fresh(stage, "member")
    stage.before("TaskChanges.create", lambda: ann.set_role(room, bob, "viewer"))
    refused(bob.plan(room, user_id=None), 403)
    stage.before("TaskChanges.create", lambda: bob.leave(room))
    refused(bob.plan(room, user_id=None), 404)


@scenario
def every_role_that_may_write_does(stage: Stage) -> None:
    room, (ann, bob, eve) = room_of(stage, "member", "viewer")
    for person in (ann, bob):
        task = person.plan(room)
        assert task.status == 201, task
        assert person.change(task.body, title="Changed").status == 200
        assert person.move(task.body, None, status="completed").status == 200
        assert person.trash(task.body).status == 204
        assert person.restore(task.body).status == 200
        assert _trashed(person, task.body).purge(task.body).status == 204
    task = ann.plan(room).body
    for response in (eve.plan(room), eve.change(task, title="Eve's"), eve.move(task, None), eve.trash(task)):
        refused(response, 403, "role_too_low")
    assert ann.trash(task).status == 204
    for response in (eve.restore(task), eve.purge(task)):
        refused(response, 403, "role_too_low")


@scenario
def a_task_is_trashed_twice_at_once(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    stage.before("TaskChanges.trash", lambda: bob.trash(task))
    refused(ann.trash(task), 404)
    mine = ann.plan().body
    assert ann.trash(mine).status == 204
    refused(ann.trash(mine), 404)


@scenario
def a_task_is_restored_and_purged_at_once(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    assert ann.trash(task).status == 204
    stage.before("TaskChanges.delete", lambda: bob.restore(task))
    refused(ann.purge(task), 404)
    assert ann.see(task).status == 200
    assert ann.trash(task).status == 204
    stage.before("TaskChanges.restore", lambda: bob.purge(task))
    refused(ann.restore(task), 404)
    refused(ann.see(task), 404)


@scenario
def a_task_is_purged_twice_at_once(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    assert ann.trash(task).status == 204
    stage.before("TaskChanges.delete", lambda: bob.purge(task))
    refused(ann.purge(task), 404)


@scenario
def a_task_is_restored_and_trashed_again_before_it_is_restored_or_purged(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body

    def again() -> None:
        assert bob.restore(task).status == 200
        assert bob.trash(task).status == 204

    assert ann.trash(task).status == 204
    stage.before("TaskChanges.restore", again)
    refused(ann.restore(task, headers={"If-Match": '"2"'}), 412)
    stage.before("TaskChanges.delete", again)
    refused(ann.purge(task, headers={"If-Match": '"4"'}), 412)
    assert ann.restore(task).status == 200


@scenario
def a_task_is_restored_before_the_sweeper_deletes_it(stage: Stage) -> None:
    """By a request that came just in time."""
    (ann,) = people(stage, "ann")
    task, other = ann.plan().body, ann.plan().body
    assert ann.trash(other).status == 204
    assert ann.trash(task).status == 204
    stage.hold("TaskChanges.restore")
    refused(ann.restore(task), 503)
    stage.time += 31 * DAY
    stage.before("TasksRepository.purge_trashed", stage.release)
    stage.sweep()
    assert ann.see(task).status == 200
    assert stage.item("TasksTableV2", ann.id, other["id"]) is None


@scenario
def the_assignee_leaves_before_the_task_is_restored(stage: Stage) -> None:
    for back in (True, False):
        room, (ann, bob) = _fresh(stage, "member")

        def meanwhile() -> None:
            assert bob.leave(room).status == 204  # noqa: B023  # called before the loop goes on
            if back:  # noqa: B023  # called before the loop goes on
                assert ann.add(room, bob).status == 201  # noqa: B023  # called before the loop goes on

        others = [ann.id] if back else []
        task = ann.plan(room, assignee_ids=[bob.id, *others]).body
        assert ann.trash(task).status == 204
        stage.before("TaskChanges.restore", meanwhile)
        assert ann.restore(task).body["assignee_ids"] == others


@scenario
def whoever_restores_their_own_task_leaves_or_becomes_viewer(stage: Stage) -> None:
    def of_bob() -> tuple[Json, Person, Person, Json]:
        room, (ann, bob) = _fresh(stage, "member")
        task = ann.plan(room, user_id=bob.id).body
        assert bob.trash(task).status == 204
        return room, ann, bob, task

    room, ann, bob, task = of_bob()
    assert bob.restore(task).body["assignee_ids"] == [bob.id]
    room, ann, bob, task = of_bob()
    stage.before("TaskChanges.restore", lambda: bob.leave(room))
    refused(bob.restore(task), 404)
    room, ann, bob, task = of_bob()
    stage.before("TaskChanges.restore", lambda: ann.set_role(room, bob, "viewer"))
    refused(bob.restore(task), 403)
    room, ann, bob, task = of_bob()

    def back() -> None:
        assert bob.leave(room).status == 204
        assert ann.add(room, bob).status == 201

    stage.before("TaskChanges.restore", back)
    assert bob.restore(task).body["assignee_ids"] == []
    task = ann.plan(room).body
    assert ann.trash(task).status == 204
    assert ann.restore(task).body["assignee_ids"] == [ann.id]


@scenario
def the_task_behind_which_another_is_put_goes_elsewhere(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    a, b, _, d = (ann.plan(room, title=title).body for title in "abcd")
    stage.before("TaskChanges.move", lambda: bob.move(b, d))
    assert ann.move(a, b).status == 200
    assert ann.order_of(room) == "cdba"
    stage.before("TaskChanges.move", lambda: bob.trash(b))
    refused(ann.move(d, b), 422)
    assert bob.restore(b).status == 200
    stage.before("TaskChanges.move", lambda: bob.change(b, status="completed"))
    refused(ann.move(d, b), 422)
    assert ann.order_of(room) == "cdab"


@scenario
def a_task_changes_before_it_is_moved(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    a, b = (ann.plan(room, title=title).body for title in "ab")
    stage.before("TaskChanges.move", lambda: bob.change(a, title="c"))
    refused(ann.move(a, b, {"If-Match": '"1"'}), 412)
    assert ann.order_of(room) == "cb"
    stage.before("TaskChanges.move", lambda: bob.trash(a))
    refused(ann.move(a, b), 404)


@scenario
def two_moves_make_ranks_long_at_once(stage: Stage) -> None:
    room, (ann, bob), tasks = _crowded_room(stage)
    stage.before("TaskChanges.move", lambda: bob.move(tasks["f"], tasks["c"]))
    assert ann.move(tasks["e"], tasks["c"]).status == 200
    job = stage.item("TasksTableV2", room["id"], "J#ranks")
    assert job is not None
    assert job["step"] == "2"
    stage.sweep()
    assert (ann.order_of(room), _longest_rank(stage) < _SHORT) == ("abcefd", True)


@scenario
def ranks_become_short_before_a_task_is_moved(stage: Stage) -> None:
    for finished in (False, True):
        room, (ann, bob), tasks = _crowded_room(stage)
        assert bob.move(tasks["e"], tasks["c"]).status == 200

        def respread() -> None:
            if not finished:  # noqa: B023  # called before the loop goes on
                stage.hold("RespreadsRepository.done")
            stage.sweep()

        stage.before("TaskChanges.move", respread)
        assert ann.move(tasks["f"], tasks["a"]).status == 200
        assert ann.order_of(room) == "afbced"
        assert (stage.item("TasksTableV2", room["id"], "J#ranks") is None) == finished
        stage.forget()


@scenario
def a_task_is_moved_before_ranks_become_short(stage: Stage) -> None:
    room, (ann, bob), tasks = _crowded_room(stage)
    assert bob.move(tasks["e"], tasks["c"]).status == 200
    stage.before("RespreadsRepository.write", lambda: ann.move(tasks["f"], tasks["a"]))
    stage.sweep()
    assert ann.order_of(room) == "afbced"
    assert _longest_rank(stage) < _SHORT


@scenario
def a_task_is_trashed_before_ranks_become_short(stage: Stage) -> None:
    room, (ann, bob), tasks = _crowded_room(stage)
    assert bob.move(tasks["e"], tasks["c"]).status == 200
    stage.before("RespreadsRepository.write", lambda: ann.trash(tasks["d"]))
    stage.sweep()
    assert ann.order_of(room) == "abcef"


@scenario
def a_task_is_moved_when_ranks_have_become_short(stage: Stage) -> None:
    """Its place has become crowded again."""
    room, (ann, bob), tasks = _crowded_room(stage)
    assert bob.move(tasks["e"], tasks["c"]).status == 200

    def crowd_again() -> None:
        _crowd(stage, room, tasks)
        assert ann.move(tasks["f"], tasks["c"]).status == 200

    stage.before("RespreadsRepository.done", crowd_again)
    stage.sweep()
    assert _longest_rank(stage) < _SHORT
    assert stage.item("TasksTableV2", room["id"], "J#ranks") is None


_SHORT = 100
"""A rank of more characters is one that should have become short."""


def _crowded_room(stage: Stage) -> tuple[Json, tuple[Person, Person], dict[str, Json]]:
    """A room of two people, and tasks a to f. A move between c and e makes a long rank, and a, b and f have short ones:
    when ranks become short, all from b to e get others, between a and b.
    """
    room, (ann, bob) = _fresh(stage, "member")
    tasks = {title: ann.plan(room, title=title).body for title in "abcdef"}
    _crowd(stage, room, tasks)
    return room, (ann, bob), tasks


def _crowd(stage: Stage, room: Json, tasks: dict[str, Json]) -> None:
    table = stage.database.tables["TasksTableV2"]
    for number, title in enumerate("abcde"):
        place = (room["id"], tasks[title]["id"])
        table.write(place, crowded(number, table.items[place]), stage.time)


def _longest_rank(stage: Stage) -> int:
    return max(len(item["rank"]["S"]) for _, item in tasks_of(stage.database.tables["TasksTableV2"]))


@scenario
def the_assignee_leaves_before_the_write(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    stage.before("TaskChanges.create", lambda: bob.leave(room))
    refused(ann.plan(room, user_id=bob.id), 422)
    assert bob.join(ann.do("GET", "/rooms/{room_id}", room_id=room["id"]).body).status == 200
    stage.before("TaskChanges.update", lambda: bob.leave(room))
    refused(ann.change(task, user_id=bob.id), 422)


@scenario
def the_assignee_leaves_and_comes_back_before_the_write(stage: Stage) -> None:
    """The task is assigned by the membership that they have now: a late end of the earlier one would undo the other."""
    for mine in (True, False):
        room, (ann, bob) = _fresh(stage, "member")

        def back() -> None:
            assert bob.leave(room).status == 204  # noqa: B023  # called before the loop goes on
            assert ann.add(room, bob).status == 201  # noqa: B023  # called before the loop goes on

        writer = bob if mine else ann
        task = ann.plan(room).body
        requests: dict[str, Callable[[], Response]] = {
            "TaskChanges.create": lambda: writer.plan(room, user_id=bob.id),  # noqa: B023  # called at once
            "TaskChanges.update": lambda: writer.change(task, user_id=bob.id),  # noqa: B023  # called at once
        }
        for operation, request in requests.items():
            stage.before(operation, back)
            response = request()
            assert response.status in (200, 201), response
            stage.dispatch_leave(room["id"], bob.id)
            shown = ann.do("GET", "/tasks/{task_id}", task_id=response.body["id"])
            assert shown.body["user_id"] == bob.id, shown


@scenario
def whoever_takes_a_task_becomes_viewer_meanwhile(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    stage.before("TaskChanges.update", lambda: ann.set_role(room, bob, "viewer"))
    refused(bob.change(task, user_id=bob.id), 403, "role_too_low")


@scenario
def an_assigned_viewer_is_out_before_the_write(stage: Stage) -> None:
    room, (ann, eve) = room_of(stage, "viewer")
    task = ann.plan(room, user_id=eve.id).body
    assert eve.change(task, status="in progress").status == 200
    stage.before("TaskChanges.update", lambda: ann.change(task, user_id=ann.id))
    refused(eve.change(task, status="completed"), 403, "role_too_low")
    assert ann.change(task, user_id=eve.id).status == 200

    def back() -> None:
        assert eve.leave(room).status == 204
        assert ann.add(room, eve, "viewer").status == 201

    stage.before("TaskChanges.update", back)
    refused(eve.change(task, status="completed"), 403, "role_too_low")
    assert ann.change(task, user_id=eve.id).status == 200
    stage.before("TaskChanges.update", lambda: eve.leave(room))
    refused(eve.change(task, status="completed"), 404)


@scenario
def a_task_of_somebody_who_left_is_given_to_another_meanwhile(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room, user_id=bob.id).body
    assert bob.leave(room).status == 204
    stage.before("TasksRepository.unassign", lambda: ann.change(task, user_id=ann.id))
    stage.dispatch_leave(room["id"], bob.id)
    assert ann.do("GET", "/tasks/{task_id}", task_id=task["id"]).body["user_id"] == ann.id


@scenario
def a_task_changes_before_it_is_written(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room).body
    match = {"If-Match": '"1"'}
    stage.before("TaskChanges.update", lambda: bob.change(task, title="Bob's"))
    refused(ann.change(task, match, title="Ann's"), 412)
    match = {"If-Match": '"2"'}
    stage.before("TaskChanges.trash", lambda: bob.change(task, title="Bob's again"))
    refused(ann.trash(task, headers=match), 412)
    shown = ann.do("GET", "/tasks/{task_id}", task_id=task["id"])
    assert (shown.status, shown.body["title"]) == (200, "Bob's again"), shown


@scenario
def a_task_of_somebody_deleted_is_given_to_another_meanwhile(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    task = ann.plan(room, user_id=bob.id).body
    stage.before("TasksRepository.unassign", lambda: ann.change(task, user_id=ann.id))
    assert bob.go().status == 204
    assert ann.do("GET", "/tasks/{task_id}", task_id=task["id"]).body["user_id"] == ann.id


# ------------------------------------------------------------------------------------- people and their sessions


@scenario
def a_profile_changes_twice_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("UserChanges.change_profile", lambda: ann.edit_profile(email="new@example.org"))
    assert ann.edit_profile(username="anna").status == 200
    item = stage.item("UsersTable", ann.id)
    assert item is not None
    assert (item["username"], item["email"]) == ("anna", "new@example.org")
    stage.before("UserChanges.change_profile", lambda: ann.edit_profile(username="annie"))
    assert ann.edit_profile(username="anne", email="third@example.org").status == 200


@scenario
def somebody_is_deleted_while_they_change_their_profile(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("UserChanges.change_profile", ann.go)
    refused(ann.edit_profile(username="anna"), 404)


@scenario
def somebody_is_deleted_with_the_version_that_was_read(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("UserChanges.begin_removal", lambda: ann.edit_profile(username="anna"))
    refused(ann.go(headers={"If-Match": '"1"'}), 412)
    stage.before("UserChanges.begin_removal", ann.go)
    refused(ann.go(), 404)


@scenario
def nobody_is_left_of_somebody_deleted(stage: Stage) -> None:
    """What comes late finds nobody, and makes nobody."""
    (ann,) = people(stage, "ann")
    assert ann.go().status == 204
    stage.sweep()
    refused(ann.end_all_sessions(), 404)
    assert stage.item("UsersTable", ann.id) is None


@scenario
def a_password_changes_twice_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("SessionChanges.change_password", lambda: ann.change_password("the first new one"))
    refused(ann.change_password("the second new one"), 401)
    assert ann.login("the first new one").status == 200


@scenario
def a_recovery_token_is_used_twice_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    token = ann.recovery_token()
    stage.before("UserRecoveries.recover", lambda: ann.recover(token, "the first of the new ones"))
    refused(ann.recover(token, "the second of the new ones"), 401, "invalid_recovery_token")
    assert ann.login("the first of the new ones").status == 200


@scenario
def another_recovery_token_is_issued_while_one_is_used(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    token, newer = ann.recovery_token(), []
    stage.before("UserRecoveries.recover", lambda: newer.append(ann.recovery_token()))
    refused(ann.recover(token, "the first of the new ones"), 401, "invalid_recovery_token")
    assert ann.recover(newer[0], "the second of the new ones").status == 204


@scenario
def a_profile_changes_while_a_recovery_token_is_used(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    token = ann.recovery_token()
    stage.before("UserRecoveries.recover", lambda: ann.edit_profile(email="new@example.org"))
    refused(ann.recover(token, "the first of the new ones"), 401, "invalid_recovery_token")
    assert ann.login().status == 200


@scenario
def whoever_signs_in_while_a_password_changes_is_out(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    thief: list[str] = []

    def meanwhile() -> None:
        assert ann.end_all_sessions().status == 204
        thief.append(ann.login().body["refresh_token"])

    stage.before("SessionChanges.change_password", meanwhile)
    ann.change_password("another long enough password")
    if ann.login().status == 401:
        refused(ann.refresh(thief[0]), 401)


@scenario
def everybody_is_signed_out_while_a_password_changes(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("SessionChanges.change_password", ann.end_all_sessions)
    refused(ann.change_password("another long enough password"), 401)
    refused(ann.refresh(), 401)


@scenario
def a_password_change_names_the_session_of_somebody_else(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    refused(ann.change_password("another long enough password", bob.session_id), 401)
    assert bob.refresh().status == 200


@scenario
def a_session_of_somebody_else_is_not_ended(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    refused(bob.end_session(ann), 404)
    assert ann.refresh().status == 200


@scenario
def a_session_ends_while_it_changes_the_password(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    session = ann.session_id
    out = {"refresh_token": ann.refresh_token}
    stage.before("SessionChanges.change_password", lambda: ann.anonymous("POST", "/auth/logout", out))
    refused(ann.change_password("another long enough password"), 401)
    assert stage.item("SessionsTable", session) is None
    assert ann.login().status == 200


@scenario
def somebody_is_deleted_while_they_change_their_password(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    second = ann.login().body["refresh_token"].partition(".")[0]
    stage.before("SessionChanges.change_password", ann.go)
    refused(ann.change_password("another long enough password", second), 401)


@scenario
def everybody_is_signed_out_while_the_password_is_shown_again(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("SessionChanges.reauthenticate", ann.end_all_sessions)
    refused(ann.reauthenticate(), 401, "token_revoked")


@scenario
def the_password_changes_while_it_is_shown_again(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("SessionChanges.reauthenticate", lambda: ann.change_password("another long enough password"))
    refused(ann.reauthenticate(), 401, "invalid_credentials")


@scenario
def a_session_ends_while_the_password_is_shown_again(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    out = {"refresh_token": ann.refresh_token}
    stage.before("SessionChanges.reauthenticate", lambda: ann.anonymous("POST", "/auth/logout", out))
    refused(ann.reauthenticate(), 401, "token_revoked")
    assert stage.item("SessionsTable", ann.session_id) is None


@scenario
def the_password_is_shown_again_in_a_session_that_is_over_or_of_somebody_else(stage: Stage) -> None:
    ann, bob = people(stage, "ann", "bob")
    refused(ann.reauthenticate(bob.session_id), 401, "token_revoked")
    assert ann.end_all_sessions().status == 204
    refused(ann.reauthenticate(), 401, "token_revoked")
    again = ann.login().body["refresh_token"].partition(".")[0]
    assert ann.reauthenticate(again).status == 200


@scenario
def sign_in_is_over_before_it_begins(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    stage.before("SessionChanges.open", ann.end_all_sessions)
    response = ann.login()
    assert response.status == 401 or ann.refresh(response.body["refresh_token"]).status == 200, response
    stage.before("SessionChanges.open", ann.go)
    refused(ann.login(), 401)


# ------------------------------------------------------------------------------------------------- live updates


@scenario
def a_ticket_is_used_twice_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    ticket = ann.ticket()
    first: list[Json | None] = []
    stage.before("TicketsRepository.take", lambda: first.append(stage.admit(ticket)))
    assert stage.admit(ticket) is None
    assert stage.connect(first[0], "first")


@scenario
def two_connections_open_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    one, other, third, fourth = (stage.admit(ann.ticket()) for _ in range(4))
    stage.before("OpeningConnections.open", lambda: stage.connect(other, "other"))
    assert stage.connect(one, "one")
    stage.before("OpeningConnections.open", lambda: stage.connect(fourth, "fourth"))
    assert stage.connect(third, "third")
    assert stage.connections(ann.id) == {"one", "other", "third", "fourth"}


@scenario
def a_session_ends_while_its_connection_opens(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    admitted = stage.admit(ann.ticket())
    stage.before("OpeningConnections.open", ann.logout)
    assert not stage.connect(admitted, "late")
    assert stage.connections(ann.id) == set()


@scenario
def all_sessions_end_while_a_connection_opens(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    admitted = stage.admit(ann.ticket())
    stage.before("OpeningConnections.open", ann.end_all_sessions)
    assert not stage.connect(admitted, "late")
    assert stage.connections(ann.id) == set()


@scenario
def connections_change_while_one_is_forgotten(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    first, second = (stage.admit(ann.ticket()) for _ in range(2))
    assert stage.connect(first, "first")
    stage.before("ConnectionsRepository.remove", lambda: stage.connect(second, "second"))
    stage.disconnect(ann.id, "first")
    assert stage.connections(ann.id) == {"second"}
    stage.before("ConnectionsRepository.remove", ann.end_all_sessions)
    stage.disconnect(ann.id, "second")
    assert stage.item("LiveTable", ann.id) is None


@scenario
def others_are_stored_in_their_place_while_one_is_forgotten(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for each in ("first", "second"):
        assert stage.connect(stage.admit(ann.ticket()), each)

    def meanwhile() -> None:
        assert ann.change_password("a different good word").status == 204
        for each in ("third", "fourth"):
            assert stage.connect(stage.admit(ann.ticket()), each)

    stage.before("ConnectionsRepository.remove", meanwhile)
    stage.disconnect(ann.id, "first")
    assert stage.connections(ann.id) == {"third", "fourth"}


@scenario
def a_session_that_ends_takes_its_connections_along(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    other = ann.login().body["refresh_token"]
    assert stage.connect(stage.admit(ann.ticket()), "first")
    ann.well("DELETE", "/auth/sessions/{session_id}", session_id=ann.session_id)
    assert stage.connections(ann.id) == set()
    assert ann.refresh(other).status == 200


@scenario
def a_refresh_token_is_used_twice_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    first: list[Response] = []
    stage.before("SessionsRepository.rotate", lambda: first.append(ann.refresh()))
    refused(ann.refresh(), 409, "refresh_in_progress")
    assert ann.refresh(first[0].body["refresh_token"]).status == 200
    (bob,) = people(stage, "bob")
    out = {"refresh_token": bob.refresh_token}
    stage.before("SessionsRepository.rotate", lambda: bob.anonymous("POST", "/auth/logout", out))
    refused(bob.refresh(), 401)


@scenario
def a_refresh_token_is_used_twice_at_once_with_one_key(stage: Stage) -> None:
    """Whichever of the two digests sorts first."""

    def twice(person: Person) -> None:
        first: list[Response] = []
        stage.before("SessionsRepository.rotate", lambda: first.append(person.refresh(**key())))
        second = person.refresh(**key())
        assert second.replayed
        assert second.body == first[0].body
        assert person.refresh(second.body["refresh_token"]).status == 200

    for each in people(stage, *(f"person-{number}" for number in range(6))):
        twice(each)


@scenario
def a_password_changes_while_its_hash_is_made_anew(stage: Stage) -> None:
    """Whichever of the two hashes sorts first."""
    new = "another long enough password"
    for each in people(stage, *(f"person-{number}" for number in range(6))):
        with environment({"BCRYPT_COST": "5"}):
            stage.before("UsersRepository.upgrade_password_hash", functools.partial(each.change_password, new))
            assert each.login().status == 200
        assert each.login(new).status == 200
        refused(each.login(), 401)


# -------------------------------------------------------------------------------------- what removals clean up


@scenario
def somebody_leaves_once_more_before_their_unassignment_is_done(stage: Stage) -> None:
    room, (_, bob) = room_of(stage, "member")
    assert bob.leave(room).status == 204

    def back() -> None:
        assert bob.join(room).status == 200
        assert bob.leave(room).status == 204

    stage.before("UnassignmentsRepository.done", back)
    stage.dispatch_leave(room["id"], bob.id)
    assert stage.item("RoomsTable", f"USER#{bob.id}", f"UNASSIGNMENT#{room['id']}") is not None
    stage.dispatch_leave(room["id"], bob.id)
    assert stage.item("RoomsTable", f"USER#{bob.id}", f"UNASSIGNMENT#{room['id']}") is None


@scenario
def somebody_joins_before_the_last_one_is_deleted(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    (bob,) = people(stage, "bob")
    stage.before("RoomsRepository.leave", lambda: bob.join(room))
    assert ann.go().status == 204
    assert bob.role_in(room) == "admin"


@scenario
def the_deleted_change_role_before_they_leave(stage: Stage) -> None:
    for before, after in (("member", "admin"), ("admin", "member")):
        room, (ann, bob) = _fresh(stage, before)
        stage.hold("RoomChanges.change_role")
        refused(ann.set_role(room, bob, after), 503)
        stage.before("RoomsRepository.leave", stage.release)
        assert bob.go().status == 204
        assert bob.role_in(room) is None


@scenario
def two_removals_at_once(stage: Stage) -> None:
    for role in ("member", "admin"):
        room, (_, bob) = _fresh(stage, role)
        stage.before("RoomsRepository.leave", lambda: stage.hand_over("UserRemovalFunction", user_id=bob.id))  # noqa: B023  # called before the loop goes on
        assert bob.go().status == 204
        assert bob.role_in(room) is None


@scenario
def the_last_admin_is_deleted(stage: Stage) -> None:
    room, (ann, bob) = room_of(stage, "member")
    assert ann.go().status == 204
    assert bob.role_in(room) == "admin"


@scenario
def the_last_but_one_admin_is_deleted(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "admin", "member")
    stage.before("RoomsRepository.leave", lambda: bob.leave(room))
    assert ann.go().status == 204
    assert cleo.role_in(room) == "admin"


@scenario
def the_last_member_is_deleted(stage: Stage) -> None:
    room, (ann,) = room_of(stage)
    assert ann.go().status == 204
    stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")
    assert stage.item("RoomsTable", room["id"], "ROOM") is None


@scenario
def another_admin_is_made_before_the_deleted_one_leaves(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "member")
    stage.before("RoomsRepository.leave_to", lambda: ann.set_role(room, cleo, "admin"))
    assert ann.go().status == 204
    assert (bob.role_in(room), cleo.role_in(room)) == ("member", "admin")


@scenario
def another_admin_demotes_the_deleted_one_before_they_leave(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "admin")
    stage.hold("RoomChanges.change_role")
    refused(cleo.set_role(room, ann, "member"), 503)
    with stage.clock_ahead(-30):
        assert ann.set_role(room, cleo, "member").status == 200

    def meanwhile() -> None:
        assert ann.set_role(room, cleo, "admin").status == 200
        stage.release()

    stage.before("RoomsRepository.leave_to", meanwhile)
    assert ann.go().status == 204
    assert (ann.role_in(room), bob.role_in(room), cleo.role_in(room)) == (None, "member", "admin")


@scenario
def the_successor_becomes_viewer(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "member")
    stage.before("RoomsRepository.leave_to", lambda: ann.set_role(room, bob, "viewer"))
    assert ann.go().status == 204
    assert (bob.role_in(room), cleo.role_in(room)) == ("viewer", "admin")


@scenario
def the_successor_leaves(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "member")
    stage.before("RoomsRepository.leave_to", lambda: bob.leave(room))
    assert ann.go().status == 204
    assert (bob.role_in(room), cleo.role_in(room)) == (None, "admin")


@scenario
def the_successor_leaves_and_comes_back(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "member")

    def back() -> None:
        assert bob.leave(room).status == 204
        assert bob.join(room).status == 200

    stage.before("RoomsRepository.leave_to", back)
    assert ann.go().status == 204
    assert (bob.role_in(room), cleo.role_in(room)) == ("member", "admin")


@scenario
def two_removals_of_a_last_admin_at_once(stage: Stage) -> None:
    room, (ann, bob, cleo) = room_of(stage, "member", "member")
    stage.before("RoomsRepository.leave_to", lambda: stage.hand_over("UserRemovalFunction", user_id=ann.id))
    assert ann.go().status == 204
    assert (bob.role_in(room), cleo.role_in(room)) == ("admin", "member")


@scenario
def a_dead_room_is_deleted_twice_and_its_code_used_again(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open(code="SPRINT001")
    assert ann.leave(room).status == 204

    def meanwhile() -> None:
        stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")
        stage.time = _free_at(stage, "SPRINT001")
        with stage.clock_ahead(0):
            ann.open(code="SPRINT001")

    stage.before("RoomsRepository.delete_dead", meanwhile)
    stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")


@scenario
def a_dead_room_is_deleted_twice(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open()
    assert ann.leave(room).status == 204

    stage.before(
        "RoomsRepository.delete_dead", lambda: stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")
    )
    stage.hand_over("RoomCleanupFunction", room_id=room["id"], item="ROOM")


@scenario
def somebody_is_erased_twice(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    assert ann.go().status == 204
    stage.before("UsersRepository.erase", stage.sweep)
    stage.sweep()
    assert stage.item("UsersTable", ann.id) is None


@scenario
def two_guesses_when_one_may_be_made(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for _ in range(10):
        assert ann.login("a guess").status == 401
    stage.time += 60
    stage.before("RateLimitsRepository.change_throttle", lambda: ann.login("a guess"))
    assert ann.login("another guess").status == 429


@scenario
def a_guess_while_somebody_signs_in_and_guessing_begins_anew(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for _ in range(10):
        assert ann.login("a guess").status == 401
    stage.time += 60

    def meanwhile() -> None:
        assert ann.login().status == 200
        assert ann.login("a guess").status == 401

    stage.before("RateLimitsRepository.change_throttle", meanwhile)
    assert ann.login("another guess").status == 429


@scenario
def two_guesses_when_the_earlier_ones_are_forgotten(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    for _ in range(9):
        assert ann.login("a guess").status == 401
    stage.time += 900
    stage.before("RateLimitsRepository.change_throttle", lambda: ann.login("a guess"))
    responses = [ann.login("another guess").status for _ in range(10)]
    assert responses == [401] * 9 + [429]


def _fresh(stage: Stage, role: str) -> tuple[Json, tuple[Person, Person]]:
    """One more room, of new people: somebody who opened it, and somebody with this role."""
    number = len(stage.database.tables["UsersTable"].items)
    ann, bob = people(stage, f"ann-{number}", f"bob-{number}")
    room = ann.open()
    assert ann.add(room, bob, role).status == 201
    return room, (ann, bob)


def _logged(stage: Stage, room: Json) -> tuple[list[tuple[str, int]], int]:
    """Of the entries of a room's log, what each is about and its revision; and the number in the head."""
    items = sorted(stage.database.tables["LogTable"].items.items())
    entries = [item for (log_id, name), item in items if log_id == room["id"] and name.startswith("c#")]
    head = stage.item("LogTable", room["id"], "head") or {"seq": "0"}
    return [(each["resource"]["S"], int(each["revision"]["N"])) for each in entries], int(head["seq"])


def _changes(stage: Stage, room: Json) -> tuple[list[Change], list[Change]]:
    """What was committed of the room itself, and of its task."""
    of_room = [each for each in stage.committed if each.table == "RoomsTable" and each.key == (room["id"], "ROOM")]
    of_task = [each for each in stage.committed if each.table == "TasksTableV2" and each.key[1].startswith("room_")]
    return of_room, of_task


@scenario
def two_append_to_one_log_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open()
    task = ann.plan(room).body
    ann.rename(room, "Meanwhile")
    ann.change(task, title="Meanwhile")
    of_room, of_task = _changes(stage, room)

    # The log begins, and then goes on.
    for number in range(2):
        stage.before("ChangeLogRepository.append", lambda number=number: stage.append_to_logs(of_task[number]))  # type: ignore[misc]  # mypy infers no type for such a lambda
        stage.append_to_logs(of_room[number])
    assert _logged(stage, room) == ([("task", 1), ("room", 1), ("task", 2), ("room", 2)], 4)


@scenario
def two_append_several_entries_to_one_log_at_once(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open()
    task = ann.plan(room).body
    ann.change(task, title="Meanwhile")
    of_room, of_task = _changes(stage, room)

    stage.before("ChangeLogRepository.append", lambda: stage.append_to_logs(of_room[0]))
    stage.append_to_logs(*of_task)
    assert _logged(stage, room) == ([("room", 1), ("task", 1), ("task", 2)], 3)


@scenario
def a_marker_goes_on_before_it_is_written(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open()
    task = ann.plan(room).body
    ann.change(task, title="Meanwhile")
    _, of_task = _changes(stage, room)

    # Somebody else finds the first entry, and appends another one.
    stage.before("ChangeLogRepository.mark", lambda: stage.append_to_logs(*of_task))
    stage.append_to_logs(of_task[0])
    marker = stage.item("LogTable", room["id"], f"v#{task['id']}")
    assert (marker or {})["revision"] == "2"
    stage.append_to_logs(*of_task)
    assert _logged(stage, room) == ([("task", 1), ("task", 2)], 2)


@scenario
def a_head_goes_on_before_it_is_written(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    room = ann.open()
    task = ann.plan(room).body
    ann.change(task, title="Meanwhile")
    of_room, of_task = _changes(stage, room)

    # The log begins, and then goes on.
    stage.before("ChangeLogRepository.advance", lambda: stage.append_to_logs(*of_task))
    stage.append_to_logs(of_room[0])
    assert _logged(stage, room) == ([("room", 1), ("task", 1), ("task", 2)], 3)
    ann.rename(room, "Meanwhile")
    ann.change(task, title="Again")
    (*_, renamed), (*_, changed) = _changes(stage, room)
    stage.before("ChangeLogRepository.advance", lambda: stage.append_to_logs(changed))
    stage.append_to_logs(renamed)
    assert _logged(stage, room) == ([("room", 1), ("task", 1), ("task", 2), ("room", 2), ("task", 3)], 5)


_A_DAY_LATER = 26 * 3600


def _of_people(stage: Stage) -> tuple[list[Change], list[Change]]:
    """What was committed of users, and of personal tasks."""
    of_users = [each for each in stage.committed if each.table == "UsersTable" and each.key[0].startswith("usr_")]
    of_tasks = [each for each in stage.committed if each.table == "TasksTableV2" and each.key[1].startswith("usr_")]
    return of_users, of_tasks


@scenario
def the_log_of_a_deleted_user_gets_an_entry_while_it_is_deleted(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    assert ann.do("POST", "/tasks", {"title": "Chairs"}).status == 201
    assert ann.go().status == 204
    stage.sweep()
    of_users, of_tasks = _of_people(stage)
    stage.append_to_logs(*of_users)

    stage.time += _A_DAY_LATER
    stage.before("ChangeLogRepository.purge", lambda: stage.append_to_logs(*of_tasks))
    stage.sweep()
    stage.time += _A_DAY_LATER
    stage.sweep()

    assert not [key for key in stage.database.tables["LogTable"].items if key[0] == ann.id]


@scenario
def the_log_of_a_user_who_is_there_again_expires_while_it_is_kept(stage: Stage) -> None:
    (ann,) = people(stage, "ann")
    user = (ann.id, "")
    logs = stage.database.tables["LogTable"].items
    stage.append_to_logs(Change("UsersTable", user, stage.database.tables["UsersTable"].items[user], None))

    stage.time += _A_DAY_LATER
    stage.before("ChangeLogRepository.keep", lambda: logs.pop((ann.id, "head")))
    stage.sweep()

    assert stage.item("LogTable", ann.id, "head") is None

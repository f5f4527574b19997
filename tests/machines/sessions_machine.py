"""Sessions: people who sign in and out, refresh, repeat what is spent, and change their passwords."""

import time
from types import MappingProxyType

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.machines.machine import Json, Machine
from tests.machines.sessions_reference import (
    AT_ONCE_SECONDS,
    RECENT_SECONDS,
    REPEATABLE_SECONDS,
    Session,
    Sessions,
)
from tests.support.client import Person
from tests.support.clock import Clock

PEOPLE = ("ann", "bob")
PASSWORDS = ["purple lamp under seven stairs", "three geese beside a wet road"]
WRONG = "nothing that anybody would have set"
_FAILURES = 4
"""Of one account, in an example: fewer than a limit on attempts would notice."""

# Access tokens are verified by the machine's own clock, and live for ten minutes: no token may be of the future.
_BEHIND_SECONDS = 300
# Half a second after a whole one, so that whole seconds later nothing depends on how a token rounds.
_OF_A_SECOND = 500_000_000
_SECONDS_PER_STEP = 1
_LONG_TIMES = 3

_people = st.sampled_from(PEOPLE)
_numbers = st.integers(0, 7)
_ages = st.sampled_from([0, 0, 0, 1, 2])
"""How many refreshes ago the token was given that is used: 0 is the good one."""
_keys = st.sampled_from([None, "first", "second"])


class SessionsMachine(Machine):
    """Two people, each signed in any number of times. The clock moves by a second with each step, or by a minute."""

    reference: type[Sessions] = Sessions
    parameters = MappingProxyType({"RecentSignInSeconds": str(RECENT_SECONDS)})

    def __init__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        super().__init__()
        self._clock = Clock(self._patch)
        self._clock.pass_by(-_BEHIND_SECONDS + (_OF_A_SECOND - time.time_ns() % 1_000_000_000) / 1_000_000_000)
        self.at = 0.0
        self._long_times = 0
        self._failures = dict.fromkeys(PEOPLE, 0)
        self._addresses = 0
        self.expected = self.reference()
        self.clients: dict[str, Person] = {}
        """Who calls in the name of each session, by its id."""
        self.names: dict[str, str] = {}
        self.touched: Session | None = None

    def teardown(self) -> None:
        super().teardown()
        self._patch.undo()

    # ------------------------------------------------------------------------------------------------- steps
    @initialize()
    def register(self) -> None:
        for person in PEOPLE:
            client = self.product.register(person, password=PASSWORDS[0])
            self.names[person] = client.username
            self.expected.passwords[person] = PASSWORDS[0]
            self._opened(person, client)

    @rule(person=_people, right=st.sampled_from([True, True, False]))
    def sign_in(self, person: str, right: bool) -> None:
        if not right and not self._may_fail(person):
            return
        password = self.expected.passwords[person] if right else WRONG
        response = self.product.anonymous.post(
            "/auth/login", json={"username": self.names[person], "password": password}
        )
        if self.expect("sign in", response, 200, lambda: self.expected.sign_in(person, password)):
            self._opened(person, Person(self.product.anonymous.connection, response.json(), password))

    @rule(number=_numbers, age=_ages, key=_keys)
    def refresh(self, number: int, age: int, key: str | None) -> None:
        self._refresh(self._session(number), age, key)

    @rule(number=_numbers, key=_keys, again=_keys, later=st.sampled_from([0, AT_ONCE_SECONDS, REPEATABLE_SECONDS]))
    def refresh_twice(self, number: int, key: str | None, again: str | None, later: int) -> None:
        """With one token: its response was lost, or it was stolen."""
        session = self._session(number)
        if self._refresh(session, 0, key):
            if later and self._long_times < _LONG_TIMES:
                self._long_times += 1
                self._pass_by(later)
            self._refresh(session, 1, again)

    @rule(number=_numbers, age=_ages)
    def sign_out(self, number: int, age: int) -> None:
        session = self._session(number)
        token = session.tokens[-1 - min(age, len(session.tokens) - 1)]
        response = self.product.anonymous.post("/auth/logout", json={"refresh_token": token})
        self.expect("sign out", response, 204, lambda: self.expected.sign_out(session, token))

    @rule(caller=_numbers, number=_numbers)
    def end_one(self, caller: int, number: int) -> None:
        session, by = self._session(number), self._session(caller)
        response = self.clients[by.id].delete(f"/auth/sessions/{session.id}")
        self.expect("end one", response, 204, lambda: self.expected.end(by, session))

    @rule(caller=_numbers, right=st.sampled_from([True, True, False]), new=st.sampled_from(PASSWORDS))
    def change_password(self, caller: int, right: bool, new: str) -> None:
        by = self._session(caller)
        if not right and not self._may_fail(by.person):
            return
        self._change_password(by, self.expected.passwords[by.person] if right else WRONG, new)

    @rule(caller=_numbers, right=st.sampled_from([True, False, None, None]))
    def change_address(self, caller: int, right: bool | None) -> None:
        """After showing the password, the right one or not, or without."""
        by = self._session(caller)
        if right is not None and (right or self._may_fail(by.person)):
            password = self.expected.passwords[by.person] if right else WRONG
            response = self.clients[by.id].post("/auth/reauthenticate", json={"password": password})
            if self.expect("show password", response, 200, lambda: self.expected.show_password(by, password, self.at)):
                self.clients[by.id].access_token = response.json()["access_token"]
        self._addresses += 1
        name = f"{by.person}-{self._addresses}"
        body = {"username": name} if self._addresses % 2 else {"email": f"{name}@example.org"}
        response = self.clients[by.id].patch("/users/me", json=body)
        if self.expect("change address", response, 200, lambda: self.expected.change_address(by, self.at)):
            self.names[by.person] = body.get("username", self.names[by.person])

    @rule(
        which=st.sampled_from(["time", "time", "all", "recover", "password"]),
        caller=_numbers,
        new=st.sampled_from(PASSWORDS),
    )
    def do_something_else(self, which: str, caller: int, new: str) -> None:
        """One rule, so that none of these takes up a sixth of all steps."""
        if which == "recover":
            self._recover(self._session(caller), new)
        elif which == "password":
            # From a session that has just begun, so that there may be others for it to end.
            person = self._session(caller).person
            self.sign_in(person, True)
            self._change_password(self.expected.all[-1], self.expected.passwords[person], new)
        elif which == "all":
            by = self._session(caller)
            response = self.clients[by.id].delete("/auth/sessions")
            self.expect("end all", response, 204, lambda: self.expected.end_all(by))
        elif self._long_times < _LONG_TIMES:
            self._long_times += 1
            self._pass_by(REPEATABLE_SECONDS)
            self.figures["a minute passes"] += 1

    # ------------------------------------------------------------------------------------- what must be seen
    @invariant()
    def sessions_that_are_alive_are_seen_by_their_person(self) -> None:
        if self.touched is None:
            return
        self._pass_by(_SECONDS_PER_STEP)
        for session in [each for each in self.expected.all if each.person == self.touched.person][-4:]:
            response = self.clients[session.id].get("/auth/sessions")
            self.figures["reads"] += 1
            if session.alive:
                assert response.status == 200, response
                assert [(each["id"], each["current"]) for each in response.json()["items"]] == [
                    (each.id, each is session) for each in self.expected.of(session.person)
                ]
            else:
                assert response.status == 401, response

    # --------------------------------------------------------------------------------------------------- help
    def _change_password(self, by: Session, current: str, new: str) -> None:
        body = {"current_password": current, "new_password": new}
        response = self.clients[by.id].post("/auth/password", json=body)
        self.expect("change password", response, 204, lambda: self.expected.change_password(by, current, new))

    def _recover(self, session: Session, new: str) -> None:
        """With a token that is used twice."""
        token = self.product.recovery_token(self.names[session.person])
        body = {"token": token, "new_password": new}
        responses = [self.product.anonymous.post("/auth/recovery/complete", json=body) for _ in range(2)]
        self.expect("recover", responses[0], 204, lambda: self.expected.recover(session.person, new))
        self._failures[session.person] = 0
        assert (responses[1].status, responses[1].json()["code"]) == (401, "invalid_recovery_token"), responses[1]

    def _opened(self, person: str, client: Person) -> None:
        items: list[Json] = self.see(client, "/auth/sessions")["items"]
        (session_id,) = [each["id"] for each in items if each["current"]]
        self.touched = Session(session_id, person, [client.refresh_token], shown_at=self.at, told_at=self.at)
        self.expected.all.append(self.touched)
        self.clients[session_id] = client
        self._pass_by(_SECONDS_PER_STEP)

    def _refresh(self, session: Session, age: int, key: str | None) -> bool:
        token = session.tokens[-1 - min(age, len(session.tokens) - 1)]
        headers = {} if key is None else {"Idempotency-Key": key}
        repeated: list[bool] = []
        response = self.product.anonymous.post("/auth/refresh", json={"refresh_token": token}, headers=headers)
        done = self.expect(
            "refresh", response, 200, lambda: repeated.append(self.expected.refresh(session, token, key, self.at))
        )
        if done:
            given = response.json()["refresh_token"]
            assert ("Idempotency-Replayed" in response.headers) == repeated[0]
            if repeated[0]:
                assert given == session.tokens[-1], response
                self.figures["answered again"] += 1
            else:
                assert given not in session.tokens, response
                session.tokens.append(given)
            self.clients[session.id].access_token = response.json()["access_token"]
        return done

    def _session(self, number: int) -> Session:
        """One of the last, mostly one that is alive."""
        alive = [session for session in self.expected.all if session.alive][-4:]
        chosen = [*alive, *alive, *self.expected.all[-2:]]
        self.touched = chosen[number % len(chosen)]
        return self.touched

    def _may_fail(self, person: str) -> bool:
        self._failures[person] += 1
        return self._failures[person] <= _FAILURES

    def _pass_by(self, seconds: int) -> None:
        self._clock.pass_by(seconds)
        self.at += seconds

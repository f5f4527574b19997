"""Refresh tokens under concurrency (I10): sessions whose tokens several clients hold, and use at the same time."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tasksync.model.entities import Session
from tests.simulation.clients import Client, Known
from tests.simulation.expressions import Item
from tests.simulation.functions import Call, Invocation, Response
from tests.simulation.history import History, Operation
from tests.simulation.invariants import Tables, Violation
from tests.simulation.simulation import MOST_SECONDS_AHEAD, Simulation, Weaken
from tests.simulation.tables import Change

_SESSIONS = 2
_MOST_OPERATIONS = 6
_REPEATABLE_SECONDS = 60.0
_AT_ONCE_SECONDS = 10.0
_LONGEST_REQUEST_SECONDS = 20.0
# What one function dates and another one judges.
_CLOCKS_DIFFER_SECONDS = 2 * MOST_SECONDS_AHEAD
_PAUSES = (12.0, 40.0)
"""Longer than two refreshes are taken to be at once, and than that and a request."""
_DAY = timedelta(days=1)


class Tokens(Known):
    """The refresh tokens of each session, by its id, that anybody was given; the last one at the end."""

    def __init__(self, user_ids: list[str]) -> None:
        super().__init__(user_ids)
        self.given: dict[str, list[str]] = {}

    def learn(self, body: Any) -> None:
        if isinstance(body, dict) and "refresh_token" in body:
            tokens = self.given[_session_of(body["refresh_token"])]
            if body["refresh_token"] not in tokens:
                tokens.append(body["refresh_token"])


class Device(Client):
    """Refreshes, mostly under a key and mostly with the token given last; now and then ends sessions."""

    def __init__(self, world: "Refreshing", name: str, user_id: str, choices: Random) -> None:
        super().__init__(world, name, user_id, choices, _MOST_OPERATIONS)
        self._tokens = world.tokens

    def _next(self) -> Call:
        given = self._choices.choice(list(self._tokens.given.values()))
        token = given[-1] if self._choices.random() < 0.8 else self._choices.choice(given)
        if self._choices.random() < 0.15:
            self._world.sleep(self._choices.choice(_PAUSES))
        draw = self._choices.random()
        if draw < 0.9:
            return self._call("POST", "/auth/refresh", {"refresh_token": token})
        if draw < 0.96:
            return self._call("POST", "/auth/logout", {"refresh_token": token})
        return self._call("DELETE", "/auth/sessions")


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One token for the next one, in the commit of this number, by this invocation."""

    successor: str
    commit: int
    invocation: Invocation | None
    at: float
    """When the product says that it was."""


class Refreshes(History):
    """What became of each token, held against what clients were told."""

    def __init__(self, tables: Tables, commits: Callable[[], int], now: Callable[[], float]) -> None:
        super().__init__()
        self._tables = tables
        self._commits = commits
        self._now = now
        self._exchanges: dict[str, _Exchange] = {}
        self._ended: set[str] = set()
        self._given: dict[str, str] = {}

    def committed(self, changes: list[Change], invocation: Invocation | None) -> None:
        for change in changes:
            if change.table == "SessionsTable" and change.key[0].startswith("ses_"):
                self._changed(change, invocation)

    def _changed(self, change: Change, invocation: Invocation | None) -> None:
        session = change.key[0]
        if change.new is None:
            self._ended.add(session)
            if change.old is not None and invocation is not None and invocation.what == "POST /auth/refresh":
                self._check_revoked(session, change.old, invocation)
            return
        if session in self._ended:
            raise Violation(f"I10: {session} came back after it had ended")
        if change.old is None:
            return
        before, after = change.old["refresh_hash"]["S"], change.new["refresh_hash"]["S"]
        if before != after:
            if before in self._exchanges or after in self._exchanges:
                raise Violation(f"I10: a token of {session} was exchanged twice, or was good again")
            at = datetime.fromisoformat(change.new["last_used_at"]["S"]).timestamp()
            self._exchanges[before] = _Exchange(after, self._commits(), invocation, at)

    def answered(self, operation: Operation, invocation: Invocation, response: Response) -> None:
        operation.responses.append(response)
        if response.status == 500:
            raise Violation(f"{operation.call.resource} was answered with 500")
        if operation.call.resource != "/auth/refresh":
            return
        token = (operation.call.body or {})["refresh_token"]
        if response.status == 200:
            self._check_given(token, response.body["refresh_token"])
        elif response.status == 401:
            self._check_refused(operation, token, invocation)
        elif response.status == 409:
            self._check_at_once(token)

    def finish(self) -> None:
        """Nothing is left to be judged at the end."""

    def _check_given(self, token: str, successor: str) -> None:
        """Every token has one successor, for whomever, and that one was made good when it was given."""
        if self._given.setdefault(token, successor) != successor:
            raise Violation(f"I10: two tokens were given for one of {_session_of(token)}")
        exchange = self._exchanges.get(_digest(token))
        if exchange is None or exchange.successor != _digest(successor):
            raise Violation(f"I10: a token of {_session_of(token)} was given that never was good")

    def _check_revoked(self, session: str, item: Item, invocation: Invocation) -> None:
        """A token used twice ends its session, but not the one spent last and a moment ago: that were two at once."""
        operation = next(each for each in self.operations if invocation in each.attempts)
        exchange = self._exchanges.get(_digest((operation.call.body or {})["refresh_token"]))
        if exchange is None:
            raise Violation(f"I10: {session} ended by a token that was good")
        last = item["refresh_hash"]["S"] == exchange.successor
        if last and self._now() < exchange.at + _AT_ONCE_SECONDS - _CLOCKS_DIFFER_SECONDS:
            raise Violation(f"I10: {session} ended by two refreshes at once")

    def _check_at_once(self, token: str) -> None:
        """A client is told that another one was quicker where one was, and not long after."""
        exchange = self._exchanges.get(_digest(token))
        if exchange is None:
            raise Violation(f"I10: a token of {_session_of(token)} was good, and its client told of another")
        if self._now() >= exchange.at + _AT_ONCE_SECONDS + _LONGEST_REQUEST_SECONDS + _CLOCKS_DIFFER_SECONDS:
            raise Violation(f"I10: {_session_of(token)} goes on though a token was used again long after")

    def _check_refused(self, operation: Operation, token: str, invocation: Invocation) -> None:
        """A client is not refused for its own refresh, whose response it repeats under its key, while that can be."""
        exchange = self._exchanges.get(_digest(token))
        session = self._tables["SessionsTable"].items.get((_session_of(token), ""))
        if not operation.keyed or exchange is None or session is None:
            return
        user = self._tables["UsersTable"].items.get((session["user_id"]["S"], ""))
        own = exchange.invocation in operation.attempts and exchange.commit <= invocation.looked_at
        last = session["refresh_hash"]["S"] == exchange.successor
        at = datetime.fromisoformat(session["last_used_at"]["S"]).timestamp()
        current = user is not None and user["token_epoch"] == session["epoch"]
        if own and last and current and self._now() < at + _REPEATABLE_SECONDS - _CLOCKS_DIFFER_SECONDS:
            raise Violation(f"I10: {_session_of(token)} was refreshed, and its client refused")


class Refreshing(Simulation):
    """The world of one seed, in which three clients share the tokens of two sessions."""

    def __init__(self, seed: int, weaken: Weaken | None) -> None:
        super().__init__(seed, weaken)
        self.known = self.tokens = Tokens(self.known.user_ids)
        self.history = Refreshes(self.database.tables, lambda: self.database.commits, self.now)

    def _life(self, name: str, user_id: str) -> Callable[[], None]:
        return Device(self, name, user_id, self.choices).run

    def _set_stage(self) -> None:
        self._put_people()
        # A cold start: the first refresh publishes the key, in every seed alike.
        importlib.import_module("auth_api.signing")._signers.clear()  # noqa: SLF001  # as a cold start does
        refresh_tokens = importlib.import_module("tasksync.security.refresh_tokens")  # not before: reads settings
        table = importlib.import_module("tasksync.dynamodb.sessions.changes").SessionChanges()
        at = datetime.fromtimestamp(self.now(), UTC)
        for number, user_id in enumerate(self.known.user_ids[:_SESSIONS]):
            session_id = f"ses_{number:032x}"
            token = refresh_tokens.new_token(session_id)
            self.tokens.given[session_id] = [token]
            table.open(
                Session(
                    id=session_id,
                    user_id=user_id,
                    epoch=1,
                    family_hash=refresh_tokens.family_hash(token),
                    refresh_hash=refresh_tokens.token_hash(token),
                    exchange=None,
                    created_at=at,
                    authenticated_at=at,
                    last_used_at=at,
                    expires_at=at + _DAY,
                    ends_at=at + _DAY,
                    user_agent="simulation",
                    ip="192.0.2.7",
                )
            )


def _session_of(token: str) -> str:
    return token.partition(".")[0]


def _digest(token: str) -> str:
    """What the sessions table keeps of a token."""
    return str(importlib.import_module("tasksync.security.refresh_tokens").token_hash(token))
